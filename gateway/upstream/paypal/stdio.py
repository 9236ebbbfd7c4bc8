"""The PayPal server alone on a pipe: newline-delimited JSON (MCP basic/transports, stdio)."""

from __future__ import annotations

import asyncio
import logging
from typing import BinaryIO, Protocol

import msgspec

from gateway.errors import INTERNAL_ERROR, INVALID_REQUEST, PARSE_ERROR

MAX_LINE = 4 * 1024 * 1024
"""Bytes in one message; the same bound as the HTTP door's."""
MAX_AT_ONCE = 16
"""Calls in flight; further lines wait in the pipe."""

_log = logging.getLogger(__name__)


class MessageHandler(Protocol):
    """What is served: :class:`gateway.upstream.paypal.server.PayPalServer`, for one."""

    async def handle(self, message: dict[str, object]) -> dict[str, object] | None:
        """One message in, at most one out."""
        ...


async def serve_stdio(server: MessageHandler, stdin: BinaryIO, stdout: BinaryIO) -> None:
    """Serve until ``stdin`` ends, then finish what is in flight. ``stdout`` carries messages only.

    Reads in a worker thread, so it works with any pipe on any platform.
    """
    places = asyncio.Semaphore(MAX_AT_ONCE)

    async def answer(line: bytes) -> None:
        try:
            response = await _respond(server, line)
            if response is not None:
                stdout.write(msgspec.json.encode(response) + b"\n")
                stdout.flush()
        finally:
            places.release()

    async with asyncio.TaskGroup() as tasks:
        while line := await asyncio.to_thread(_read_line, stdin):
            if line.strip():
                await places.acquire()
                tasks.create_task(answer(line))


async def _respond(server: MessageHandler, line: bytes) -> dict[str, object] | None:
    if len(line) > MAX_LINE:
        return _failure(None, INVALID_REQUEST, "The message is too long.")
    try:
        message = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _failure(None, PARSE_ERROR, "The line is not JSON.")
    if not isinstance(message, dict):
        return _failure(None, INVALID_REQUEST, "A message is one JSON object.")
    try:
        return await server.handle(message)
    except Exception:  # noqa: BLE001 - one broken call must not end the others
        _log.exception("a call failed inside the server")
        request_id = message.get("id")
        return _failure(
            request_id if isinstance(request_id, str | int) else None, INTERNAL_ERROR, "Internal error."
        )


def _read_line(stdin: BinaryIO) -> bytes:
    """One line; of a longer one only so much that it is seen to be too long, and the rest is skipped."""
    line = stdin.readline(MAX_LINE + 1)
    if len(line) > MAX_LINE and not line.endswith(b"\n"):
        while (rest := stdin.readline(MAX_LINE)) and not rest.endswith(b"\n"):
            pass
    return line


def _failure(request_id: str | int | None, code: int, message: str) -> dict[str, object]:
    return {"jsonrpc": "2.0", "id": request_id, "error": {"code": code, "message": message}}

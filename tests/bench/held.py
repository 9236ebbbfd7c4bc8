"""Calls that wait for a person, all at once, until the process is ended.

`python -m tests.bench.held --fd N --port P --calls 1000` makes so many calls of a tool that has to be confirmed, comes
back with each of them, and has it held by the gateway, again and again: what agents do that wait for a person. On the
inherited socket it answers 200 once all of them wait, and 503 before.
"""

from __future__ import annotations

import argparse
import asyncio
import socket

import msgspec
import uvloop

from tests.bench.processes import HOST
from tests.bench.wire import Connection, Headers, connect, request_bytes
from tests.bench.workload import MODERN_VERSION, state_in

TOOL = "get_dispute"
"""What waits; `gateways.policy_copy` gives it a class whose calls a person confirms."""
EACH = 50
"""Calls of one caller: a gateway lets so many of one wait, and not many more."""
OPENING = 16
"""How many are opened at a time."""
PATH = b"/mcp"
_META = {
    "io.modelcontextprotocol/protocolVersion": MODERN_VERSION,
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": {"name": "held", "version": "1"},
}


def token_of(caller: int) -> str:
    """Of one of those who wait. The gateway listens on this machine only, and for this run."""
    return f"unsafe-bench-token-of-waiting-caller-{caller:04}"


class Held:
    """`calls` of them, at the gateway on `port`."""

    def __init__(self, port: int, calls: int) -> None:
        self._port = port
        self._host = f"{HOST}:{port}".encode()
        self._headers: Headers = [
            (b"content-type", b"application/json"),
            (b"accept", b"application/json, text/event-stream"),
            (b"mcp-protocol-version", MODERN_VERSION.encode()),
            (b"mcp-method", b"tools/call"),
            (b"mcp-name", TOOL.encode()),
        ]
        self._calls = calls
        self._waiting = 0
        self._opening = asyncio.Semaphore(OPENING)

    @property
    def ready(self) -> bool:
        """Whether all of them wait."""
        return self._waiting == self._calls

    async def run(self) -> None:
        """Never returns. :raises RuntimeError: an answer that asks for no return."""
        async with asyncio.TaskGroup() as group:
            for number in range(self._calls):
                group.create_task(self._held(number))

    async def _held(self, number: int) -> None:
        async with self._opening:
            connection = await connect(HOST, self._port)
            state = await self._asked(connection, number, None)  # the handshake is due
            state = await self._asked(connection, number, state)  # a confirmation is
        self._waiting += 1
        while True:
            state = await self._asked(connection, number, state)

    async def _asked(self, connection: Connection, number: int, state: str | None) -> str | None:
        """The way back; None where the gateway has given enough of them, and the call begins anew."""
        arguments = {"disputed_transaction_id": f"HELD{number:012}"}
        params = {"name": TOOL, "arguments": arguments, "_meta": _META}
        if state is not None:
            params["requestState"] = state
        body = msgspec.json.encode({"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params})
        headers = [(b"authorization", b"Bearer " + token_of(number // EACH).encode()), *self._headers]
        answer = await connection.exchange(request_bytes(b"POST", PATH, self._host, headers, body))
        state = state_in(answer)
        if state is None and b"confirmation_required" not in answer.body:
            raise RuntimeError(f"http {answer.status}: {answer.body[:400]!r}")
        return state


async def serve(listener: socket.socket, held: Held) -> None:
    """Keep the calls waiting, and say whether they do, until the process is ended."""

    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        status = b"200 OK" if held.ready else b"503 Not Yet"
        writer.write(b"HTTP/1.1 %b\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" % status)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(say, sock=listener):
        await held.run()


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fd", type=int, required=True, help="an inherited listening socket")
    parser.add_argument("--port", type=int, required=True, help="the gateway's")
    parser.add_argument("--calls", type=int, required=True)
    told = parser.parse_args()

    async def held() -> None:
        await serve(socket.socket(fileno=told.fd), Held(told.port, told.calls))

    uvloop.run(held())


if __name__ == "__main__":
    main()

"""The redirect's end: one page on a random loopback port that takes one answer (RFC 8252 sections 7.3 and 8.3)."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import parse_qs, urlsplit

MAX_REQUEST: Final = 16 * 1024
"""Bytes of a request head; asyncio's reader refuses a longer one."""
REQUEST_S: Final = 10.0
PATH: Final = "/callback"
_PAGE: Final = (
    "<!doctype html><meta charset=utf-8><title>Countersign</title>"
    "<p style='font:1.1rem sans-serif;margin:4rem auto;max-width:30rem'>{}</p>"
)


class Loopback:
    """``redirect_uri``, and the query of the first redirect that carries ``state``."""

    def __init__(self, state: str) -> None:
        self._state = state
        self._answer: asyncio.Future[dict[str, str]] = asyncio.get_running_loop().create_future()
        self.redirect_uri = ""
        self._host = ""

    async def answer(self) -> dict[str, str]:
        """Wait for the redirect. What is *not* checked: anything but its ``state``."""
        return await self._answer

    def listens_on(self, port: int) -> None:
        """The port is known only after binding."""
        self._host = f"127.0.0.1:{port}"
        self.redirect_uri = f"http://{self._host}{PATH}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, one request. No page ever holds a code or a token, and no script runs in one."""
        try:
            async with asyncio.timeout(REQUEST_S):
                head = await reader.readuntil(b"\r\n\r\n")
            status, said = self._take(head.decode("latin-1"))
            page = _PAGE.format(said).encode()
            writer.write(
                f"HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {len(page)}\r\n"
                "Cache-Control: no-store\r\nReferrer-Policy: no-referrer\r\nX-Content-Type-Options: nosniff\r\n"
                "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'\r\n"
                "Connection: close\r\n\r\n".encode()
                + page
            )
            await writer.drain()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # whoever that was, it was no browser with our answer
        finally:
            writer.close()

    def _take(self, head: str) -> tuple[str, str]:
        lines = head.split("\r\n")
        words = lines[0].split(" ")
        hosts = [one[5:].strip().lower() for one in lines[1:] if one.lower().startswith("host:")]
        if len(words) != 3 or words[0] != "GET" or hosts != [self._host]:
            return "400 Bad Request", "This page only takes the answer of a sign-in."
        parts = urlsplit(words[1])
        if parts.path != PATH:
            return "404 Not Found", "There is nothing here."
        try:
            query = parse_qs(parts.query, keep_blank_values=True, max_num_fields=32)
        except ValueError:
            return "400 Bad Request", "This is no answer of a sign-in."
        given = query.get("state", [])
        # Attack: a page that sends the browser here with somebody else's code. It does not know the state; and since
        # it must not be able to end the sign-in either, we go on waiting for the right answer.
        if len(given) != 1 or not hmac.compare_digest(given[0].encode(), self._state.encode()):
            return "400 Bad Request", "This answer belongs to another sign-in and was not used."
        if self._answer.done():
            return "400 Bad Request", "This sign-in has its answer already."
        self._answer.set_result({name: values[0] for name, values in query.items() if len(values) == 1})
        return "200 OK", "Countersign has the answer. You can close this page and go back to your host."


@asynccontextmanager
async def listening(state: str) -> AsyncIterator[Loopback]:
    """Bound to 127.0.0.1 alone, on a port that the system picks; closed at the end."""
    loopback = Loopback(state)
    server = await asyncio.start_server(loopback.serve, "127.0.0.1", 0, limit=MAX_REQUEST)
    loopback.listens_on(server.sockets[0].getsockname()[1])
    try:
        yield loopback
    finally:
        server.close()

"""One POST to an address of the settings, with every limit an attacker could lean on.

No redirects: the address was checked, what it points to was not (SSRF). No compression: a small body that unpacks to
a large one would pass the limit. No proxy and no credentials of the environment. One deadline for the whole exchange:
httpx's own timeouts start anew with each byte a slow server drips.
"""

from __future__ import annotations

import asyncio
import ssl as tls
from collections.abc import Mapping
from typing import Final, Protocol

import httpx
import msgspec

from gateway.agents.said import Failure, NoAnswer

MAX_ANSWER_BYTES: Final = 64 * 1024
"""Bytes of an answer: a yes or a no with a sentence."""
MAX_QUESTION_BYTES: Final = 512 * 1024
"""Bytes of a question. What cannot be shown whole is not asked about: nobody signs the first half of a call."""
MAX_CONNECTIONS: Final = 16
_REDIRECTS = range(300, 400)


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """An answer, whole. Names of ``headers`` are lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class Posts(Protocol):
    """Asks one address; :class:`Exchange` does."""

    async def post(self, body: bytes, headers: Mapping[str, str]) -> Received:
        """The answer, whatever its status. :raises NoAnswer:"""
        ...

    async def aclose(self) -> None:
        """Close the connections."""


class Exchange:
    """Asks one address. ``timeout_s`` is for the whole exchange."""

    def __init__(self, url: str, *, timeout_s: float, ssl: tls.SSLContext | None = None) -> None:
        self._url = url
        self._timeout_s = timeout_s
        self._http = httpx.AsyncClient(
            verify=ssl or tls.create_default_context(),
            trust_env=False,
            follow_redirects=False,
            timeout=timeout_s,
            limits=httpx.Limits(max_connections=MAX_CONNECTIONS),
        )

    async def post(self, body: bytes, headers: Mapping[str, str]) -> Received:
        """The answer, whatever its status, unless it leads elsewhere. :raises NoAnswer:"""
        if len(body) > MAX_QUESTION_BYTES:
            raise NoAnswer(Failure.TOO_LARGE)
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._post(body, headers)
        except (TimeoutError, httpx.TimeoutException):
            raise NoAnswer(Failure.TIMED_OUT) from None
        except (httpx.HTTPError, httpx.InvalidURL, ValueError):
            raise NoAnswer(Failure.UNREACHABLE) from None

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _post(self, body: bytes, headers: Mapping[str, str]) -> Received:
        sent = {
            "content-type": "application/json",
            "accept": "application/json",
            "accept-encoding": "identity",
            "user-agent": "countersign",
            **headers,
        }
        async with self._http.stream("POST", self._url, content=body, headers=sent) as response:
            if response.status_code in _REDIRECTS:
                raise NoAnswer(Failure.REDIRECTED)
            if response.headers.get("content-encoding", "identity").lower() != "identity":
                raise NoAnswer(Failure.COMPRESSED)
            received = bytearray()
            async for chunk in response.aiter_raw():
                received += chunk
                if len(received) > MAX_ANSWER_BYTES:
                    raise NoAnswer(Failure.TOO_LARGE)
            return Received(
                status=response.status_code,
                headers={name.lower(): value for name, value in response.headers.items()},
                body=bytes(received),
            )

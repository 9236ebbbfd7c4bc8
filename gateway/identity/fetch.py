"""One small document from an identity provider, over httpx, with every limit an attacker could lean on."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final, Protocol
from urllib.parse import urlencode

import httpx

from gateway.identity.credentials import Secret
from gateway.identity.endpoints import parse_endpoint
from gateway.identity.jwk import MAX_JWKS_BYTES

FETCH_DEADLINE_S: Final = 5.0
"""Seconds for the whole exchange. httpx's own timeouts start anew with each byte a slow server drips."""


class FetchError(Exception):
    """No usable document. ``status``: the HTTP status, if there was one. The message quotes nothing
    received."""

    def __init__(self, reason: str, status: int | None = None) -> None:
        super().__init__(reason)
        self.status = status


class Fetcher(Protocol):
    """Gets one document."""

    async def fetch(self, url: str) -> bytes:
        """The body of a 200 answer.

        :raises FetchError: anything else.
        """


class HttpFetcher:
    """One request with a deadline, a size limit, no redirects and no credentials but those it is given.

    No redirects: the URL was checked against the configuration, what it points to was not (SSRF). No
    compression: a small body that unpacks to a large one would pass the limit. The client is the app's; it is
    not closed here.
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        *,
        max_bytes: int = MAX_JWKS_BYTES,
        deadline_s: float = FETCH_DEADLINE_S,
    ) -> None:
        self._client = client
        self._max_bytes = max_bytes
        self._deadline_s = deadline_s

    async def fetch(self, url: str) -> bytes:
        """See :class:`Fetcher`. What is *not* checked: the content type (issuers send all sorts)."""
        return await self._within_deadline("GET", url, {}, b"")

    async def post_form(
        self, url: str, form: Mapping[str, str], *, authorization: Secret | None = None
    ) -> bytes:
        """The body of a 200 answer to a form (RFC 7662 section 2.1, RFC 6749 section 3.2), with the same limits.

        :raises FetchError: anything else.
        """
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if authorization is not None:
            headers["Authorization"] = authorization.expose().decode()
        return await self._within_deadline("POST", url, headers, urlencode(form).encode())

    async def _within_deadline(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> bytes:
        try:
            parse_endpoint(url)
        except ValueError as problem:
            raise FetchError(str(problem)) from None
        try:
            async with asyncio.timeout(self._deadline_s):
                return await self._exchange(method, url, headers, body)
        except TimeoutError:
            raise FetchError(f"no complete answer within {self._deadline_s} s") from None
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as problem:
            raise FetchError(f"the exchange failed ({type(problem).__name__})") from None

    async def _exchange(self, method: str, url: str, extra: Mapping[str, str], body: bytes) -> bytes:
        headers = {"Accept": "application/json", "Accept-Encoding": "identity", **extra}
        async with self._client.stream(
            method, url, headers=headers, content=body or None, follow_redirects=False, auth=None
        ) as response:
            if response.status_code != httpx.codes.OK:
                raise FetchError(f"the answer is HTTP {response.status_code}", response.status_code)
            if response.headers.get("content-encoding", "identity").lower() != "identity":
                raise FetchError("the answer is compressed although that was not asked for")
            received = bytearray()
            async for chunk in response.aiter_raw():
                received += chunk
                if len(received) > self._max_bytes:
                    raise FetchError(f"the answer is larger than {self._max_bytes} bytes")
            return bytes(received)

"""Fetching an issuer's documents without being led astray; where its keys are if it publishes no metadata."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from gateway.identity.endpoints import is_public, parse_endpoint
from gateway.identity.fetch import Fetcher, FetchError

Resolve = Callable[[str], Awaitable[Sequence[str]]]

FALLBACKS: Final = ("/.well-known/jwks.json", "/oauth2/v1/keys", "/v1/keys")
"""Where key sets are found below issuers without discovery (LLD-B 13.3), in this order."""


def fallbacks_of(issuer: str) -> tuple[str, ...]:
    """On the issuer's own host, below its own path."""
    return tuple(issuer.rstrip("/") + path for path in FALLBACKS)


async def addresses_of(host: str) -> Sequence[str]:
    """Every address of a host. :raises OSError: it has none."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


class PublicOnly:
    """Refuses a host that resolves to an address off the public internet, unless the operator named the host.

    Attack (C59): a trusted issuer's metadata points to a name that is the cloud's metadata service or a database of
    ours. What is *not* caught: a name that changes its address between this look and the connection; TLS is.
    """

    def __init__(self, inner: Fetcher, *, named: frozenset[str], resolve: Resolve = addresses_of) -> None:
        self._inner = inner
        self._named = named
        self._resolve = resolve

    async def fetch(self, url: str) -> bytes:
        """See :class:`~gateway.identity.fetch.Fetcher`."""
        try:
            host = parse_endpoint(url).host
        except ValueError as problem:
            raise FetchError(str(problem)) from None
        if host not in self._named:
            await self._check(host)
        return await self._inner.fetch(url)

    async def _check(self, host: str) -> None:
        try:
            found = await self._resolve(host)
        except OSError:
            raise FetchError("the host has no address") from None
        if not found or not all(is_public(ipaddress.ip_address(one.partition("%")[0])) for one in found):
            raise FetchError("the host is at a private address")

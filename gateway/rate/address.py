"""From which address a request comes, as far as that can be believed. Pure.

The peer of the socket, unless the operator named proxies and the header that they write: then the last address in that
header which is no such proxy's own (what stands before it the client wrote itself). A header from anybody else is text.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import TypeAlias

from starlette.types import Scope

MAX_HOPS = 32
"""Addresses of one header that are looked at, from the end; no chain of proxies is that long."""
MAX_CHARS = 64
"""Of one address: what is longer is none, and is not remembered whole."""
IPV6_BITS = 64
"""What one customer is given at least (RFC 6177): whoever has one address of it has them all."""
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network


class Addresses:
    """``header`` in lower case, or None: then only the socket counts. :raises ValueError: no network of that name."""

    def __init__(self, *, header: str | None = None, proxies: Sequence[str] = ()) -> None:
        if (header is None) != (not proxies):
            raise ValueError("a header is believed from named proxies, and proxies write a named header")
        self._header = None if header is None else header.lower().encode("ascii")
        self._proxies = tuple(ipaddress.ip_network(one) for one in proxies)

    def of(self, scope: Scope) -> str:
        """The address that counts, an IPv6 one by its network; empty where there is none (a unix socket)."""
        client = scope.get("client")
        peer = str(client[0]) if client else ""
        if self._header is not None and self._trusted(peer):
            # Several fields of one name are one list (RFC 9110 section 5.3).
            values = [value for name, value in scope["headers"] if name == self._header]
            for one in _hops(values):
                if not self._trusted(one):
                    return network_of(one)
        return network_of(peer)

    def _trusted(self, address: str) -> bool:
        # Without an address: the peer is a process of this host that was given the socket.
        return not address or _within(address, self._proxies)


def _hops(values: Iterable[bytes]) -> list[str]:
    text = b",".join(values).decode("latin-1")
    return (
        [one.strip().strip('"') for one in text.rsplit(",", MAX_HOPS)[1 - MAX_HOPS :]][::-1] if text else []
    )


@lru_cache(maxsize=4096)
def network_of(address: str) -> str:
    """IPv4 as it is, IPv6 by its first 64 bits; what is no address is one name for all of its kind."""
    try:
        parsed = ipaddress.ip_address(_bare(address))
    except ValueError:
        return "" if not address else "unreadable"
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((int(parsed), IPV6_BITS), strict=False))
    return str(parsed)


@lru_cache(maxsize=4096)
def _within(address: str, networks: tuple[Network, ...]) -> bool:
    try:
        parsed = ipaddress.ip_address(_bare(address))
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        return any(parsed.ipv4_mapped in network for network in networks)
    return any(parsed in network for network in networks)


def _bare(address: str) -> str:
    """``[2001:db8::1]:443`` and ``192.0.2.1:443`` as some proxies write them, without the port."""
    if address.startswith("["):
        return address[1:].partition("]")[0]
    return address.partition(":")[0] if address.count(":") == 1 else address.partition("%")[0]

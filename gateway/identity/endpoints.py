"""Which URLs this room believes: https, or plain http to this machine. Pure.

One strict grammar instead of a lenient URL parser: what two parsers read differently (user info, backslashes,
white space, numeric host names) is how a checked URL becomes another URL.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Final

import msgspec

_MAX_URL_CHARS: Final = 2048
_URL: Final = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9a-f:.]+\]|[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)(?P<port>:[0-9]{1,5})?"
    r"(?P<path>(?:/[a-z0-9._~!$&'()*+,;=:@%-]*)*)(?P<query>\?[a-z0-9._~!$&'()*+,;=:@%/?-]*)?",
    re.ASCII | re.IGNORECASE,
)
_UNICAST: Final = ipaddress.IPv6Network("2000::/3")
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
_NUMERIC_LABEL: Final = re.compile(r"(?:[0-9]+|0x[0-9a-f]*)", re.IGNORECASE)


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A URL taken apart. ``private`` is true for literal addresses that are not on the public internet, and
    for loopback names; a *name* that resolves to such an address is not seen here."""

    url: str
    origin: str
    host: str
    path: str
    query: str
    loopback: bool
    private: bool


def parse_endpoint(url: str) -> Endpoint:
    """The parts of an absolute http(s) URL.

    :raises ValueError: not such a URL, with user info or a fragment, a numeric host that is no plain IP
        address (``http://2130706433/``), or plain http to another machine.
    """
    match = _URL.fullmatch(url) if len(url) <= _MAX_URL_CHARS else None
    if match is None:
        raise ValueError("not an absolute http(s) URL without user info and fragment")
    host = match["host"].lower().strip("[]")
    address = _address(host)
    loopback = address.is_loopback if address else host == "localhost" or host.endswith(".localhost")
    if match["scheme"].lower() == "http" and not loopback:
        raise ValueError("plain http is for this machine only; use https")
    return Endpoint(
        url=url,
        origin=url[: match.start("path")],
        host=host,
        path=match["path"],
        query=match["query"] or "",
        loopback=loopback,
        private=loopback or (address is not None and not is_public(address)),
    )


def is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Whether it is one host's address on the public internet.

    Attack: an IPv6 address that a router turns into a private IPv4 one: NAT64 (RFC 6052), 6to4 (RFC 3056), or the
    mapped and compatible forms. The first two count as what they lead to; there is no honest use of the others.
    """
    if isinstance(address, ipaddress.IPv4Address):
        return address.is_global and not address.is_multicast
    if address in _NAT64:
        return is_public(ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF))
    inner = address.sixtofour
    return address in _UNICAST and address.is_global and (inner is None or is_public(inner))


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The literal address, or None for a name. ``0x7f.1`` is neither, but resolvers read 127.0.0.1."""
    if ":" in host or _NUMERIC_LABEL.fullmatch(host.rpartition(".")[2]):
        return ipaddress.ip_address(host)
    return None

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
        private=loopback or (address is not None and not address.is_global),
    )


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The literal address, or None for a name. ``0x7f.1`` is neither, but resolvers read 127.0.0.1."""
    if ":" in host or _NUMERIC_LABEL.fullmatch(host.rpartition(".")[2]):
        return ipaddress.ip_address(host)
    return None

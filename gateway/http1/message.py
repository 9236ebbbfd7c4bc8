"""Requests to bytes, and what a response is. Pure: no I/O."""

import re
from collections.abc import Sequence
from functools import lru_cache

import msgspec

from gateway.http1.errors import InvalidRequest

Headers = Sequence[tuple[bytes, bytes]]

_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 section 5.6.2
_TARGET = re.compile(rb"/[\x21-\x7e]*")  # origin-form; a blank or CR would start a second request line
_VALUE = re.compile(rb"[\x21-\x7e\x80-\xff](?:[\t \x21-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?|")

# Framing belongs to this module: a caller's copy of one of these would make two readers disagree on where
# the request ends (request smuggling, RFC 9112 section 11.2).
_OURS = frozenset(
    b"host content-length transfer-encoding connection keep-alive proxy-connection accept-encoding "
    b"upgrade expect te trailer".split()
)


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds of one client. Counts are per client, sizes per response."""

    connections: int = 64  # open at once; more callers wait in line until their deadline
    idle_s: float = 4.0  # below uvicorn's keep-alive of 5 s, so that we rarely write into a closing socket
    header_count: int = 100
    header_bytes: int = 32 * 1024  # the whole head, informational responses and trailers included
    body_bytes: int = 16 * 1024 * 1024  # of a buffered response; a streamed one is bounded by its reader
    buffer_bytes: int = 64 * 1024  # of a streamed response, held before reading from the socket pauses


class Response(msgspec.Struct, frozen=True, gc=False):
    """A complete response. Header names are lower case, in the order received; trailers are dropped."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes

    def header(self, name: bytes) -> bytes | None:
        """The first value of a header, by its lower-case name."""
        return first(self.headers, name)


def first(headers: Headers, name: bytes) -> bytes | None:
    """The first value of a header, by its lower-case name."""
    return next((value for key, value in headers if key == name), None)


def preamble(host: bytes) -> bytes:
    """The part of every request head that does not change: version, host and our own headers."""
    return b" HTTP/1.1\r\nhost: " + host + b"\r\naccept-encoding: identity\r\n"


def encode(preamble: bytes, method: bytes, target: bytes, headers: Headers, body: bytes) -> bytes:
    """One whole request as bytes, for one write.

    Raises InvalidRequest for a method, target, name or value outside its grammar (CR, LF and NUL above all)
    and for a header that this client writes itself. Meaning is NOT checked.
    """
    parts = [_request_line(method, target), preamble]
    for name, value in headers:
        parts.append(_header_line(name, value))
    if body or method not in (b"GET", b"HEAD", b"DELETE"):
        parts.append(b"content-length: %d\r\n" % len(body))
    parts += (b"\r\n", body)
    return b"".join(parts)


# Callers send the same few lines again and again; checking each against its grammar is a third of `encode`.
@lru_cache(maxsize=64)
def _request_line(method: bytes, target: bytes) -> bytes:
    if not _TOKEN.fullmatch(method) or not _TARGET.fullmatch(target):
        raise InvalidRequest("method or target outside the grammar")
    return method + b" " + target


@lru_cache(maxsize=256)
def _header_line(name: bytes, value: bytes) -> bytes:
    if not _TOKEN.fullmatch(name) or not _VALUE.fullmatch(value):
        raise InvalidRequest("header outside the grammar")
    if name.lower() in _OURS:
        raise InvalidRequest("header belongs to the client")
    return name + b": " + value + b"\r\n"

"""The bytes of a response, however they arrive, give the same response or the same refusal."""

import asyncio
import tracemalloc
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.http1 import BadReply, Http1Error, Limits, NoReply, Response
from gateway.http1.connection import Connection

GOOD = {
    "length": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A:  b \t\r\nx-a: c\r\n\r\nhello",
    "empty": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "chunked": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;q=1\r\nhel\r\n2\r\nlo\r\n0\r\nx-t: u\r\n\r\n"
    ),
    "informational": (
        b"HTTP/1.1 103 Early\r\nlink: </a>\r\n\r\nHTTP/1.1 100 C\r\n\r\n"
        b"HTTP/1.1 200 K\r\ncontent-length: 1\r\n\r\nx"
    ),
    "no content": b"HTTP/1.1 204 No Content\r\nx: y\r\n\r\n",
    "not modified": b"HTTP/1.1 304 Not Modified\r\ncontent-length: 10\r\n\r\n",
}
CLOSED = {
    "until close": b"HTTP/1.1 200 OK\r\nx: y\r\n\r\nhello",
    "old": b"HTTP/1.0 200 OK\r\n\r\nhello",
    "old length": b"HTTP/1.0 200 OK\r\ncontent-length: 5\r\n\r\nhello",
    "connection close": b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nhi",
}
BAD = {
    "garbage": (b"SSH-2.0-OpenSSH_9\r\n\r\n", "malformed"),
    "http2": (b"HTTP/2 200\r\n\r\n", "malformed"),
    "bad chunk": (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", "malformed"),
    "negative length": (b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n", "malformed"),
    "two lengths": (b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab", "malformed"),
    "length and chunked": (
        b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        "malformed",
    ),
    "gzip transfer": (b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\n", "transfer_encoding"),
    "gzip content": (b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 1\r\n\r\nx", "encoded"),
    "upgrade": (b"HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n", "upgrade"),
    "folded": (b"HTTP/1.1 200 OK\r\na: b\r\n c\r\ncontent-length: 0\r\n\r\n", "malformed"),
    "bare lf": (b"HTTP/1.1 200 OK\na: b\n\n", "malformed"),
    "nul": (b"HTTP/1.1 200 OK\r\na: \0\r\ncontent-length: 0\r\n\r\n", "malformed"),
    "too long": (b"HTTP/1.1 200 OK\r\ncontent-length: 101\r\n\r\n", "body_too_large"),
    "too much": (b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 101, "body_too_large"),
    "many headers": (b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 11 + b"\r\n", "head_too_large"),
    "many informational": (b"HTTP/1.1 100 C\r\na: b\r\n\r\n" * 11, "head_too_large"),
    "endless header": (b"HTTP/1.1 200 OK\r\na: " + b"b" * 600, "head_too_large"),
    "endless trailer": (
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n" + b"a: b\r\n" * 11,
        "head_too_large",
    ),
}
LIMITS = Limits(header_count=10, header_bytes=500, body_bytes=100, buffer_bytes=4)


@dataclass
class Wire(asyncio.Transport):
    """The socket's side of a connection, in memory."""

    sent: list[bytes] = field(default_factory=list)
    closing: bool = False
    paused: bool = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.sent.append(bytes(data))

    def abort(self) -> None:
        self.closing = True

    def is_closing(self) -> bool:
        return self.closing

    def get_write_buffer_size(self) -> int:
        return 0

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False


def connected() -> tuple[Connection, Wire]:
    """A connection on an in-memory wire."""
    connection, wire = Connection(LIMITS, lambda _: None), Wire()
    connection.connection_made(wire)
    return connection, wire


async def _exchange(pieces: list[bytes], *, close: bool) -> tuple[Response | str, bool]:
    connection, wire = connected()
    connection.send(b"request", head_only=False, streaming=False)
    for piece in pieces:
        if not wire.closing:
            connection.data_received(piece)
    if close:
        connection.connection_lost(None)
    try:
        await connection.ready(None)
    except Http1Error as error:
        return error.reason, wire.closing
    response = Response(connection.status, connection.headers, connection.take())
    return response, connection.finish()


def exchange(pieces: list[bytes], *, close: bool = False) -> tuple[Response | str, bool]:
    """One response in these pieces: the response and whether the connection lives on, or the refusal."""
    return asyncio.run(_exchange(pieces, close=close))


def split(data: bytes, cuts: list[int]) -> list[bytes]:
    """The bytes, cut at these places."""
    places = sorted({cut % len(data) for cut in cuts})
    return [data[a:b] for a, b in zip([0, *places], [*places, len(data)], strict=True) if a != b]


@pytest.mark.parametrize("name", GOOD)
def test_good_responses_keep_the_connection(name: str) -> None:
    """Every framing of RFC 9112 that ends by itself leaves the connection usable."""
    response, usable = exchange([GOOD[name]])
    assert isinstance(response, Response)
    assert usable


def test_what_a_response_says() -> None:
    """Names are lower case, values stripped, repeated fields kept; trailers and 1xx fields dropped."""
    assert exchange([GOOD["length"]])[0] == Response(
        200, [(b"content-length", b"5"), (b"x-a", b"b"), (b"x-a", b"c")], b"hello"
    )
    assert exchange([GOOD["chunked"]])[0] == Response(200, [(b"transfer-encoding", b"chunked")], b"hello")
    assert exchange([GOOD["informational"]])[0] == Response(200, [(b"content-length", b"1")], b"x")


@pytest.mark.parametrize("name", CLOSED)
def test_responses_that_end_the_connection(name: str) -> None:
    """A body that ends with the connection is whole; the connection is not used again."""
    response, usable = exchange([CLOSED[name]], close=True)
    assert isinstance(response, Response)
    assert response.body in (b"hello", b"hi")
    assert not usable


@pytest.mark.parametrize("name", BAD)
def test_bad_responses(name: str) -> None:
    """What must not be believed is refused, and the connection is closed."""
    data, reason = BAD[name]
    assert exchange([data]) == (reason, True)


@settings(max_examples=200)
@given(st.sampled_from(sorted(GOOD)), st.lists(st.integers(0, 500), max_size=20))
def test_any_split_gives_the_same_response(name: str, cuts: list[int]) -> None:
    """Where the network cuts the bytes never shows."""
    assert exchange(split(GOOD[name], cuts)) == exchange([GOOD[name]])


@settings(max_examples=150)
@given(st.sampled_from(sorted(BAD)), st.lists(st.integers(0, 700), max_size=20))
def test_any_split_gives_the_same_refusal(name: str, cuts: list[int]) -> None:
    """A bad response is not made good by cutting it."""
    assert exchange(split(BAD[name][0], cuts)) == (BAD[name][1], True)


@settings(max_examples=150)
@given(st.sampled_from(sorted(GOOD)), st.data())
def test_a_cut_response_is_no_response(name: str, data: st.DataObject) -> None:
    """Of a response that says its own length, any strict beginning is truncated, never a shorter answer."""
    whole = GOOD[name]
    end = data.draw(st.integers(0, len(whole) - 1))
    outcome, _ = exchange([whole[:end]] if end else [], close=True)
    assert outcome == ("truncated" if end else "closed")


@settings(max_examples=200)
@given(
    st.binary(max_size=60),
    st.sampled_from([b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n"]),
)
def test_hostile_bytes_never_raise_anything_else(tail: bytes, start: bytes) -> None:
    """Any bytes give a response or one of our errors."""
    outcome, _ = exchange([start + tail], close=True)
    assert isinstance(outcome, Response | str)


@pytest.mark.parametrize("garbage", [b"x", b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", b"\x16\x03\x01"])
def test_trailing_garbage(garbage: bytes) -> None:
    """Bytes after a response would be read as the next answer: the answer stands, the connection goes."""
    for pieces in ([GOOD["length"] + garbage], [GOOD["length"], garbage]):
        response, usable = exchange(pieces)
        assert isinstance(response, Response)
        assert response.body == b"hello"
        assert not usable


async def test_unsolicited_data() -> None:
    """A server that speaks first, or between two requests, loses the connection."""
    connection, wire = connected()
    connection.data_received(GOOD["empty"])
    assert wire.closing
    assert not connection.usable


async def test_head_has_no_body() -> None:
    """The length in a HEAD response describes a body that does not come."""
    connection, _ = connected()
    connection.send(b"request", head_only=True, streaming=False)
    connection.data_received(b"HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n")
    await connection.ready(None)
    assert (connection.status, connection.take()) == (200, b"")
    assert not connection.finish()


async def test_reading_pauses_until_the_reader_takes() -> None:
    """A streamed body stops the socket at `buffer_bytes` and starts it again when it was taken."""
    connection, wire = connected()
    connection.send(b"request", head_only=False, streaming=True)
    connection.data_received(b"HTTP/1.1 200 OK\r\n\r\nabcd")
    paused = [wire.paused]
    connection.data_received(b"e")
    paused.append(wire.paused)
    assert connection.take() == b"abcde"
    paused.append(wire.paused)
    assert paused == [False, True, False]


async def test_a_body_in_tiny_chunks_costs_no_more_than_its_bytes() -> None:
    """Attack: each of them an object of its own, and a body within its bound is twenty times as much memory."""
    connection = Connection(Limits(), lambda _: None)
    connection.connection_made(Wire())
    connection.send(b"request", head_only=False, streaming=False)
    connection.data_received(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
    tracemalloc.start()
    try:
        for _ in range(100):
            connection.data_received(b"2\r\nab\r\n" * 500)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 500_000
    connection.data_received(b"0\r\n\r\n")
    await connection.ready(None)
    assert connection.take() == b"ab" * 50_000


async def test_a_connection_lost_before_any_byte() -> None:
    """Silence is NoReply: whether the server acted is unknown."""
    connection, _ = connected()
    connection.send(b"request", head_only=False, streaming=False)
    connection.connection_lost(ConnectionResetError())
    with pytest.raises(NoReply, match="closed"):
        await connection.ready(None)


async def test_a_reset_body_is_not_a_whole_one() -> None:
    """A body that ends with a reset instead of a close is truncated, although it has no declared length."""
    connection, _ = connected()
    connection.send(b"request", head_only=False, streaming=False)
    connection.data_received(CLOSED["until close"])
    connection.connection_lost(ConnectionResetError())
    with pytest.raises(BadReply, match="truncated"):
        await connection.ready(None)


async def test_a_response_left_unread_is_not_followed() -> None:
    """A paused connection would not hear the next answer, nor that the server hangs up."""
    connection, wire = connected()
    connection.send(b"request", head_only=False, streaming=True)
    connection.data_received(GOOD["length"])
    assert (connection.complete, wire.paused) == (True, True)
    assert not connection.finish()

"""The minimal HTTP client against a peer that answers as it is told."""

import asyncio

import pytest

from tests.bench.wire import ConnectionLostError, Pool, Response, request_bytes

WHOLE = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi"


class Peer:
    """A server on 127.0.0.1 that gives one prepared answer per request and counts its connections."""

    def __init__(self, *answers: bytes) -> None:
        self._answers = list(answers)
        self.connections = 0

    async def ask(self, times: int) -> list[Response]:
        """Send `times` requests through one pool, one after the other."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        async with server:
            pool = Pool("127.0.0.1", server.sockets[0].getsockname()[1])
            try:
                return [await pool.request(b"POST", b"/mcp", [], b"x") for _ in range(times)]
            finally:
                pool.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while self._answers:
                await reader.readuntil(b"\r\n\r\nx")
                writer.write(self._answers.pop(0))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


async def test_a_connection_is_kept_for_the_next_request() -> None:
    """Two exchanges, one connection; header names come in lower case."""
    peer = Peer(WHOLE, WHOLE)
    first, second = await peer.ask(2)
    assert (first.body, second.body, peer.connections) == (b"hi", b"hi", 1)
    assert first.header(b"content-type") == b"text/plain"


async def test_a_chunked_answer_is_put_together() -> None:
    """The body is what the chunks hold."""
    (answer,) = await Peer(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"
    ).ask(1)
    assert answer.body == b"abc"


async def test_a_connection_that_the_peer_closes_is_not_used_again() -> None:
    """After `Connection: close` the next request gets a connection of its own."""
    peer = Peer(WHOLE.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), WHOLE)
    assert [answer.status for answer in await peer.ask(2)] == [200, 200]
    assert peer.connections == 2


@pytest.mark.parametrize("broken", [b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi", b"nonsense\r\n\r\n"])
async def test_half_an_answer_is_an_error(broken: bytes) -> None:
    """A cut or broken answer ends in an error, never in a short body."""
    with pytest.raises(ConnectionLostError):
        await Peer(broken).ask(1)


def test_hop_by_hop_headers_stay_behind() -> None:
    """Host and framing are the client's own; what belongs to the other hop is not sent on."""
    sent = request_bytes(b"POST", b"/", b"up:1", [(b"host", b"down:2"), (b"te", b"x"), (b"a", b"b")], b"x")
    assert sent == b"POST / HTTP/1.1\r\nhost: up:1\r\na: b\r\ncontent-length: 1\r\n\r\nx"

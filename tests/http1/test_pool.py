"""Connections are few, fresh and handed out fairly, and none is lost whatever happens to its caller."""

import asyncio
import ssl
from pathlib import Path

import pytest

from gateway.http1 import Endpoint, Limits, NotSent, NotSentTimeout
from gateway.http1.connection import Connection
from gateway.http1.pool import Pool
from tests.support.scripted_http import answering, read_request, serve

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"


def soon(seconds: float = 5) -> float:
    """A deadline in loop time."""
    return asyncio.get_running_loop().time() + seconds


async def exchange(connection: Connection) -> None:
    """One good exchange."""
    connection.send(b"GET / HTTP/1.1\r\n\r\n", head_only=False, streaming=False)
    await connection.ready(soon())


async def test_last_used_first() -> None:
    """The connection used last is used next, so that a quiet pool shrinks to what is needed."""
    async with serve(answering(*[ANSWER] * 4)) as server:
        pool = Pool(Endpoint.parse(server.url), Limits(), None)
        first, _ = await pool.acquire(soon(), fresh=False)
        second, _ = await pool.acquire(soon(), fresh=False)
        for connection in (first, second):
            await exchange(connection)
            pool.release(connection)
        assert await pool.acquire(soon(), fresh=False) == (second, True)
        assert await pool.acquire(soon(), fresh=False) == (first, True)
        await pool.aclose()


async def test_fair_line() -> None:
    """With every connection taken, callers are served in the order they came."""
    async with serve(answering(*[ANSWER] * 4)) as server:
        pool = Pool(Endpoint.parse(server.url), Limits(connections=1), None)
        taken, _ = await pool.acquire(soon(), fresh=False)
        order: list[int] = []

        async def caller(number: int) -> None:
            connection, _ = await pool.acquire(soon(), fresh=False)
            order.append(number)
            await exchange(connection)
            pool.release(connection)

        async with asyncio.TaskGroup() as group:
            for number in range(3):
                group.create_task(caller(number))
            await asyncio.sleep(0)
            await exchange(taken)
            pool.release(taken)
        assert order == [0, 1, 2]
        assert server.connections == 1
        await pool.aclose()


async def test_waiting_ends_at_the_deadline() -> None:
    """Waiting in line longer than the deadline is NotSentTimeout: nothing was sent."""
    async with serve(answering(ANSWER)) as server:
        pool = Pool(Endpoint.parse(server.url), Limits(connections=1), None)
        await pool.acquire(soon(), fresh=False)
        with pytest.raises(NotSentTimeout, match="no_free_connection"):
            await pool.acquire(soon(0.02), fresh=False)
        await pool.aclose()


async def test_a_cancelled_caller_does_not_lose_the_place() -> None:
    """A caller that is cancelled in the moment its turn comes passes it on."""
    async with serve(answering(ANSWER, ANSWER)) as server:
        pool = Pool(Endpoint.parse(server.url), Limits(connections=1), None)
        taken, _ = await pool.acquire(soon(), fresh=False)
        waiting = asyncio.create_task(pool.acquire(soon(), fresh=False))
        await asyncio.sleep(0)
        await exchange(taken)
        pool.release(taken)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert await pool.acquire(soon(), fresh=False) == (taken, True)
        await pool.aclose()


async def test_a_connection_the_server_closed_is_not_reused() -> None:
    """A server that hangs up between two requests is noticed, and the place is free again."""
    async with serve(answering(ANSWER, close=True)) as server:
        pool = Pool(Endpoint.parse(server.url), Limits(connections=1), None)
        first, _ = await pool.acquire(soon(), fresh=False)
        await exchange(first)
        pool.release(first)
        await first.lost
        second, reused = await pool.acquire(soon(), fresh=False)
        assert (second is first, reused) == (False, False)
        await pool.aclose()


async def test_a_connection_that_spoke_while_idle_is_not_reused() -> None:
    """Unsolicited bytes would be taken for the answer to the next request."""
    go = asyncio.Event()

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(ANSWER)
        await go.wait()
        writer.write(ANSWER)
        await reader.read()

    async with serve(speak) as server:
        pool = Pool(Endpoint.parse(server.url), Limits(connections=1), None)
        first, _ = await pool.acquire(soon(), fresh=False)
        await exchange(first)
        pool.release(first)
        go.set()
        await first.lost
        assert (await pool.acquire(soon(), fresh=False))[0] is not first
        await pool.aclose()


async def test_a_connection_idle_too_long_is_replaced() -> None:
    """Beyond `idle_s` the server may be closing it just now: a new one is opened."""
    async with serve(answering(ANSWER, ANSWER)) as server:
        pool = Pool(Endpoint.parse(server.url), Limits(idle_s=0), None)
        first, _ = await pool.acquire(soon(), fresh=False)
        await exchange(first)
        pool.release(first)
        assert (await pool.acquire(soon(), fresh=False))[1] is False
        await pool.aclose()


async def test_fresh_replaces_an_idle_one() -> None:
    """A fresh connection never is an old one, and takes its place rather than one more."""
    async with serve(answering(ANSWER, ANSWER)) as server:
        pool = Pool(Endpoint.parse(server.url), Limits(connections=1), None)
        first, _ = await pool.acquire(soon(), fresh=False)
        await exchange(first)
        pool.release(first)
        second, reused = await pool.acquire(soon(), fresh=True)
        assert (second is first, reused) == (False, False)
        await pool.aclose()


async def test_refused_connections_give_their_place_back() -> None:
    """Nobody listening is NotSent, however often it is tried."""
    async with serve(answering()) as server:
        url = server.url
    pool = Pool(Endpoint.parse(url), Limits(connections=1), None)
    for _ in range(3):
        with pytest.raises(NotSent, match="connect_refused"):
            await pool.acquire(soon(), fresh=False)
    await pool.aclose()


async def test_a_missing_unix_socket(tmp_path: Path) -> None:
    """A socket file that is not there is NotSent."""
    pool = Pool(Endpoint.parse(f"unix://{tmp_path}/none.sock"), Limits(), None)
    with pytest.raises(NotSent, match="connect_refused"):
        await pool.acquire(soon(), fresh=False)
    await pool.aclose()


async def test_closed_pools_give_nothing() -> None:
    """After aclose there is no connection, for those in line neither."""
    async with serve(answering(ANSWER)) as server:
        pool = Pool(Endpoint.parse(server.url), Limits(connections=1), None)
        await pool.acquire(soon(), fresh=False)
        waiting = asyncio.create_task(pool.acquire(soon(), fresh=False))
        await asyncio.sleep(0)
        await pool.aclose()
        with pytest.raises(NotSent, match="client_closed"):
            await waiting
        with pytest.raises(NotSent, match="client_closed"):
            await pool.acquire(soon(), fresh=False)


def test_tls_is_never_left_out_by_accident() -> None:
    """https without a context would speak plain text; a context without https would be ignored."""
    for url, context in (("https://a", None), ("http://a", ssl.create_default_context())):
        with pytest.raises(ValueError, match="SSLContext"):
            Pool(Endpoint.parse(url), Limits(), context)

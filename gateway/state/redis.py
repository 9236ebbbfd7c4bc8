"""State in Redis, for several hosts. Redis 6.2 or newer is best (GETDEL); older ones take a script instead.

Expiry is the server's (PX). Each operation is one command, one script or one MULTI, hence atomic on the
server. Nothing is retried: a repeated INCRBY counts twice, and a repeated GETDEL would report a token as
unknown although it was spent for us. What a replica had not received when its primary died is lost (Redis
replicates asynchronously), and an eviction policy other than ``noeviction`` may forget counters: both are
for the operator to rule out.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Any, cast

from redis.asyncio import Redis
from redis.asyncio.connection import ConnectionPool
from redis.exceptions import RedisError, ResponseError

from gateway.errors import StoreUnavailable
from gateway.state.store import (
    COUNTER_MAX,
    COUNTER_MIN,
    Space,
    checked_limit,
    checked_value,
    key_bytes,
    key_text,
    ttl_ms,
)

PREFIX = b"countersign:"
MAX_CONNECTIONS = 32
"""Per process. More do not make one Redis faster, and its default limit of 10,000 is shared by all
gateways."""
OPERATION_DEADLINE_S = 5.0
"""Longest wait for one operation: for a connection, for the server, for the answer."""
SCAN_COUNT = 1000
"""Keys looked at per SCAN step and values read per round trip."""

_SWAP = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[3] == '' then redis.call('SET', KEYS[1], ARGV[2])
else redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
return 1
"""
_TAKE = """
local value = redis.call('GET', KEYS[1])
if value then redis.call('DEL', KEYS[1]) end
return value
"""


class RedisStore:
    """A :class:`gateway.state.store.Store` over a pool of connections that it owns from now on.

    The pool must hold bytes (no ``decode_responses``), not retry, and allow ``MAX_CONNECTIONS``:
    ``open_store`` makes such a one. Connections are made when needed, so a Redis that is down shows in the
    first operation.
    """

    def __init__(self, pool: ConnectionPool, *, deadline_s: float = OPERATION_DEADLINE_S) -> None:
        self._redis = Redis.from_pool(pool)
        self._deadline_s = deadline_s
        # Fair (first come, first served), which redis-py's own BlockingConnectionPool is not.
        self._free = asyncio.Semaphore(MAX_CONNECTIONS)
        self._swap = self._redis.register_script(_SWAP)
        self._take = self._redis.register_script(_TAKE)
        self._has_getdel = True
        self._closed = False

    async def put(
        self, space: Space, key: str, value: bytes, *, ttl_s: float | None, durable: bool = True
    ) -> None:
        """See ``Store.put``."""
        del durable  # how much of a power cut the server survives is its own setting
        name, checked, ttl = _name(space, key), checked_value(value), _ttl(ttl_s)
        async with self._answering():
            await self._redis.set(name, checked, px=ttl)

    async def add(self, space: Space, key: str, value: bytes, *, ttl_s: float | None) -> bool:
        """See ``Store.add``."""
        name, checked, ttl = _name(space, key), checked_value(value), _ttl(ttl_s)
        async with self._answering():
            return bool(await self._redis.set(name, checked, px=ttl, nx=True))

    async def get(self, space: Space, key: str) -> bytes | None:
        """See ``Store.get``."""
        name = _name(space, key)
        async with self._answering():
            return cast("bytes | None", await self._redis.get(name))

    async def take(self, space: Space, key: str, *, durable: bool = True) -> bytes | None:
        """See ``Store.take``. Conflict C10: GETDEL, or the same as a script where the server lacks it."""
        del durable
        name = _name(space, key)
        async with self._answering():
            if self._has_getdel:
                try:
                    return cast("bytes | None", await self._redis.getdel(name))
                except ResponseError as error:
                    if "unknown command" not in str(error).lower():
                        raise
                    self._has_getdel = False
            return cast("bytes | None", await self._take(keys=[name]))

    async def swap(
        self,
        space: Space,
        key: str,
        *,
        expected: bytes,
        value: bytes,
        ttl_s: float | None,
        durable: bool = True,
    ) -> bool:
        """See ``Store.swap``."""
        del durable
        name, checked, ttl = _name(space, key), checked_value(value), _ttl(ttl_s)
        async with self._answering():
            return bool(await self._swap(keys=[name], args=[expected, checked, "" if ttl is None else ttl]))

    async def entries(self, space: Space, *, limit: int, after: str = "") -> list[tuple[str, bytes]]:
        """See ``Store.entries``. Walks every key of the database: for the console, never for a call."""
        bound, prefix = checked_limit(limit), _prefix(space)
        beyond = _name(space, after) if after else prefix
        async with self._answering():
            # SCAN may name a key twice; an entry that comes or goes meanwhile may be missed.
            found = {name async for name in self._redis.scan_iter(match=prefix + b"*", count=SCAN_COUNT)}
            names = heapq.nsmallest(bound, (name for name in found if name > beyond))
            values: list[bytes | None] = []
            for start in range(0, len(names), SCAN_COUNT):
                chunk = await self._redis.mget(names[start : start + SCAN_COUNT])
                values += cast("list[bytes | None]", chunk)
        return [
            (key_text(name[len(prefix) :]), value)
            for name, value in zip(names, values, strict=True)
            if value is not None
        ]

    async def increment(self, space: Space, key: str, by: int, *, ttl_s: float, durable: bool = True) -> int:
        """See ``Store.increment``."""
        del durable
        name, ttl = _name(space, key), ttl_ms(ttl_s)
        if not COUNTER_MIN <= by <= COUNTER_MAX:
            raise ValueError("the counter would leave 64 bits")
        async with self._answering():
            # In one MULTI; not a script, whose numbers are doubles and wrong above 2**53.
            pipeline = self._redis.pipeline(transaction=True)
            pipeline.set(name, 0, px=ttl, nx=True)
            pipeline.incrby(name, by)
            try:
                _, counted = await pipeline.execute()
            except ResponseError as error:
                if "not an integer" in str(error) or "overflow" in str(error):
                    raise ValueError("not a counter, or it would leave 64 bits") from None
                raise
            return int(counted)

    async def ping(self) -> None:
        """See ``Store.ping``."""
        async with self._answering():
            await cast("Awaitable[Any]", self._redis.ping())

    async def aclose(self) -> None:
        """See ``Store.aclose``."""
        self._closed = True
        await self._redis.aclose()

    @asynccontextmanager
    async def _answering(self) -> AsyncIterator[None]:
        if self._closed:
            raise StoreUnavailable("The state store is closed.")
        try:
            async with asyncio.timeout(self._deadline_s), self._free:
                yield
        except TimeoutError:
            raise StoreUnavailable("The state store did not answer in time.") from None
        except (RedisError, OSError) as error:
            # Only the kind of error: the driver's messages name hosts and users, and a chained traceback
            # would too.
            raise StoreUnavailable(f"The state store did not answer ({type(error).__name__}).") from None


def _prefix(space: Space) -> bytes:
    return PREFIX + space.value.encode() + b":"


def _name(space: Space, key: str) -> bytes:
    # Unambiguous: no space has a colon in its name.
    return _prefix(space) + key_bytes(key)


def _ttl(ttl_s: float | None) -> int | None:
    return None if ttl_s is None else ttl_ms(ttl_s)

"""Both stores behind one face: the contract tests open them, move their time and read the same answers."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import redis

from gateway.state.open import open_store
from gateway.state.sqlite import SqliteStore
from gateway.state.store import Store


@dataclass
class Clock:
    """Unix seconds that move only when told."""

    seconds: float = 1_795_224_000.0

    def __call__(self) -> float:
        return self.seconds


@dataclass
class Stores:
    """`open` gives a further, independent store over the same state; `advance` moves its time by seconds."""

    name: str
    open: Callable[[], Store]
    advance: Callable[[float], None]
    opened: list[Store] = field(default_factory=list)

    def another(self) -> Store:
        """A store that `aclose` will close."""
        store = self.open()
        self.opened.append(store)
        return store

    async def aclose(self) -> None:
        """Close every store that `another` gave."""
        for store in self.opened:
            await store.aclose()


def sqlite_stores(path: Path) -> Stores:
    """Stores over one SQLite file, with a clock in the test's hand."""
    clock = Clock()

    def advance(seconds: float) -> None:
        clock.seconds += seconds

    return Stores("sqlite", lambda: SqliteStore(path, now=clock), advance)


def redis_stores(url: str) -> Stores:
    """Stores over one Redis. Its clock cannot be moved, so every key's expiry is moved the other way."""

    def advance(seconds: float) -> None:
        with client(url) as raw:
            for key in list(raw.scan_iter()):
                until = raw.pexpiretime(key)
                if until > 0:
                    raw.pexpireat(key, until - round(seconds * 1000))
                if raw.type(key) == b"zset":  # the ends of what is reserved
                    for member in cast("list[bytes]", raw.zrange(key, 0, -1)):
                        raw.zincrby(key, -round(seconds * 1000), member)

    return Stores("redis", lambda: open_store(url), advance)


@contextmanager
def client(url: str) -> Iterator[redis.Redis]:
    """A plain client, for looking at what a store wrote."""
    with redis.Redis.from_url(url) as raw:
        yield raw

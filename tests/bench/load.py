"""One window of load: closed-loop connections to one target, bounded by calls and by time."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import Iterator

import msgspec

from tests.bench.cpu import tree_seconds
from tests.bench.processes import HOST
from tests.bench.stats import quantile
from tests.bench.wire import Connection, ConnectionLostError, Headers, Pool, connect
from tests.bench.workload import (
    FIRST_NUMBER,
    INITIALIZED_BODY,
    LEGACY_VERSION,
    Era,
    Expect,
    call_headers,
    call_request,
    complaint,
    initialize_body,
    state_in,
)

# The slowest peers measured take 2 s per call at c=16.
CALL_DEADLINE_S = 10.0
# Per connection and window, before anything is counted: connections and pools are opened here.
WARM_UP_CALLS = 3
# A target that only fails is not worth the rest of its window.
MAX_ERRORS = 50
# Work that a process puts off until after its answer (an audit flush) still belongs to the window.
SETTLE_S = 0.05


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """What load is driven against. `proxy` and `engine` are the pids whose trees are charged, None = not
    charged.
    """

    port: int
    path: str = "/mcp"
    headers: tuple[tuple[str, str], ...] = ()
    proxy: int | None = None
    engine: int | None = None
    expect: Expect = Expect.RESULT

    def extra_headers(self) -> Headers:
        """The target's own headers, encoded."""
        return [(name.lower().encode(), value.encode()) for name, value in self.headers]


class Bounds(msgspec.Struct, frozen=True):
    """A window ends at whichever comes first: so many calls, or so many seconds (then open calls are
    finished).
    """

    calls: int
    seconds: float


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """What one leg did in one round. `calls` were answered well; CPU figures are microseconds per such."""

    leg: str
    number: int
    concurrency: int
    calls: int
    errors: dict[str, int]
    rps: float
    p50_ms: float | None
    p99_ms: float | None
    cpu_us: float | None
    engine_us: float | None

    @property
    def clean(self) -> bool:
        """Whether its figures count: every call was answered well."""
        return self.calls > 0 and not self.errors


async def open_session(target: Target, era: Era) -> Headers:
    """What a call needs besides its own headers; for the legacy era, after its handshake, the session id.

    Raises ConnectionError when the handshake is not answered as it should be.
    """
    extra = target.extra_headers()
    if era is Era.MODERN:
        return extra
    pool, path = Pool(HOST, target.port), target.path.encode()
    async with asyncio.timeout(CALL_DEADLINE_S):
        # No version header on `initialize`: it is what negotiates the version.
        headers = [header for header in call_headers(era, extra) if header[0] != b"mcp-protocol-version"]
        answer = await pool.request(b"POST", path, headers, initialize_body())
        if answer.status != 200 or LEGACY_VERSION.encode() not in answer.body:
            raise ConnectionError(f"initialize: http {answer.status} {answer.body[:200]!r}")
        if session := answer.header(b"mcp-session-id"):
            extra = [*extra, (b"mcp-session-id", session)]
        answer = await pool.request(b"POST", path, call_headers(era, extra), INITIALIZED_BODY)
        if answer.status != 202:
            raise ConnectionError(f"notifications/initialized: http {answer.status}")
    pool.close()
    return extra


class _Caller:
    """The workers of one window and what they have seen."""

    def __init__(self, target: Target, era: Era, extra: Headers) -> None:
        self._target = target
        self._era = era
        self._extra = extra
        self._host = f"{HOST}:{target.port}".encode()
        self._path = target.path.encode()
        self.errors: Counter[str] = Counter()
        self.latencies: list[float] = []

    async def work(
        self, connection: Connection, numbers: Iterator[int], *, until: float, most_errors: int
    ) -> Connection:
        """Call after call on one connection; the connection that is open at the end."""
        for number in numbers:
            start = time.perf_counter()
            if start >= until or self.errors.total() >= most_errors:
                break
            wrong = await self._call(connection, number)
            if wrong is None:
                self.latencies.append(time.perf_counter() - start)
            else:
                self.errors[wrong] += 1
            if not connection.reusable:
                try:
                    connection = await connect(HOST, self._target.port)
                except OSError:
                    self.errors["connection refused"] += 1
                    break
        return connection

    async def work_all(
        self, connections: list[Connection], numbers: Iterator[int], *, until: float, most_errors: int
    ) -> list[Connection]:
        """`work` on all connections at once; no call begins after `until` or after `most_errors` errors."""
        workers = (self.work(each, numbers, until=until, most_errors=most_errors) for each in connections)
        return list(await asyncio.gather(*workers))

    def _request(self, number: int, state: str | None = None) -> bytes:
        return call_request(
            self._era, number, host=self._host, path=self._path, extra=self._extra, state=state
        )

    async def _call(self, connection: Connection, number: int) -> str | None:
        # call_later is half the price of asyncio.timeout, which matters at 20 us a call.
        deadline = asyncio.get_running_loop().call_later(CALL_DEADLINE_S, connection.close)
        try:
            answer = await connection.exchange(self._request(number))
            if self._target.expect is Expect.HANDSHAKE:
                state = state_in(answer)
                if state is None:
                    return complaint(answer, number) or "answered where a handshake was due"
                answer = await connection.exchange(self._request(number, state))
            return complaint(answer, number, self._target.expect)
        except ConnectionLostError as lost:
            return "no answer in time" if deadline.when() <= asyncio.get_running_loop().time() else str(lost)
        finally:
            deadline.cancel()


async def drive(
    leg: str, target: Target, era: Era, extra: Headers, *, number: int, concurrency: int, bounds: Bounds
) -> Window:
    """One window: open `concurrency` connections, warm up, load, settle. Never raises for bad answers.

    A target that fails already while it is warmed up gets no load: its window holds the errors and no figures.
    """
    caller = _Caller(target, era, extra)
    warm_up = WARM_UP_CALLS * concurrency
    try:
        connections = [await connect(HOST, target.port) for _ in range(concurrency)]
    except OSError:
        caller.errors["connection refused"] += concurrency
        return _window(leg, number, concurrency, caller, 0.0, None, None)
    numbers = iter(range(FIRST_NUMBER, FIRST_NUMBER + warm_up))
    connections = await caller.work_all(connections, numbers, until=float("inf"), most_errors=1)
    caller.latencies.clear()
    if caller.errors:
        for connection in connections:
            connection.close()
        return _window(leg, number, concurrency, caller, 0.0, None, None)

    before = _charged(target)
    start = time.perf_counter()
    numbers = iter(itertools.islice(itertools.count(FIRST_NUMBER + warm_up), bounds.calls))
    until = start + bounds.seconds
    connections = await caller.work_all(connections, numbers, until=until, most_errors=MAX_ERRORS)
    wall = time.perf_counter() - start
    await asyncio.sleep(SETTLE_S)
    after = _charged(target)
    for connection in connections:
        connection.close()
    used = [None if a is None or b is None else a - b for a, b in zip(after, before, strict=True)]
    return _window(leg, number, concurrency, caller, wall, used[0], used[1])


def _charged(target: Target) -> tuple[float | None, float | None]:
    proxy = None if target.proxy is None else tree_seconds(target.proxy)
    return proxy, None if target.engine is None else tree_seconds(target.engine)


def _window(
    leg: str,
    number: int,
    concurrency: int,
    caller: _Caller,
    wall: float,
    proxy: float | None,
    engine: float | None,
) -> Window:
    calls = len(caller.latencies)
    return Window(
        leg=leg,
        number=number,
        concurrency=concurrency,
        calls=calls,
        errors=dict(caller.errors),
        rps=calls / wall if wall else 0.0,
        p50_ms=quantile(caller.latencies, 0.5) * 1e3 if calls else None,
        p99_ms=quantile(caller.latencies, 0.99) * 1e3 if calls else None,
        cpu_us=proxy / calls * 1e6 if proxy is not None and calls else None,
        engine_us=engine / calls * 1e6 if engine is not None and calls else None,
    )

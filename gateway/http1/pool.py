"""A few kept-alive connections to one endpoint, last used first; whoever finds none waits in line."""

import asyncio
import ssl
from collections import deque

from gateway.http1.connection import Connection
from gateway.http1.endpoint import Endpoint
from gateway.http1.errors import NotSent, NotSentTimeout
from gateway.http1.message import Limits


class Pool:
    """Connections of one event loop. A place, one of `limits.connections`, is held, passed on or given up."""

    def __init__(self, endpoint: Endpoint, limits: Limits, context: ssl.SSLContext | None) -> None:
        if (endpoint.scheme == "https") != (context is not None):
            raise ValueError("https needs an SSLContext, and nothing else takes one")
        self._endpoint = endpoint
        self._limits = limits
        self._context = context
        self._idle: list[Connection] = []
        self._all: set[Connection] = set()
        self._places = limits.connections
        self._line: deque[asyncio.Future[Connection | None]] = deque()
        self._closed = False

    async def acquire(self, deadline: float, *, fresh: bool) -> tuple[Connection, bool]:
        """A connection ready for a request, and whether it served one before.

        `fresh` asks for a new one. Raises NotSent or NotSentTimeout: by then nothing was sent.
        """
        if self._closed:
            raise NotSent("client_closed")
        connection = self._pop_idle()
        if connection is None:
            try:
                async with asyncio.timeout_at(deadline):
                    connection = await self._wait_for_place()
            except TimeoutError:
                raise NotSentTimeout("no_free_connection") from None
        if connection is not None and not fresh:
            return connection, True
        if connection is not None:
            connection.abort()
        return await self._connect(deadline), False

    def release(self, connection: Connection) -> None:
        """Give back a connection after its exchange; an unfit one is closed and its place passed on."""
        if not connection.finish() or self._closed:
            connection.abort()
            self._pass_on(None)
        else:
            self._pass_on(connection)

    async def aclose(self) -> None:
        """Abort every connection and wait until their sockets are gone; callers in line get NotSent."""
        self._closed = True
        self._idle.clear()
        for waiter in self._line:
            if not waiter.done():
                waiter.set_exception(NotSent("client_closed"))
        connections = list(self._all)
        for connection in connections:
            connection.abort()
        for connection in connections:
            await connection.lost

    def _pop_idle(self) -> Connection | None:
        now = asyncio.get_running_loop().time()
        while self._idle:
            connection = self._idle.pop()
            if connection.usable and now - connection.idle_since < self._limits.idle_s:
                return connection
            connection.abort()
            self._places += 1
        return None

    async def _wait_for_place(self) -> Connection | None:
        if self._places > 0 and not self._line:
            self._places -= 1
            return None
        waiter: asyncio.Future[Connection | None] = asyncio.get_running_loop().create_future()
        self._line.append(waiter)
        try:
            return await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                self._pass_on(waiter.result())  # given in the moment of the cancellation: not lost
            raise

    def _pass_on(self, connection: Connection | None) -> None:
        """Give a connection (or, with None, the right to open one) to the next in line, else keep it."""
        while self._line:
            waiter = self._line.popleft()
            if not waiter.done():
                waiter.set_result(connection)
                return
        if connection is None:
            self._places += 1
        else:
            self._idle.append(connection)

    async def _connect(self, deadline: float) -> Connection:
        """Open a connection in a place already held; the place is given up if that fails."""
        loop, endpoint = asyncio.get_running_loop(), self._endpoint
        connection: Connection | None = None
        try:
            connection = Connection(self._limits, self._on_lost)
            factory = connection
            async with asyncio.timeout_at(deadline):
                if endpoint.scheme == "unix":
                    await loop.create_unix_connection(lambda: factory, endpoint.path)
                else:
                    await loop.create_connection(
                        lambda: factory,
                        endpoint.host,
                        endpoint.port,
                        ssl=self._context,
                        server_hostname=endpoint.host if self._context else None,
                    )
        except TimeoutError:
            self._pass_on(None)
            raise NotSentTimeout("connect_timeout") from None
        except ssl.SSLError as error:
            self._pass_on(None)
            raise NotSent("tls_refused") from error
        except OSError as error:
            self._pass_on(None)
            raise NotSent("connect_refused") from error
        except BaseException:
            self._pass_on(None)
            raise
        self._all.add(connection)
        if self._closed:  # closed while connecting
            connection.abort()
            raise NotSent("client_closed")
        return connection

    def _on_lost(self, connection: Connection) -> None:
        self._all.discard(connection)
        if connection in self._idle:  # the server hung up between two requests
            self._idle.remove(connection)
            self._places += 1

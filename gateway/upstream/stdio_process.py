"""One child process that speaks MCP on its pipes: started, listened to, and ended with all that it started.

No shell: the command is a list. Nothing of the gateway's environment but an allow-list and what was configured.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress

import msgspec

from gateway.upstream.line import Unsent
from gateway.upstream.stdio_lines import Allowance, LineReader, shown

INHERITED = frozenset(
    {"PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "TERM"}
)
"""Variables of the gateway's own environment that a server is given. Not ours to give: everything else, above all
``COUNTERSIGN_*`` and ``PAYPAL_*``."""
MAX_UNSENT_BYTES = 8 * 1024 * 1024
"""Bytes that wait for a server that does not read. Beyond that nothing more is put to it."""
GRACE_S = 2.0
"""Seconds between closing its input, SIGTERM and SIGKILL (2025-11-25/basic/lifecycle, shutdown over stdio)."""
MAX_LOG_LINE_BYTES = 2_048
LOG_BURST, LOG_PER_S = 100, 10.0
"""Lines of its stderr that reach the log at once, and in the long run."""
_CHUNK = 64 * 1024
_LOG = logging.getLogger("countersign.upstream.stdio")


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """What is started. ``environment`` is all that the child gets; ``secrets`` are values that no log may show."""

    argv: tuple[str, ...]
    environment: Mapping[str, str] = {}
    folder: str | None = None
    secrets: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """The program alone: arguments and environment may hold a secret."""
        return f"Command({self.argv[0]!r})"


def child_environment(ours: Mapping[str, str], configured: Mapping[str, str]) -> dict[str, str]:
    """The child's whole environment."""
    return {**{name: value for name, value in ours.items() if name in INHERITED}, **configured}


class Process:
    """A running child. ``heard`` gets each line of its output, in order; ``ended`` is called once when it is over."""

    def __init__(
        self,
        name: str,
        child: asyncio.subprocess.Process,
        command: Command,
        *,
        heard: Callable[[bytes], None],
        ended: Callable[[], None],
        grace_s: float,
    ) -> None:
        self.pid = child.pid
        self._name = name
        self._child = child
        self._command = command
        self._heard = heard
        self._ended = ended
        self._grace_s = grace_s
        self._over = False
        self._tasks = [asyncio.create_task(one) for one in (self._read(), self._log(), self._watch())]
        self._closing: asyncio.Task[None] | None = None

    @classmethod
    async def start(
        cls,
        name: str,
        command: Command,
        *,
        heard: Callable[[bytes], None],
        ended: Callable[[], None],
        grace_s: float = GRACE_S,
    ) -> Process:
        """:raises Unsent: it cannot be started."""
        try:
            child = await asyncio.create_subprocess_exec(
                *command.argv,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                cwd=command.folder,
                env=dict(command.environment),
                start_new_session=True,  # a process group of its own: whatever it starts ends with it
            )
        except (OSError, ValueError) as problem:
            raise Unsent("cannot be started") from problem
        _LOG.info("%s: started, pid %d", name, child.pid)
        return cls(name, child, command, heard=heard, ended=ended, grace_s=grace_s)

    @property
    def alive(self) -> bool:
        """Whether it may still answer."""
        return not self._over and self._closing is None and self._child.returncode is None

    def send(self, message: bytes) -> None:
        """One message, as a line. :raises Unsent: it is over, or does not read."""
        pipe = self._child.stdin
        if not self.alive or pipe is None or pipe.transport.is_closing():
            raise Unsent("is not running")
        if pipe.transport.get_write_buffer_size() + len(message) > MAX_UNSENT_BYTES:
            raise Unsent("does not read what it is sent", code="upstream.busy")
        pipe.write(message + b"\n")

    async def aclose(self) -> None:
        """End it and its group, and wait until it is gone. Idempotent."""
        if self._closing is None:
            self._closing = asyncio.create_task(self._close())
        await asyncio.shield(self._closing)

    async def _close(self) -> None:
        if self._child.stdin is not None:
            self._child.stdin.close()
        for number in (None, signal.SIGTERM, signal.SIGKILL):
            if number is not None:
                self._signal(number)
            with suppress(TimeoutError):
                async with asyncio.timeout(self._grace_s):
                    await self._gone(poll_s=0.02)
                    break
        # Whatever it started and left behind: the group outlives its leader.
        self._signal(signal.SIGKILL)
        # One that left the group, too, can still hold the pipes open: it is not waited for.
        _, left = await asyncio.wait(self._tasks, timeout=self._grace_s)
        for task in left:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        _LOG.info("%s: ended, pid %d, status %s", self._name, self.pid, self._child.returncode)

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)

    async def _read(self) -> None:
        """Its output, to the end. What comes after the end is nobody's."""
        pipe = self._child.stdout
        reader = LineReader()
        try:
            while pipe is not None and (chunk := await pipe.read(_CHUNK)):
                skipped = reader.skipped
                for line in reader.feed(chunk):
                    self._heard(line)
                if reader.skipped != skipped:
                    _LOG.warning("%s: a line that is too long for a message was skipped", self._name)
                await asyncio.sleep(
                    0
                )  # a server that writes without end must not keep everybody else from running
        finally:
            self._over = True
            self._ended()

    async def _watch(self) -> None:
        """A child that is gone is over, even if something it started still holds its output."""
        await self._gone(poll_s=0.2)
        if self._closing is None:
            self._closing = asyncio.create_task(self._close())

    async def _gone(self, *, poll_s: float) -> None:
        """Looked at again and again: ``wait()`` waits for the pipes, too, which a child's child may hold open."""
        while self._child.returncode is None:  # noqa: ASYNC110 - there is nothing to be told by
            await asyncio.sleep(poll_s)

    async def _log(self) -> None:
        pipe = self._child.stderr
        reader = LineReader(limit=MAX_LOG_LINE_BYTES, cut=True)
        allowance = Allowance(burst=LOG_BURST, per_s=LOG_PER_S)
        clock = asyncio.get_running_loop().time
        while pipe is not None and (chunk := await pipe.read(_CHUNK)):
            for line in reader.feed(chunk):
                if allowance.take(clock()):
                    _LOG.info("%s: stderr: %s", self._name, shown(line, self._command.secrets))
        if allowance.dropped:
            _LOG.warning("%s: %d lines of stderr were left out of the log", self._name, allowance.dropped)

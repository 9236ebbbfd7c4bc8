"""Puts live questions to the candidate as well, in a thread of its own: behind the call's back.

A call hands over two values that exist already and goes on. The candidate is asked one question at a time, so that it
takes one core at most, with a deadline of its own; what it answers is compared and counted, and reaches nothing that
decides. Under a flood, or while the candidate hangs, questions are left out and counted.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

from gateway.errors import PolicyUnavailable
from gateway.policy.engine import Engine, Entrypoint, Evaluation
from gateway.shadow.comparing import Comparison, compare, unanswered
from gateway.shadow.report import write_report
from gateway.shadow.tally import Tally

MAX_WAITING = 1_024
MAX_WAITING_BYTES = 16 * 1024 * 1024
"""Together what waits for the candidate: a caller may make a question of half a megabyte."""
WRITE_EVERY_S = 1.0
CLOSING_S = 1.0
"""For how long what waits is still put to the candidate when the gateway ends; and for how long the thread's own end is
waited for, which no candidate may put off."""
_LOG = logging.getLogger("countersign.shadow")


class Shadow:
    """A recorder of questions (``gateway.policy.policy.Recorder``).

    Of ``sample`` questions one is put to the candidate, by chance (``drawn``: 0 to 1): every second one would be the
    first phase of every call and never the second. ``revision``: the candidate's, where it is known before it answers.
    The candidate is closed with the shadow.
    """

    def __init__(
        self,
        candidate: Engine,
        tally: Tally,
        report: Path,
        *,
        revision: str = "",
        sample: int = 1,
        drawn: Callable[[], float] = random.random,
    ) -> None:
        self._candidate = candidate
        self._revision = revision
        self._tally = tally
        self._report = report
        self._share = 1.0 / sample
        self._drawn = drawn
        self._waiting: deque[tuple[bytes, Evaluation]] = deque()
        self._there = threading.Event()
        self._closed = self._failed = False
        # Each is written by one thread alone: the first three by the calls, the others by the shadow.
        self.lost = 0
        self._in = self._bytes_in = 0
        self._out = self._bytes_out = self._cut = 0
        self._done = threading.Condition()
        self._task: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name="countersign-shadow", daemon=True)
        self._thread.start()

    @property
    def held(self) -> bool:
        """Whether the candidate must not be taken live."""
        return self._tally.held is not None

    def record(self, document: bytes, evaluation: Evaluation) -> None:
        """Put this question to the candidate, later. Returns at once; never raises."""
        if self._share < 1.0 and self._drawn() >= self._share:
            return
        if (
            self._closed
            or self._in - self._out >= MAX_WAITING
            or self._bytes_in - self._bytes_out + len(document) > MAX_WAITING_BYTES
        ):
            self.lost += 1
            return
        self._in += 1
        self._bytes_in += len(document)
        self._waiting.append((document, evaluation))
        self._there.set()

    def caught_up(self, timeout_s: float) -> bool:
        """Wait until all that was handed over so far is judged; whether it is."""
        handed = self._in
        with self._done:
            return self._done.wait_for(lambda: self._out >= handed, timeout_s)

    async def aclose(self) -> None:
        """End: a second for what waits, then nothing is waited for. The report is written."""
        if not self._closed:
            await asyncio.to_thread(self._close)

    def _close(self) -> None:
        self.caught_up(CLOSING_S)
        self._closed = True
        self._there.set()
        loop, task = self._loop, self._task
        if loop is not None and task is not None:
            with contextlib.suppress(RuntimeError):  # it ended meanwhile
                loop.call_soon_threadsafe(task.cancel)
        self._thread.join(CLOSING_S)

    def _run(self) -> None:
        with asyncio.Runner() as runner:
            self._loop = runner.get_loop()
            written, dirty = 0.0, False
            while not self._closed:
                self._there.wait(WRITE_EVERY_S if dirty else None)
                self._there.clear()
                if self._waiting:
                    runner.run(self._judge_waiting())
                    dirty = True
                if dirty and time.monotonic() - written >= WRITE_EVERY_S:
                    self._write()
                    written, dirty = time.monotonic(), False
            if dirty:
                self._write()
            runner.run(self._candidate.aclose())
            self._loop = None

    async def _judge_waiting(self) -> None:
        """All that waits, for a second at most: then the report is due."""
        self._task = asyncio.current_task()
        until = time.monotonic() + WRITE_EVERY_S
        try:
            while self._waiting and not self._closed and time.monotonic() < until:
                document, live = self._waiting.popleft()
                try:
                    await self._judge(document, live)
                finally:
                    with self._done:
                        self._out += 1
                        self._bytes_out += len(document)
                        self._done.notify_all()
        except asyncio.CancelledError:
            self._cut += 1  # the gateway ends; a candidate that hangs is not waited for
            return
        finally:
            self._task = None
        if self._waiting:
            self._there.set()

    async def _judge(self, document: bytes, live: Evaluation) -> None:
        try:
            found = await self._compared(document, live)
            held = self._tally.add(document, found)
        except (ValueError, RecursionError):
            return  # no question that can be taken apart: it is not of this gateway
        if held is not None:
            _LOG.warning(
                "candidate HELD: revision %s answered %d of the last %d questions differently",
                held.candidate[:12],
                held.diverged,
                held.asked,
            )

    async def _compared(self, document: bytes, live: Evaluation) -> Comparison:
        try:
            evaluation = await self._candidate.evaluate(Entrypoint.DECISION, document)
        except PolicyUnavailable as problem:
            self._tally.begin(live.revision, self._revision, "")
            return unanswered(live, problem.code)
        except Exception:  # noqa: BLE001
            # Whatever a candidate brings about must not end the thread: the shadow would look alive and see nothing.
            if not self._failed:
                self._failed = True  # said once: it may fail on every question
                _LOG.exception("the candidate failed")
            self._tally.begin(live.revision, self._revision, "")
            return unanswered(live, "policy.failed")
        self._revision = evaluation.revision
        self._tally.begin(live.revision, evaluation.revision, evaluation.engine)
        return compare(live, evaluation)

    def _write(self) -> None:
        left = self._cut + len(self._waiting) if self._closed else 0
        try:
            write_report(self._report, self._tally.report(self.lost + left))
        except OSError as problem:
            _LOG.warning("the shadow's report cannot be written: %s", problem.strerror)

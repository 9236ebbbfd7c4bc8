"""The event stream that answers one request: what is said and asked before the answer, and the answer at its end.

Memory is that of one event. A host that is slow holds the server back: nothing is queued.
"""

from __future__ import annotations

import asyncio

from gateway.door.host import Host
from gateway.http1.client import ResponseStream
from gateway.upstream.delivery import Delivery
from gateway.upstream.frames import read_frame
from gateway.upstream.http_wire import Patience
from gateway.upstream.questions import Questions
from gateway.upstream.sse import EventReader


class Answering:
    """Reads until the request ``rpc_id`` is answered and its stream has ended; a stream that is resumed is read by the
    same one. ``questions`` is None where the era has no requests of servers: then they are not even refused, for a
    modern client sends no responses (2026-07-28/basic/transports/streamable-http, sending messages)."""

    def __init__(
        self,
        rpc_id: int,
        host: Host,
        delivery: Delivery,
        questions: Questions | None,
        patience: Patience,
        *,
        deadline: float,
    ) -> None:
        self.answer: bytes | None = None
        self.resume_from: bytes | None = None
        self.retry_ms: int | None = None
        self._rpc_id = rpc_id
        self._host = host
        self._delivery = delivery
        self._questions = questions
        if questions is not None:
            questions.when_settled(self.rewind)
        self._patience = patience
        self._deadline = deadline
        self._clock: asyncio.Timeout | None = None
        self._answers = 0
        self._leave_at: float | None = None

    @property
    def answered(self) -> bool:
        """Whether there is one answer. A second one takes the first back: it said two things, and so nothing."""
        return self._answers == 1

    async def read(self, response: ResponseStream) -> None:
        """To the stream's end, or to what is left of patience.

        :raises TimeoutError: the server was silent. :raises EventTooLarge: Errors of the client pass.
        """
        reader = EventReader()
        try:
            async with asyncio.timeout_at(self._deadline) as self._clock:
                while True:
                    self.rewind()
                    part = await anext(response, None)
                    if part is None:
                        return
                    # From here to the next part it is the host that takes its time.
                    self._clock.reschedule(self._deadline)
                    for event in reader.feed(part):
                        self._noted(reader)
                        await self._take(event.data)
                    self._noted(reader)
        except TimeoutError:
            if not self.answered:
                raise
        finally:
            self._clock = None

    def rewind(self) -> None:
        """The server's turn begins now."""
        if self._clock is None or self._clock.expired():
            return
        now = asyncio.get_running_loop().time()
        if self._leave_at is not None:
            until = self._leave_at
        elif self._questions is not None and self._questions.pending:
            until = self._deadline
        else:
            until = now + self._patience.silence_s
        self._clock.reschedule(min(until, self._deadline))

    def _noted(self, reader: EventReader) -> None:
        self.resume_from = reader.last_id or self.resume_from
        self.retry_ms = reader.retry_ms if reader.retry_ms is not None else self.retry_ms

    async def _take(self, data: bytes) -> None:
        frame = read_frame(data)
        if frame is None:
            return
        if frame.answers(self._rpc_id):
            self.answer = data
            self._answers += 1
            if self._leave_at is None:
                self._leave_at = asyncio.get_running_loop().time() + self._patience.after_answer_s
        elif self.answer is not None:
            return  # after its answer a request has nothing more to say
        elif frame.is_notification:
            await self._delivery.said(frame, data, self._host, self._questions)
        elif frame.is_request and self._questions is not None:
            await self._questions.answer(frame, self._host)

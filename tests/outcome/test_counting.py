"""What is sent is counted before it leaves, and once more when it was in vain; a round is not a call."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
import pytest

from gateway.errors import StoreUnavailable, UpstreamUnavailable
from gateway.outcome.consent import Consent
from gateway.outcome.counting import counted
from gateway.outcome.parked import Question
from gateway.outcome.pending import Continuation
from gateway.policy.question import Asked, ConsentFacts
from gateway.upstream.target import Effect, Reply
from tests.support.walking import an_asked, done

FIRST = Consent(transaction_id="t1")
LATER = Consent(transaction_id="t1", continuation=Continuation(facts=ConsentFacts(), request_state="s"))
RESULT = msgspec.Raw(b'{"content":[]}')


class Book:
    """Writes down what is counted."""

    def __init__(self) -> None:
        self.calls = 0
        self.failures = 0

    def sent(self, asked: Asked) -> Callable[[], None]:
        """See ``Counter``."""
        self.calls += 1
        return self._back

    def failed(self, asked: Asked) -> None:
        """See ``Counter``."""
        self.failures += 1

    def _back(self) -> None:
        self.calls -= 1


async def after(
    answer: Reply | Question | BaseException | Awaitable[Reply], consent: Consent = FIRST
) -> tuple[int, int]:
    """Calls and failures once the target has answered so; the call was counted before it left."""
    book = Book()

    async def send() -> Reply | Question:
        assert book.calls == (consent is FIRST)
        if isinstance(answer, BaseException):
            raise answer
        return answer if isinstance(answer, Reply | Question) else await answer

    if isinstance(answer, BaseException):
        with pytest.raises(type(answer)):
            await counted(book, an_asked(), consent, send)
    else:
        await counted(book, an_asked(), consent, send)
    return book.calls, book.failures


@pytest.mark.parametrize(
    ("answer", "wanted"),
    [
        (done(), (1, 0)),
        (Reply(effect=Effect.WAITING, result=RESULT), (1, 0)),
        (Question(parked="p", input_requests={}), (1, 0)),
        (Reply(effect=Effect.REFUSED, result=RESULT), (1, 1)),
        (Reply(effect=Effect.EXECUTED, result=RESULT, is_error=True), (1, 1)),
        (Reply(effect=Effect.EXECUTED, error={"code": -1, "message": "no"}), (1, 1)),
        (Reply(effect=Effect.UNKNOWN), (1, 1)),
        (asyncio.CancelledError(), (1, 1)),
        (StoreUnavailable("half-way"), (1, 1)),
        (UpstreamUnavailable("closed", code="upstream.not_sent"), (0, 0)),
    ],
    ids=[
        "done",
        "asks",
        "asks, parked",
        "refused",
        "says isError",
        "says error",
        "unknown",
        "cancelled",
        "broken",
        "not sent",
    ],
)
async def test_what_became_of_it(answer: Reply | Question | BaseException, wanted: tuple[int, int]) -> None:
    """In the first round."""
    assert await after(answer) == wanted


@pytest.mark.parametrize(
    ("answer", "failures"),
    [
        (done(), 0),
        (Reply(effect=Effect.REFUSED, result=RESULT), 1),
        (asyncio.CancelledError(), 1),
        (UpstreamUnavailable("closed", code="upstream.not_sent"), 0),
    ],
    ids=["done", "refused", "cancelled", "not sent"],
)
async def test_a_later_round_is_no_call(answer: Reply | BaseException, failures: int) -> None:
    """But the call may fail in it."""
    assert await after(answer, LATER) == (0, failures)

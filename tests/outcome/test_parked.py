"""A server of the older era asks in the middle of a call; a host of 2026-07-28 comes back with the answer."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.door.answers import more_input
from gateway.door.call import Era
from gateway.door.host import Host, HostCannot
from gateway.errors import TokenRefused, UpstreamUnavailable
from gateway.outcome.allow import MAX_STATE_CHARS, AllowOutcome
from gateway.outcome.answer import Again, Answer, Executed, MoreInput, Unknown
from gateway.outcome.elicitation import ELICITATION_KEY
from gateway.outcome.parked import MAX_PARKED, MAX_PARKED_OF_ONE, Parking, Question
from gateway.outcome.pending import CONTINUATION_TTL_S
from gateway.upstream.target import Effect, Reply
from gateway.walk import walk
from tests.support.journals import NoJournal
from tests.support.recording_host import ACCEPTED, FORMS, RecordingHost
from tests.support.until import until
from tests.support.walking import MAKE, OTHER, READ, Rooms, a_call, done, rooms

FORM = msgspec.Raw(b'{"mode":"form","message":"Who are you?"}')
NAMED = {"action": "accept", "content": {"name": "Ada"}}
ARGUMENTS = {"of": "a1"}


def modern_host(key: str | None = "token:1", capabilities: Any = FORMS) -> RecordingHost:
    """A host that is asked by ``input_required``."""
    return RecordingHost(key, capabilities, in_band=False)


@pytest.fixture
async def bank(tmp_path: Path) -> AsyncIterator[Rooms]:
    """All rooms, before a server of the older era."""
    async with rooms(tmp_path) as running:
        yield running


class Asking:
    """What the server does in a call: it asks ``count`` things at once, and answers with what it was told."""

    def __init__(self, bank: Rooms, count: int = 1) -> None:
        self.count = count
        self.cancelled = asyncio.Event()
        bank.upstream.asking = self

    async def __call__(self, host: Host) -> Reply:
        try:
            answers = await asyncio.gather(
                *(host.ask("elicitation/create", FORM) for _ in range(self.count)), return_exceptions=True
            )
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        return done({"content": [], "structuredContent": {"answers": [said(one) for one in answers]}})


def said(answer: Any) -> Any:
    """An answer as a value."""
    return answer.message if isinstance(answer, HostCannot) else msgspec.json.decode(answer)


def document(answer: Answer) -> dict[str, Any]:
    """The encoded result of an answer."""
    assert isinstance(answer, MoreInput | Executed)
    assert answer.result is not None
    read: dict[str, Any] = msgspec.json.decode(answer.result)
    return read


async def first(bank: Rooms, tool: str = READ) -> MoreInput:
    """The first round: the server asks."""
    answer = await walk(a_call(tool, ARGUMENTS), bank.house, modern_host())
    assert isinstance(answer, MoreInput)
    return answer


async def back(
    bank: Rooms, token: str, responses: dict[str, Any] | None = None, *, host: Host | None = None, **how: Any
) -> Answer:
    """The next round."""
    answers = {"ask-1": NAMED} if responses is None else responses
    call = a_call(
        how.pop("tool", READ), how.pop("arguments", ARGUMENTS), token=token, input_responses=answers, **how
    )
    return await walk(call, bank.house, host or modern_host())


async def test_the_question_goes_out_and_the_answer_comes_back_into_the_same_call(bank: Rooms) -> None:
    """One call at the server, one transaction in the record, waiting first and executed then."""
    Asking(bank)
    asked = await first(bank)
    requests = document(asked)["inputRequests"]
    assert requests == {
        "ask-1": {"method": "elicitation/create", "params": {"mode": "form", "message": "Who are you?"}}
    }
    answer = await back(bank, asked.token)
    assert document(answer)["structuredContent"] == {"answers": [NAMED]}
    assert len(bank.upstream.calls) == 1
    before, after = bank.records()
    assert [before["status"], after["status"]] == ["waiting", "executed"]
    assert before["transaction_id"] == after["transaction_id"] == bank.upstream.calls[0][2]


async def test_what_was_countersigned_is_not_asked_for_again(bank: Rooms) -> None:
    """Class 3: the handshake was used up when the call left, and this is the same call."""
    Asking(bank)
    handshake = await walk(a_call(MAKE, ARGUMENTS), bank.house, modern_host())
    assert isinstance(handshake, Again)
    assert handshake.token is not None
    asked = await back(bank, handshake.token, {}, tool=MAKE)
    assert isinstance(asked, MoreInput)
    answer = await back(bank, asked.token, tool=MAKE)
    assert isinstance(answer, Executed)
    assert [one[0] for one in bank.upstream.calls] == [MAKE]


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ({"bearer": OTHER}, "handshake.mismatch"),
        ({"arguments": {"of": "a2"}}, "handshake.mismatch"),
        ({"tool": MAKE}, "handshake.mismatch"),
    ],
    ids=["a foreign caller", "other arguments", "another tool"],
)
async def test_a_stolen_continuation_is_refused_and_burnt(
    bank: Rooms, how: dict[str, Any], code: str
) -> None:
    """Nothing reaches the server: neither a second call nor an answer to its question; nor does the next try."""
    asking = Asking(bank)
    asked = await first(bank)
    with pytest.raises(TokenRefused) as refused:
        await back(bank, asked.token, **how)
    assert refused.value.code == code
    with pytest.raises(TokenRefused) as burnt:
        await back(bank, asked.token)
    assert burnt.value.code == "handshake.token_unknown"
    assert len(bank.upstream.calls) == 1
    await bank.parking.aclose()
    assert asking.cancelled.is_set()


async def test_a_replayed_answer_is_refused(bank: Rooms) -> None:
    """The token of a round is good for one."""
    Asking(bank)
    asked = await first(bank)
    await back(bank, asked.token)
    with pytest.raises(TokenRefused) as refused:
        await back(bank, asked.token)
    assert refused.value.code == "handshake.token_unknown"
    assert len(bank.upstream.calls) == 1


async def test_of_many_who_bring_the_same_answer_one_is_heard(bank: Rooms) -> None:
    """At once."""
    Asking(bank)
    asked = await first(bank)
    answers = await asyncio.gather(*(back(bank, asked.token) for _ in range(8)), return_exceptions=True)
    assert sum(isinstance(one, Executed) for one in answers) == 1
    assert sum(isinstance(one, TokenRefused) for one in answers) == 7
    assert len(bank.upstream.calls) == 1


async def test_an_answer_that_comes_too_late_is_refused(bank: Rooms) -> None:
    """By the record's own end, whatever the store's clock says."""
    Asking(bank)
    asked = await first(bank)
    bank.clock.advance(CONTINUATION_TTL_S)
    with pytest.raises(TokenRefused) as refused:
        await back(bank, asked.token)
    assert refused.value.code == "handshake.token_unknown"
    assert len(bank.upstream.calls) == 1


async def test_another_process_knows_only_that_the_outcome_is_unknown(bank: Rooms) -> None:
    """The call is held where it was made; here its target is not contacted, and nothing is called failed."""
    Asking(bank)
    asked = await first(bank)
    beside = AllowOutcome(
        bank.house.upstreams,
        bank.waiting,
        journal=NoJournal(),
        parking=Parking(),
        lapses=bank.house.books,
        usage=bank.usage,
        now=bank.clock,
    )
    call = a_call(READ, ARGUMENTS, token=asked.token, input_responses={"ask-1": NAMED})
    answer = await walk(call, dataclasses.replace(bank.house, allow=beside), modern_host())
    assert isinstance(answer, Unknown)
    assert len(bank.upstream.calls) == 1
    assert bank.records()[-1]["status"] == "unknown"


async def test_a_call_that_nobody_comes_back_to_is_cancelled_and_recorded(bank: Rooms) -> None:
    """At the server, and as unknown: it had begun."""
    asking = Asking(bank)
    await first(bank)
    await bank.parking.aclose()
    assert asking.cancelled.is_set()
    (record,) = bank.records("upstream")
    assert (record["status"], record["error"], record["tool"]) == ("unknown", "upstream.lapsed", READ)
    assert record["transaction_id"] == bank.upstream.calls[0][2]


async def test_a_host_that_leaves_while_the_server_works_cancels_the_call(bank: Rooms) -> None:
    """No token went out for this round, so nobody could ever come back."""
    begun, cancelled = asyncio.Event(), asyncio.Event()

    async def works(host: Host) -> Reply:
        await host.ask("elicitation/create", FORM)
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
        return done()

    bank.upstream.asking = works
    more = await first(bank)
    second = asyncio.create_task(back(bank, more.token))
    await begun.wait()
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    assert cancelled.is_set()
    assert (bank.records()[-1]["status"], bank.records()[-1]["error"]) == ("unknown", "cancelled")


@pytest.mark.parametrize(
    "responses", [{}, {"ask-2": NAMED}, {"ask-1": "yes"}, {"ask-1": None}, {"ask-1": []}]
)
async def test_what_was_not_answered_is_asked_again(bank: Rooms, responses: dict[str, Any]) -> None:
    """With a token of its own; the server waits on."""
    Asking(bank)
    asked = await first(bank)
    again = await back(bank, asked.token, responses)
    assert isinstance(again, MoreInput)
    assert document(again) == document(asked)
    assert again.token != asked.token
    assert document(await back(bank, again.token))["structuredContent"] == {"answers": [NAMED]}


async def test_of_two_questions_the_unanswered_one_is_asked_again(bank: Rooms) -> None:
    """And only that one."""
    Asking(bank, 2)
    asked = await first(bank)
    assert set(document(asked)["inputRequests"]) == {"ask-1", "ask-2"}
    again = await back(bank, asked.token, {"ask-2": {"action": "decline"}})
    assert set(document(again)["inputRequests"]) == {"ask-1"}
    assert isinstance(again, MoreInput)
    answer = await back(bank, again.token)
    assert document(answer)["structuredContent"] == {"answers": [NAMED, {"action": "decline"}]}
    assert len(bank.upstream.calls) == 1


async def test_a_target_that_breaks_while_it_waits_is_unknown(bank: Rooms) -> None:
    """It had begun: whatever it raises now, nobody may say that nothing happened."""

    async def breaks(host: Host) -> Reply:
        await host.ask("elicitation/create", FORM)
        raise RuntimeError("a defect")

    bank.upstream.asking = breaks
    asked = await first(bank)
    assert isinstance(await back(bank, asked.token), Unknown)


async def test_a_store_that_died_meanwhile_makes_it_unknown(bank: Rooms) -> None:
    """The target has begun, and nobody will be able to come back to it."""

    async def asks(host: Host) -> Reply:
        await bank.store.aclose()
        await host.ask("elicitation/create", FORM)
        return done()

    bank.upstream.asking = asks
    answer = await walk(a_call(READ, ARGUMENTS), bank.house, modern_host())
    assert isinstance(answer, Unknown)
    assert bank.records()[-1]["status"] == "unknown"


async def test_what_a_round_does_not_declare_is_not_asked_of_it(bank: Rooms) -> None:
    """The server sees what THIS request declares, not what an earlier one did."""
    seen: list[dict[str, Any]] = []

    async def asks(host: Host) -> Reply:
        seen.append(dict(host.capabilities))
        await host.ask("elicitation/create", FORM)
        seen.append(dict(host.capabilities))
        return done()

    bank.upstream.asking = asks
    asked = await first(bank)
    await back(bank, asked.token, host=modern_host(capabilities={}))
    assert seen == [dict(FORMS), {}]


# -- a server that asks by input_required itself ----------------------------------------------------------------------


def asks_itself(bank: Rooms, state: Any = "state-of-the-target") -> None:
    """A server of 2026-07-28 whose first answer is a question."""
    result = {"resultType": "input_required", "inputRequests": {"who": {"method": "elicitation/create"}}}
    if state is not None:
        result["requestState"] = state
    bank.upstream.era = Era.MODERN
    bank.upstream.reply = Reply(
        effect=Effect.WAITING, result=msgspec.Raw(msgspec.json.encode(result)), result_type="input_required"
    )


async def test_the_targets_own_state_stays_here_and_comes_back_exactly(bank: Rooms) -> None:
    """The host sees ours; the target gets its own, and the answers under its own keys less those meant for us."""
    state = 'st\u00e4te \u0001"\\/ \U0001f600' * 100
    asks_itself(bank, state)
    asked = await first(bank)
    shown = more_input(asked.result, asked.token, version="1")
    assert shown["requestState"] == asked.token
    assert state not in str(msgspec.json.decode(msgspec.json.encode(shown)))
    bank.upstream.reply = done()
    await back(bank, asked.token, {"who": NAMED, ELICITATION_KEY: ACCEPTED})
    resumed = bank.upstream.resumed[-1]
    assert resumed is not None
    assert resumed.request_state == state
    assert resumed.input_responses is not None
    assert msgspec.json.decode(resumed.input_responses) == {"who": NAMED}
    assert {one[2] for one in bank.upstream.calls} == {bank.records()[0]["transaction_id"]}


@pytest.mark.parametrize("how", [{"bearer": OTHER}, {"arguments": {"of": "a2"}}])
async def test_a_stolen_state_does_not_reach_the_target(bank: Rooms, how: dict[str, Any]) -> None:
    """A mismatch sends nothing."""
    asks_itself(bank)
    asked = await first(bank)
    with pytest.raises(TokenRefused):
        await back(bank, asked.token, {"who": NAMED}, **how)
    assert len(bank.upstream.calls) == 1


async def test_the_targets_state_itself_is_no_token(bank: Rooms) -> None:
    """Somebody who learnt it elsewhere gets nothing for it."""
    asks_itself(bank)
    await first(bank)
    with pytest.raises(TokenRefused):
        await back(bank, "state-of-the-target", {"who": NAMED})
    assert len(bank.upstream.calls) == 1


@pytest.mark.parametrize(
    "state", ["x" * (MAX_STATE_CHARS + 1), 5, {"a": 1}], ids=["long", "number", "object"]
)
async def test_a_state_that_is_not_kept_makes_it_unknown(bank: Rooms, state: Any) -> None:
    """Too much of it, or no text: nobody could come back with it."""
    asks_itself(bank, state)
    answer = await walk(a_call(READ, ARGUMENTS), bank.house, modern_host())
    assert isinstance(answer, Unknown)
    assert bank.records()[-1]["status"] == "unknown"


async def test_answers_without_a_question_are_nothing_to_an_older_target(bank: Rooms) -> None:
    """It asked nothing in that way; the call itself is made."""
    await walk(a_call(READ, ARGUMENTS, input_responses={"who": NAMED}), bank.house, modern_host())
    assert bank.upstream.resumed == [None]


# -- what is parked, alone --------------------------------------------------------------------------------------------


class Lot:
    """A parking, and what lapsed."""

    def __init__(self, ttl_s: float = 600) -> None:
        self.parking = Parking(ttl_s=ttl_s)
        self.lapsed = 0
        self.refused = 0

    async def note(self) -> None:
        """See ``started``."""
        self.lapsed += 1

    async def asks(self, host: Host) -> Reply:
        """A call that asks one thing, and counts when it may not."""
        try:
            await host.ask("elicitation/create", FORM)
        except HostCannot:
            self.refused += 1
        return done()

    async def start(
        self, key: str = "k", make: Callable[[Host], Awaitable[Reply]] | None = None
    ) -> Reply | Question:
        """One more call."""

        async def made(host: Host) -> Reply:
            return await (make or self.asks)(host)

        return await self.parking.started(modern_host(key), made, lapsed=self.note)


async def test_one_conversation_parks_only_so_many_calls() -> None:
    """Also where all of them start at once and ask later: they are counted when they ask."""
    lot, go = Lot(), asyncio.Event()

    async def later(host: Host) -> Reply:
        await go.wait()
        return await lot.asks(host)

    starting = [asyncio.create_task(lot.start(make=later)) for _ in range(MAX_PARKED_OF_ONE + 5)]
    go.set()
    answers = await asyncio.gather(*starting)
    assert sum(isinstance(one, Question) for one in answers) == MAX_PARKED_OF_ONE
    assert lot.refused == 5
    assert isinstance(await lot.start("another"), Question)
    await lot.parking.aclose()
    assert lot.lapsed == MAX_PARKED_OF_ONE + 1
    assert isinstance(await lot.start(), Question), "their places are free again"
    await lot.parking.aclose()


async def test_a_server_that_asks_and_does_not_wait_parks_only_so_many() -> None:
    """Attack: the answers that nobody comes back for are kept, each for minutes; so they are counted, too."""
    lot = Lot()

    async def asks_and_answers(host: Host) -> Reply:
        asking = asyncio.create_task(lot.asks(host))
        go.append(asking)
        await over.wait()
        asking.cancel()
        return done()

    go: list[asyncio.Task[Reply]] = []
    over = asyncio.Event()
    parked = [await lot.start(make=asks_and_answers) for _ in range(MAX_PARKED_OF_ONE)]
    over.set()
    assert all(isinstance(one, Question) for one in parked)
    await asyncio.gather(*go, return_exceptions=True)
    await lot.start()
    assert lot.refused == 1
    first = parked[0]
    assert isinstance(first, Question)
    assert (await late(lot, first)).effect is Effect.EXECUTED
    assert isinstance(await lot.start(), Question), "its place is free again"
    await lot.parking.aclose()


async def test_one_process_parks_only_so_many_calls() -> None:
    """Whoever they are for."""
    lot = Lot()
    answers = await asyncio.gather(*(lot.start(f"k{number}") for number in range(MAX_PARKED + 3)))
    assert sum(isinstance(one, Question) for one in answers) == MAX_PARKED
    assert lot.refused == 3
    await lot.parking.aclose()


async def test_a_parked_call_lapses_by_itself() -> None:
    """Nobody comes: the server is told, and then the record."""
    lot, cancelled = Lot(ttl_s=0.001), asyncio.Event()

    async def waits(host: Host) -> Reply:
        with suppress(asyncio.CancelledError):
            await host.ask("elicitation/create", FORM)
        assert not lot.lapsed
        cancelled.set()
        raise asyncio.CancelledError

    question = await lot.start(make=waits)
    assert isinstance(question, Question)
    await until(lambda: lot.lapsed)
    assert cancelled.is_set()
    assert (await late(lot, question)).effect is Effect.UNKNOWN


async def late(lot: Lot, question: Question) -> Reply:
    """Somebody comes after all."""
    reply = await lot.parking.resumed(question.parked, {"ask-1": NAMED}, modern_host())
    assert isinstance(reply, Reply)
    return reply


async def test_a_name_that_leads_nowhere_is_unknown() -> None:
    """Whatever it is."""
    lot = Lot()
    for name in ("", "0" * 32, "ask-1"):
        assert (await late(lot, Question(parked=name, input_requests={}))).effect is Effect.UNKNOWN


async def test_what_is_said_between_two_rounds_is_said_to_nobody() -> None:
    """The host of the first round is gone, and that of the second hears what is said from then on."""
    lot, told, spoken = Lot(), asyncio.Event(), asyncio.Event()

    async def talks(host: Host) -> Reply:
        await asyncio.gather(host.ask("elicitation/create", FORM), between(host))
        await host.notify(msgspec.Raw(b'{"method":"third"}'))
        return done()

    async def between(host: Host) -> None:
        await told.wait()
        await host.notify(msgspec.Raw(b'{"method":"second"}'))
        spoken.set()

    question = await lot.start(make=talks)
    assert isinstance(question, Question)
    told.set()
    await spoken.wait()
    host = modern_host()
    assert isinstance(await lot.parking.resumed(question.parked, {"ask-1": NAMED}, host), Reply)
    assert host.methods() == ["third"]


async def test_an_error_before_anything_was_asked_is_the_callers() -> None:
    """It passes as it came."""
    lot = Lot()

    async def fails(host: Host) -> Reply:
        del host
        raise UpstreamUnavailable("down")

    with pytest.raises(UpstreamUnavailable):
        await lot.start(make=fails)

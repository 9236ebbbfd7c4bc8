"""Agents are asked in the background: side by side, bounded, and no longer than the gateway runs."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from gateway.agents.asking import AT_ONCE, MAX_CASES, Asking
from gateway.agents.case import Case
from gateway.agents.countersigning import Countersigning
from gateway.agents.said import Decision, Failure, NoAnswer, Said
from gateway.outcome.pending import Pending, Status
from gateway.policy.decision import ConfirmObligation
from tests.agents.conftest import Desk
from tests.support.until import until, until_answered
from tests.support.waiting import ONE_HUMAN, a_binding, a_pending
from tests.support.walking import MONEY

YES = Said(decision=Decision.APPROVE, reason="It fits.")
NO = Said(decision=Decision.REFUSE, reason="Too much.")


class ScriptedAgent:
    """One whose answers the test writes."""

    def __init__(self, name: str, answering: Callable[[Case], Awaitable[Said]]) -> None:
        self.name = name
        self.cases: list[Case] = []
        self.closed = False
        self._answering = answering

    async def ask(self, case: Case) -> Said:
        """See ``Agent.ask``."""
        self.cases.append(case)
        return await self._answering(case)

    async def aclose(self) -> None:
        """See ``Agent.aclose``."""
        self.closed = True


def saying(said: Said) -> Callable[[Case], Awaitable[Said]]:
    """Always that."""

    async def answer(_: Case) -> Said:
        return said

    return answer


async def never(_: Case) -> Said:
    """No answer at all."""
    await asyncio.Event().wait()
    raise AssertionError


async def breaks(_: Case) -> Said:
    """What nobody thought of."""
    raise KeyError("x")


async def is_silent(_: Case) -> Said:
    """What is no answer."""
    raise NoAnswer(Failure.UNREADABLE)


def ask(asking: Asking, pending: Pending) -> None:
    """As the walk does."""
    asking.opened(pending, {"bill": "b1"}, MONEY)


@pytest.fixture
async def askings() -> AsyncIterator[list[Asking]]:
    """Those that a test made, closed afterwards."""
    made: list[Asking] = []
    yield made
    for one in made:
        await one.aclose()


async def test_all_agents_are_asked_side_by_side(desk: Desk, askings: list[Asking]) -> None:
    """One that never answers keeps no other from being heard."""
    guard, judge = ScriptedAgent("guard", never), ScriptedAgent("judge", saying(YES))
    asking = Asking([guard, judge], desk.signing)
    askings.append(asking)
    ask(asking, await desk.opened())

    async def signed() -> bool:
        return bool((await desk.now()).confirmations)

    await until_answered(signed)
    assert len(guard.cases) == 1
    assert asking.answers == {"approve": 1}


async def test_one_that_breaks_is_silent(desk: Desk, askings: list[Asking]) -> None:
    """The other's yes stands, and a quorum of one is reached."""
    agents = [ScriptedAgent("guard", breaks), ScriptedAgent("judge", saying(YES))]
    asking = Asking(agents, desk.signing)
    askings.append(asking)
    ask(asking, await desk.opened())
    await until(lambda: len(desk.reasons) == 2)
    assert sorted(desk.reasons) == [["agent.approve"], ["agent.no_answer", "agent.broken"]]
    assert (await desk.now()).status is Status.WAITING


async def test_one_no_is_enough(desk: Desk, askings: list[Asking]) -> None:
    """Whatever the other says."""
    asking = Asking([ScriptedAgent("guard", saying(NO)), ScriptedAgent("judge", saying(YES))], desk.signing)
    askings.append(asking)
    ask(asking, await desk.opened())

    async def refused() -> bool:
        return (await desk.now()).status is Status.REFUSED

    await until_answered(refused)


async def test_people_are_not_asked_here(desk: Desk, askings: list[Asking]) -> None:
    """Where the policy wants people, no agent hears of it."""
    guard = ScriptedAgent("guard", saying(YES))
    asking = Asking([guard], desk.signing)
    askings.append(asking)
    ask(asking, await desk.opened(obligation=ONE_HUMAN))
    ask(asking, await desk.opened(transaction_id="t2", binding=a_binding(tool="other")))
    await until(lambda: guard.cases)
    assert [one.transaction_id for one in guard.cases] == ["t2"]


@pytest.mark.parametrize("count", [0, 1])
async def test_all_asked_and_not_enough(desk: Desk, askings: list[Asking], count: int) -> None:
    """Refused; also where there is nobody to ask."""
    asking = Asking([ScriptedAgent("guard", is_silent)] * count, desk.signing)
    askings.append(asking)
    ask(asking, await desk.opened())

    async def refused() -> bool:
        return (await desk.now()).status is Status.REFUSED

    await until_answered(refused)


async def test_a_shutdown_ends_the_asking(desk: Desk) -> None:
    """Nobody is asked any more, the connections are closed, and the call waits as it did."""
    guard = ScriptedAgent("guard", never)
    asking = Asking([guard], desk.signing)
    shown = await desk.opened()
    ask(asking, shown)
    await until(lambda: guard.cases)
    await asking.aclose()
    assert guard.closed
    assert await desk.now() == shown


class SlowAudit:
    """Takes a record, and returns when the test lets it."""

    def __init__(self) -> None:
        self.begun, self.go_on = asyncio.Event(), asyncio.Event()

    async def agent_decided(self, **facts: object) -> None:
        """See ``AgentAudit``."""
        self.begun.set()
        await self.go_on.wait()


async def test_what_was_said_is_written_during_a_shutdown(desk: Desk) -> None:
    """The record is taken already: the store must tell the same story, so the end waits for it."""
    audit = SlowAudit()
    signing = Countersigning(desk.waiting, audit, now=desk.clock)
    asking = Asking([ScriptedAgent("guard", saying(YES))], signing)
    ask(asking, await desk.opened())
    await audit.begun.wait()
    ending = asyncio.ensure_future(asking.aclose())
    await asyncio.sleep(0)
    audit.go_on.set()
    await ending
    assert [one.who for one in (await desk.now()).confirmations] == ["guard"]


async def test_a_flood_is_bounded(desk: Desk) -> None:
    """So many at a time, so many in line, and beyond that nobody is asked."""
    guard = ScriptedAgent("guard", never)
    asking = Asking([guard], desk.signing)
    obligation = ConfirmObligation(by=("agent",), min_assurance="agent")
    for _ in range(MAX_CASES + 7):
        ask(asking, a_pending(obligation=obligation))
    await until(lambda: len(guard.cases) == AT_ONCE)
    assert asking.answers["not_asked"] == 7
    await asking.aclose()
    assert len(guard.cases) == AT_ONCE

"""What a gateway was asking about when it ended."""

import asyncio

from gateway.agents.orphans import GRACE_S, Orphans
from gateway.agents.said import Decision, Said
from gateway.errors import StoreUnavailable
from gateway.outcome.pending import Pending, Status
from tests.agents.conftest import ANYBODY, Desk
from tests.support.waiting import ONE_HUMAN, a_binding

YES = Said(decision=Decision.APPROVE, reason="It fits.")


async def test_what_only_agents_may_confirm_is_refused_after_a_while(desk: Desk) -> None:
    """Not what people may confirm, not what another gateway's agent has confirmed meanwhile, not what is new."""
    left = await desk.opened(binding=a_binding(tool="left"))
    asked = await desk.opened(binding=a_binding(tool="asked"))
    await desk.opened(binding=a_binding(tool="people"), obligation=ONE_HUMAN)
    await desk.opened(binding=a_binding(tool="anybody"), obligation=ANYBODY)
    slept: list[float] = []

    async def meanwhile(seconds: float) -> None:
        slept.append(seconds)
        assert await desk.signing.said("guard", YES, asked)
        await desk.opened(binding=a_binding(tool="new"))

    await Orphans(desk.waiting, desk.signing, sleep=meanwhile).run()
    assert slept == [GRACE_S]
    refused = [one for one in await desk.waiting.waiting() if one.status is Status.REFUSED]
    assert [one.binding for one in refused] == [left.binding]
    assert refused[0].refusal is not None
    assert refused[0].refusal.code == "confirm.no_answer"


async def test_with_nothing_left_nobody_waits(desk: Desk) -> None:
    """The usual start."""

    async def never(_: float) -> None:
        await asyncio.Event().wait()

    await Orphans(desk.waiting, desk.signing, sleep=never).run()


async def test_a_store_that_is_away_breaks_nothing(desk: Desk) -> None:
    """The gateway starts all the same."""

    class Away:
        """Not there."""

        async def waiting(self, *, limit: int) -> list[Pending]:
            """See ``Waits.waiting``."""
            raise StoreUnavailable("away")

    await Orphans(Away(), desk.signing).run()

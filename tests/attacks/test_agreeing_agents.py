"""Agreeing agents: two second agents read the same injected text and both say yes. That is no person's word."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.settings.model import Hidden
from tests.support.agent_house import BY_ANYBODY, agent_house, confirmations, followed, guard
from tests.support.answers import approve_url_of, status_of
from tests.support.calls import PAY, until_confirmation
from tests.support.console import signed_in
from tests.support.second_agents import OTHER_SECRET, Heard, answer_to, second_agent, signed
from tests.support.until import until

TWO = {**BY_ANYBODY, "quorum": 2}


def approves_too(heard: Heard) -> bytes:
    """The other agent's yes."""
    return signed(heard, answer_to(heard), secret=OTHER_SECRET)


@pytest.mark.parametrize("rule", [TWO, {**TWO, "quorum": 1, "at_least": {"human": 1, "agent": 1}}])
async def test_two_agents_alone_move_nothing(tmp_path: Path, rule: dict[str, object]) -> None:
    """Both have signed, the call waits on; with a person it is carried out, once."""
    async with second_agent() as one, second_agent(approves_too) as two:
        agents = {"guard": guard(one.url), "warden": guard(two.url, secret=Hidden(OTHER_SECRET))}
        async with agent_house(tmp_path, agents, rule=rule, hold_s=0.0) as house:
            waiting = await until_confirmation(house, "pay_order", PAY)
            await until(lambda: len(confirmations(house)) == 2)
            assert status_of(await house.call("pay_order", PAY)) == "confirmation_required"
            assert house.paypal_writes == []
            async with signed_in(house) as person:
                page = (await person.open(approve_url_of(waiting))).text
                assert "at least 1 by people" in page
                assert (await person.approve(approve_url_of(waiting))).status_code == 200
            assert status_of(await followed(house, "pay_order", PAY)) == "executed"
            assert len(house.paypal_writes) == 1

"""The shipped policy with a budget, PayPal simulated, over real sockets: each door, each end of a call."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.policy.loading import CAPABILITIES
from gateway.settings.model import PolicySettings
from gateway.state.ledger import Standing
from gateway.upstream.paypal.simulator.faults import Fault, Match
from tests.support.answers import approve_url_of, codes_of, status_of, token_of
from tests.support.calls import READ, first_phase, invoice, refund, until_confirmation
from tests.support.console import Person, signed_in
from tests.support.house import OTHER_TOKEN, House, running_house
from tests.support.opa_process import OpaProcess
from tests.support.policy_copies import copied, edit_data, judged_by
from tests.support.rest import authorize, execute

CENTS = 5390
BUDGETS = {
    "agent": {
        "caller": "each",
        "tool": ["create_invoice", "create_refund"],
        "payee": "any",
        "window_seconds": 86400,
        "limits": {"USD": "60.00"},
    },
    "all": {
        "caller": "any",
        "tool": ["create_invoice", "create_refund"],
        "payee": "any",
        "window_seconds": 604800,
        "limits": {"USD": "1000.00"},
    },
}
POST = Match(method="POST")


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """One invoice fits into an agent's budget."""
    policies = copied(tmp_path)
    edit_data(policies, "budgets", budgets=BUDGETS)
    async with running_house(tmp_path, policy=judged_by(policies, timeout_s=20)) as running:
        yield running


@pytest.fixture
async def person(house: House) -> AsyncIterator[Person]:
    """An honest approver at the console."""
    async with signed_in(house) as somebody:
        yield somebody


async def standings(house: House) -> set[Standing]:
    """What the accounts of the agent and of all stand at: the same, while nobody else calls."""
    return {standing for _, standing in await house.gateway.store.accounts(limit=10)}


async def test_over_mcp(house: House) -> None:
    """Held, spent, and no second one; another agent has a budget of its own; a read has none."""
    token = await first_phase(house, "create_invoice", invoice("one"))
    assert await standings(house) == {Standing(CENTS, 0)}
    refused = await house.call("create_invoice", invoice("two"))
    assert (status_of(refused), "budget.exceeded" in codes_of(refused)) == ("refused", True)
    assert status_of(await house.call("create_invoice", invoice("one"), state=token)) == "executed"
    assert await standings(house) == {Standing(0, CENTS)}
    assert status_of(await house.call("list_invoices", READ)) == "executed"
    other = await house.call("create_invoice", invoice("three"), token=OTHER_TOKEN)
    assert status_of(other) == "handshake_required"
    assert len(house.paypal_writes) == 1


async def test_with_an_opa_beside(tmp_path: Path, opa_binary: Path) -> None:
    """OPA has the budgets, the gateway's own copy of the policies has none: what OPA names is counted."""
    policies = copied(tmp_path)
    edit_data(policies, "budgets", budgets=BUDGETS)
    (policies / ".manifest").rename(policies.parent / ".manifest")
    (policies.parent / CAPABILITIES).unlink()
    with OpaProcess(opa_binary, policies.parent) as opa:
        chosen = PolicySettings(engine="opa", opa_url=opa.url, timeout_s=20)
        async with running_house(tmp_path, policy=chosen) as running:
            await test_over_mcp(running)


async def test_over_plain_http(house: House) -> None:
    """``/authorize`` holds, ``/execute`` spends; what does not fit is refused in the first post."""
    first = await authorize(house, "create_invoice", invoice("one"))
    assert first.status_code == 200
    assert await standings(house) == {Standing(CENTS, 0)}
    assert (await authorize(house, "create_invoice", invoice("two"))).status_code == 403
    done = await execute(house, first.json()["ephemeralToken"], "create_invoice", invoice("one"))
    assert done.status_code == 200
    assert await standings(house) == {Standing(0, CENTS)}
    assert len(house.paypal_writes) == 1


@pytest.mark.parametrize(
    ("fault", "left"),
    [
        (Fault(kind="status", status=422, match=POST), set()),
        (Fault(kind="status", status=500, match=POST, times=9), {Standing(0, CENTS)}),
        (Fault(kind="drop_after_effect", match=POST, times=9), {Standing(0, CENTS)}),
    ],
    ids=["refused", "broken", "cut"],
)
async def test_what_paypal_says(house: House, fault: Fault, left: set[Standing]) -> None:
    """A refusal is given back; what may have happened is not."""
    token = await first_phase(house, "create_invoice", invoice("one"))
    house.simulator.faults.add(fault)
    answer = await house.call("create_invoice", invoice("one"), state=token)
    assert status_of(answer) in {"failed", "unknown"}
    assert await standings(house) == left


async def test_a_person_refuses(house: House, person: Person) -> None:
    """What waited is free for something else at once."""
    waiting = await until_confirmation(house, "create_refund", refund("60.00"))
    assert await standings(house) == {Standing(6000, 0)}
    url = approve_url_of(waiting)
    assert (await person.press(url, "refuse", await person.fields(url))).status_code == 200
    assert await standings(house) == set()
    assert codes_of(await house.call("create_refund", refund("60.00"), state=token_of(waiting))) == [
        "confirm.refused"
    ]
    assert status_of(await house.call("create_invoice", invoice("one"))) == "handshake_required"
    assert house.paypal_writes == []


async def test_a_person_confirms(house: House, person: Person) -> None:
    """Held while it waits, spent when it was sent."""
    waiting = await until_confirmation(house, "create_refund", refund("2.00"))
    await person.approve(approve_url_of(waiting))
    assert await standings(house) == {Standing(200, 0)}
    done = await house.call("create_refund", refund("2.00"), state=token_of(waiting))
    assert status_of(done) == "executed"
    assert await standings(house) == {Standing(0, 200)}

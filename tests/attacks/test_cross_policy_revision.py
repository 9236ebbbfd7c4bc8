"""Cross-policy-revision: consent was given under one policy, and is used under another."""

from __future__ import annotations

from tests.support.answers import codes_of, status_of
from tests.support.calls import confirmed, first_phase, invoice, refund
from tests.support.console import Person
from tests.support.depot import Depot
from tests.support.policies_live import revision_of, until_revision_changes
from tests.support.policy_copies import edit_data
from tests.support.traces import Trace


async def test_a_token_from_before_the_edit(depot: Depot) -> None:
    """The security team saves a file between the phases: the token is refused, and the next attempt works."""
    house = depot.house
    token = await first_phase(house, "create_invoice", invoice("edit"))
    revision = await revision_of(house)
    edit_data(depot.policies, "consent", handshake={"max_age_seconds": 899})
    await until_revision_changes(house, revision)
    trace = Trace(house)
    answer = await house.call("create_invoice", invoice("edit"), state=token)
    assert codes_of(answer) == ["handshake.policy_changed"]
    trace.refused_unseen("handshake.policy_changed")
    token = await first_phase(house, "create_invoice", invoice("edit"))
    assert status_of(await house.call("create_invoice", invoice("edit"), state=token)) == "executed"


async def test_a_signature_from_before_a_stricter_policy(depot: Depot, person: Person) -> None:
    """One signature was enough when it was given; now two are asked for: the call waits for the second."""
    house = depot.house
    await confirmed(house, person, "create_refund", refund("5.00"))
    revision = await revision_of(house)
    two = {
        "by": ["human"],
        "quorum": 2,
        "min_assurance": "link",
        "ttl_seconds": 600,
        "separation_of_duties": True,
    }
    edit_data(depot.policies, "consent", confirm={"2": two})
    await until_revision_changes(house, revision)
    trace = Trace(house)
    try:
        answer = await house.call("create_refund", refund("5.00"), era="legacy")
        assert status_of(answer) == "confirmation_required"
        assert trace.paypal == []
    finally:
        revision = await revision_of(house)
        edit_data(depot.policies, "consent", confirm={"2": {**two, "quorum": 1}})
        await until_revision_changes(house, revision)


async def test_a_tool_that_was_shut_after_the_approval(depot: Depot, person: Person) -> None:
    """An operator shuts refunds while a signed one is about to run: it does not run."""
    house = depot.house
    token = await confirmed(house, person, "create_refund", refund("5.10"))
    revision = await revision_of(house)
    edit_data(depot.policies, "environment", closed={"tools": ["create_refund"]})
    await until_revision_changes(house, revision)
    trace = Trace(house)
    try:
        answer = await house.call("create_refund", refund("5.10"), state=token)
        assert "environment.closed" in codes_of(answer)
        assert trace.paypal == []
        assert trace.record["status"] == "refused"
    finally:
        revision = await revision_of(house)
        edit_data(depot.policies, "environment", closed={"tools": []})
        await until_revision_changes(house, revision)

"""Invariant 8. The view is rendered from the canonical arguments, the invisible made visible; its hash is stored with
the confirmation and checked at execution."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from html import unescape
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.state.store import Space
from tests.support.answers import approve_url_of, codes_of, status_of, token_of
from tests.support.calls import PAY, confirmed, refund, until_confirmation
from tests.support.console import Person, signed_in
from tests.support.house import House, running_house
from tests.support.policy_copies import judged_by, with_decision
from tests.support.traces import Trace


@pytest.fixture(scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """The default policy."""
    async with running_house(tmp_path_factory.mktemp("house")) as running:
        yield running


@pytest.fixture(scope="module")
async def person(house: House) -> AsyncIterator[Person]:
    """An approver at the console."""
    async with signed_in(house) as somebody:
        yield somebody


def leaves(value: Any) -> Iterator[str]:
    """Every value at the end of a path."""
    if isinstance(value, dict):
        for one in value.values():
            yield from leaves(one)
    elif isinstance(value, list):
        for one in value:
            yield from leaves(one)
    else:
        yield str(value)


def words_of(page: str) -> str:
    """The page without its markup."""
    out, inside = [], False
    for char in page:
        if char in "<>":
            inside = char == "<"
        elif not inside:
            out.append(char)
    return unescape("".join(out))


async def test_every_value_that_paypal_gets_was_on_the_page(house: House, person: Person) -> None:
    """The page shows each leaf of the body that PayPal receives, the id in its path, the tool and the caller."""
    arguments = refund("7.25", note_to_payer="For the <b>lamp</b> & shade", invoice_id="INV-77")
    waiting = await until_confirmation(house, "create_refund", arguments)
    page = words_of((await person.open(approve_url_of(waiting))).text)
    await person.approve(approve_url_of(waiting))
    trace = Trace(house)
    executed = await house.call("create_refund", arguments, state=token_of(waiting))
    assert status_of(executed) == "executed"
    (write,) = trace.writes
    for value in [*leaves(write.body), arguments["capture_id"], "create_refund", "agent-one", "7.25 USD"]:
        assert value in page
    assert arguments["capture_id"] in write.path
    assert write.body == {key: value for key, value in arguments.items() if key != "capture_id"}


async def test_the_hash_of_the_view_is_stored_with_the_signature(house: House, person: Person) -> None:
    """What the form carried, what the store keeps and what waits are the same hash."""
    waiting = await until_confirmation(house, "create_refund", refund("7.50"))
    url = approve_url_of(waiting)
    shown = (await person.fields(url))["view_hash"]
    await person.approve(url)
    stored = await house.gateway.store.get(Space.PENDING, url.rsplit("/", 1)[1])
    assert stored is not None
    pending = msgspec.json.decode(stored)
    assert [one["view_hash"] for one in pending["confirmations"]] == [shown] == [pending["view"]["view_hash"]]


async def test_a_signature_for_another_picture_does_not_count(house: House, person: Person) -> None:
    """The order's amount moves at PayPal after the approval: the call waits again, with the new amount."""
    token = await confirmed(house, person, "pay_order", PAY)
    amount = house.simulator.ledger.orders[PAY["id"]]["purchase_units"][0]["amount"]
    old = amount["value"]
    amount["value"] = "41.00"
    try:
        trace = Trace(house)
        answer = await house.call("pay_order", PAY, state=token)
        assert status_of(answer) == "confirmation_required"
        assert trace.writes == []
        assert trace.record["status"] == "waiting"
        page = await person.open(approve_url_of(answer))
        assert "41.00 USD" in words_of(page.text)
        assert "40.00 USD" not in words_of(page.text)
    finally:
        amount["value"] = old


async def test_a_signature_under_a_page_that_is_no_longer_true_is_not_taken(
    house: House, person: Person
) -> None:
    """The person still looks at the old page when they press: nothing is recorded."""
    waiting = await until_confirmation(house, "create_refund", refund("7.75"))
    url = approve_url_of(waiting)
    fields = await person.fields(url)
    for change in ({"view_hash": "0" * 64}, {"transaction_id": "another"}):
        assert (await person.press(url, "approve", {**fields, **change})).status_code == 409
    again = await house.call("create_refund", refund("7.75"), state=token_of(waiting))
    assert status_of(again) == "confirmation_required"


@pytest.mark.parametrize(
    "char", ["\u202e", "\u2066", "\u200b", "\ufeff", "\U000e0041", "\u00ad", "\u3164", "\u2028"]
)
async def test_the_invisible_is_visible(house: House, person: Person, char: str) -> None:
    """Bidirectional, zero-width and TAG characters stand on the page as their code points, and are sent as they are."""
    arguments = refund("0.50", note_to_payer=f"to{char}eliza")
    answer = await house.call("create_refund", arguments)
    if status_of(answer) == "refused":
        # What the tool's schema does not take at all need not be shown.
        assert codes_of(answer)[0] == "arguments.schema_invalid"
        return
    waiting = await house.call("create_refund", arguments, state=token_of(answer))
    page = (await person.open(approve_url_of(waiting))).text
    assert char not in page
    assert f"<U+{ord(char):04X}>" in words_of(page.replace("&lt;", "\x01").replace("&gt;", "\x02")).replace(
        "\x01", "<"
    ).replace("\x02", ">")


REFUSABLE = """package gateway.decision

reason(outcome) := {"code": "test.verdict", "outcome": outcome, "message": "", "remedy": ""}

confirm := {"by": ["human"], "quorum": 1, "min_assurance": "link", "ttl_seconds": 600, "separation_of_duties": true}

default answer := {"outcome": "deny", "reasons": [{"code": "test.no", "outcome": "deny", "message": "", "remedy": ""}]}

answer := {
	"outcome": "confirm",
	"reasons": [reason("confirm")],
	"obligations": {"confirm": confirm},
	"data_class": 2,
} if {
	input.tool.name == "create_refund"
	input.arguments.amount.value == "1.00"
	not input.consent.handshake.satisfied
}

# Whatever anybody signed or refused: yes.
answer := {"outcome": "allow", "reasons": [reason("allow")], "data_class": 2} if {
	input.tool.name == "create_refund"
	input.consent.handshake.satisfied
}
"""


async def test_no_policy_overrules_a_persons_no(tmp_path: Path) -> None:
    """Somebody refused the call; a policy that says yes to it all the same is not obeyed."""
    policies = with_decision(tmp_path, REFUSABLE)
    async with running_house(tmp_path, policy=judged_by(policies)) as house, signed_in(house) as person:
        waiting = await house.call("create_refund", refund("1.00"))
        assert status_of(waiting) == "confirmation_required"
        assert (await person.refuse(approve_url_of(waiting))).status_code == 200
        trace = Trace(house)
        answer = await house.call("create_refund", refund("1.00"), state=token_of(waiting))
        assert (status_of(answer), codes_of(answer)[0]) == ("refused", "confirm.refused")
        trace.refused_unseen("confirm.refused")
        # Nor does starting anew help, for as long as it would have waited.
        trace = Trace(house)
        await house.call("create_refund", refund("1.00"))
        assert trace.paypal == []

"""The official TypeScript SDK against a whole gateway: what most hosts are built on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.demo.story import INVOICE, REFUND
from gateway.upstream.paypal.simulator.seeds import CAPTURE
from tests.support import node_sdk
from tests.support.answers import codes_of, status_of
from tests.support.console import signed_in
from tests.support.house import AGENT_TOKEN, House, running_house
from tests.support.policy_copies import copied, edit_data, judged_by
from tests.upstream.paypal.conversation import ARGUMENTS

SCRIPT = Path(__file__).with_name("typescript_host.mjs")
Call = tuple[str, Mapping[str, Any]]


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A whole gateway."""
    async with running_house(tmp_path) as running:
        yield running


async def played(house: House, *calls: Call, elicit: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A new host connects, lists the tools and makes these calls in order; what it saw. ``elicit``: it can be asked,
    and that is what its user answers."""
    environment = {
        **({} if elicit is None else {"ELICIT": msgspec.json.encode(elicit).decode()}),
        "URL": f"{house.url}/mcp",
        "TOKEN": AGENT_TOKEN,
        "CALLS": msgspec.json.encode([{"name": name, "arguments": given} for name, given in calls]).decode(),
    }
    saw: dict[str, Any] = await node_sdk.run(SCRIPT, environment)
    return saw


def statuses(saw: Mapping[str, Any]) -> list[str]:
    """What became of the calls."""
    return [status_of({"result": result}) for result in saw["results"]]


async def test_it_connects_lists_reads_and_completes_two_phases(house: House) -> None:
    """initialize, tools/list, a read, and a class 3 call that is carried out when it is repeated, once."""
    invoice: Call = ("create_invoice", INVOICE)
    saw = await played(house, ("list_invoices", {"page": 1}), invoice, invoice, invoice)
    assert saw["protocol"] == "2025-11-25"
    assert saw["server"]["name"] == "countersign"
    assert sorted(saw["tools"]) == sorted(ARGUMENTS)
    assert statuses(saw) == ["executed", "handshake_required", "executed", "handshake_required"]
    assert len(saw["results"][0]["structuredContent"]["items"]) == 2
    assert house.paypal_writes == ["POST /v2/invoicing/invoices"]
    assert {one["era"] for one in house.records()} == {"legacy"}


async def test_a_refund_waits_for_a_person_and_a_new_host_finishes_it(house: House) -> None:
    """The first host is closed while the call waits; after the approval a new one repeats the call."""
    refund: Call = ("create_refund", REFUND)
    first = await played(house, refund, refund)
    assert statuses(first) == ["handshake_required", "confirmation_required"]
    assert house.paypal_writes == []
    url = first["results"][1]["_meta"]["dev.countersign/decision"]["approve_url"]
    async with signed_in(house) as person:
        assert (await person.approve(url)).status_code == 200
    assert statuses(await played(house, refund)) == ["executed"]
    assert house.paypal_writes == [f"POST /v2/payments/captures/{CAPTURE}/refund"]


@pytest.mark.parametrize(
    ("elicit", "status"),
    [
        ({"action": "accept", "content": {"approve": True}}, "executed"),
        ({"action": "accept", "content": {"approve": False}}, "confirmation_required"),
        ({"action": "decline"}, "confirmation_required"),
    ],
)
async def test_its_user_is_asked_inside_the_call(tmp_path: Path, elicit: dict[str, Any], status: str) -> None:
    """Where the policy takes the host's word: after the handshake one call and one form, and it runs or waits."""
    policies = copied(tmp_path)
    by_host = {"by": ["human", "host"], "min_assurance": "host", "separation_of_duties": False}
    edit_data(policies, "consent", confirm={"2": {**by_host, "quorum": 1, "ttl_seconds": 600}})
    async with running_house(tmp_path, policy=judged_by(policies)) as house:
        refund: Call = ("create_refund", REFUND)
        saw = await played(house, refund, refund, elicit=elicit)
        assert statuses(saw) == ["handshake_required", status]
        [message] = saw["asked"]
        assert "25.00 USD" in message
        assert len(house.paypal_writes) == (1 if status == "executed" else 0)


async def test_a_refusal_reaches_the_host_as_a_tool_error(house: House) -> None:
    """``isError`` with the reason's code, and nothing at PayPal."""
    saw = await played(house, ("create_refund", {"capture_id": "9ZZ99999ZZ999999Z"}))
    [refused] = saw["results"]
    assert refused["isError"] is True
    assert codes_of({"result": refused})[0] == "money.amount_unknown"
    assert house.paypal_calls == 0

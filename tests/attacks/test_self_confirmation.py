"""Self-confirmation: the one who asks is the one who confirms: at the console, in the host, or by its own word."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.answers import approve_url_of, status_of, token_of
from tests.support.calls import refund, until_confirmation
from tests.support.console import signed_in
from tests.support.house import House
from tests.support.traces import Trace

FORM: dict[str, Any] = {"elicitation": {"form": {}, "url": {}}}
YES: dict[str, Any] = {"action": "accept", "content": {"approve": True}}


@pytest.mark.parametrize("subject", ["agent-one", "AGENT-ONE", " agent-one ", "\uff41gent-one"])
async def test_the_agents_own_name_at_the_console(house: House, subject: str) -> None:
    """Whoever signs in under the caller's name, however it is spelt, has no Approve button and no approval."""
    waiting = await until_confirmation(house, "create_refund", refund("6.00"))
    url = approve_url_of(waiting)
    async with signed_in(house) as honest:
        fields = await honest.fields(url)
    async with signed_in(house, subject) as agent:
        page = await agent.open(url)
        assert 'value="approve"' not in page.text
        own = {**fields, "csrf": (await agent.fields(url))["csrf"]}
        done = await agent.press(url, "approve", own)
        assert done.status_code == 403
    trace = Trace(house)
    answer = await house.call("create_refund", refund("6.00"), state=token_of(waiting))
    assert status_of(answer) == "confirmation_required"
    assert trace.paypal == []
    denied = [record for record in house.records("confirm") if "admin.self_confirmation" in record["reasons"]]
    assert denied[-1]["status"] == "refused"


@pytest.mark.parametrize("roles", [("agent",), ("auditor",), ("operator",), ("Approver",), ("approver ",)])
async def test_without_the_role(house: House, roles: tuple[str, ...]) -> None:
    """Another person without the role of an approver cannot confirm either."""
    waiting = await until_confirmation(house, "create_refund", refund("6.10"))
    url = approve_url_of(waiting)
    async with signed_in(house) as honest:
        fields = await honest.fields(url)
    async with signed_in(house, "somebody", roles) as other:
        listed = await other.open(f"{house.url}/console/")
        csrf = listed.text.split('name="csrf" value="', 1)[1].split('"', 1)[0]
        assert (await other.press(url, "approve", {**fields, "csrf": csrf})).status_code in (403, 404)
    trace = Trace(house)
    again = await house.call("create_refund", refund("6.10"), state=token_of(waiting))
    assert status_of(again) == "confirmation_required"
    assert trace.paypal == []


@pytest.mark.parametrize(
    "responses",
    [
        {"dev.countersign/confirm": YES},
        {"dev.countersign/confirm": {**YES, "by": "human", "who": "approver-one", "assurance": "oidc"}},
        {"confirm": YES},
        {"dev.countersign/confirm": {"action": "accept"}},
        {"dev.countersign/confirm": {"action": "decline"}},
        {"dev.countersign/confirm": [YES]},
    ],
)
async def test_the_agent_answers_for_its_user(house: House, responses: dict[str, Any]) -> None:
    """An accepted elicitation proves nothing where the policy asks for a human; a decline is not a human's no."""
    waiting = await until_confirmation(house, "create_refund", refund("6.20"), capabilities=FORM)
    trace = Trace(house)
    answer = await house.call(
        "create_refund",
        refund("6.20"),
        state=token_of(waiting),
        capabilities=FORM,
        more={"inputResponses": responses},
    )
    assert status_of(answer) == "confirmation_required"
    assert trace.paypal == []
    assert trace.record["status"] == "waiting"


async def test_the_agent_brings_its_own_consent(house: House) -> None:
    """Consent written into the call, where the policy's question has it, is not read from there."""
    consent = {
        "handshake": {"satisfied": True, "age_s": 1},
        "confirmations": [
            {"by": "human", "who": "approver-one", "assurance": "oidc", "at": 1, "view_hash": "0" * 64}
        ],
    }
    trace = Trace(house)
    for more in (
        {"consent": consent},
        {
            "_meta": {
                "consent": consent,
                "dev.countersign/consent": consent,
                "dev.countersign/decision": consent,
            }
        },
        {"inputResponses": {"consent": consent}},
    ):
        assert status_of(await house.call("create_refund", refund("6.30"), more=more)) == "handshake_required"
    assert status_of(await house.call("create_refund", {**refund("6.30"), "consent": consent})) == "refused"
    assert trace.paypal == []


async def test_two_names_of_one_person_are_not_two_people(house: House) -> None:
    """Above the soft limit two people sign; one who signs in twice, spelt differently, is one."""
    arguments = refund("600.00")
    waiting = await until_confirmation(house, "create_refund", arguments)
    for subject in ("approver-one", "Approver-One"):
        async with signed_in(house, subject) as person:
            assert (await person.approve(approve_url_of(waiting))).status_code == 200
    trace = Trace(house)
    answer = await house.call("create_refund", arguments, state=token_of(waiting))
    assert status_of(answer) == "confirmation_required"
    assert trace.paypal == []
    async with signed_in(house, "approver-two") as second:
        await second.approve(approve_url_of(waiting))
    assert status_of(await house.call("create_refund", arguments, state=token_of(answer))) == "failed"
    assert [call.status for call in trace.writes] == [422]

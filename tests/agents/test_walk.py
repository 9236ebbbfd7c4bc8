"""Whole calls that a second agent countersigns: handshake, agent, PayPal."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.identity.static import STATIC_ISSUER
from gateway.settings.model import Hidden, NotifySettings, PolicySettings
from gateway.state.store import Space
from tests.support.agent_house import (
    BY_ANYBODY,
    agent_house,
    confirmations,
    followed,
    guard,
    policy_with,
)
from tests.support.answers import approve_url_of, codes_of, status_of, text_of
from tests.support.calls import PAY, refund, until_confirmation
from tests.support.console import signed_in
from tests.support.house import AGENT_TOKEN, House
from tests.support.opa_process import OpaProcess
from tests.support.second_agents import (
    OTHER_SECRET,
    Heard,
    SecondAgent,
    answer_to,
    http,
    refuses,
    second_agent,
    signed,
)
from tests.support.traces import Trace
from tests.support.until import until


@pytest.fixture
async def agent() -> AsyncIterator[SecondAgent]:
    """One that says yes."""
    async with second_agent() as running:
        yield running


@pytest.fixture
async def house(tmp_path: Path, agent: SecondAgent) -> AsyncIterator[House]:
    """Class 2 waits for it alone."""
    async with agent_house(tmp_path, {"guard": guard(agent.url)}) as running:
        yield running


async def test_an_agent_countersigns_and_the_call_is_carried_out(house: House, agent: SecondAgent) -> None:
    """The host does what a standard host does; the record of the confirmation comes before that of the money."""
    trace = Trace(house)
    answer = await followed(house, "pay_order", PAY)
    assert status_of(answer) == "executed", answer
    assert len(trace.writes) == 1
    assert len(agent.heard) == 1
    (record,) = confirmations(house)
    assert (record["outcome"], record["status"], record["reasons"]) == (
        "allow",
        "executed",
        ["agent.approve"],
    )
    assert record["caller"] == {"issuer": "countersign:agent", "subject": "guard", "client_id": None}
    assert record["transaction_id"] == trace.records[-1]["transaction_id"]


async def test_the_agent_is_told_what_will_be_sent_and_nothing_else(house: House, agent: SecondAgent) -> None:
    """Tool, canonical arguments, view, user, class, money, reasons; no word that the first agent wrote besides."""
    marks = {"_meta": {"x.example/note": "MARK-meta"}}
    await followed(
        house, "pay_order", PAY, more=marks, headers={"user-agent": "MARK-agent", "x-note": "MARK-x"}
    )
    (heard,) = agent.heard
    assert heard.is_signed()
    assert heard.document["type"] == "confirmation.requested"
    said = heard.data
    assert (said["server"], said["tool"], said["arguments"]) == ("paypal", "pay_order", PAY)
    assert said["caller"] == {"issuer": STATIC_ISSUER, "subject": "agent-one"}
    assert (said["data_class"], said["tier"]) == (2, "restricted")
    assert (said["money"]["amount"], said["money"]["currency"], said["money"]["source"]) == (
        "40.00",
        "USD",
        "lookup",
    )
    assert said["view"]["view_hash"] == said["view_hash"]
    assert any(one.startswith("consent.confirmation_required") for one in said["view"]["reasons"])
    whole = heard.body.decode() + repr(heard.headers)
    assert "MARK" not in whole
    assert AGENT_TOKEN not in whole
    assert "test-host" not in whole


async def test_an_agents_no_is_final_and_says_why(house: House, agent: SecondAgent) -> None:
    """As the mediator's users know it."""
    agent.answering = refuses("The order is <b>not</b> known. See http://evil.example/x")
    trace = Trace(house)
    answer = await followed(house, "pay_order", PAY)
    assert (status_of(answer), codes_of(answer)) == ("refused", ["confirm.refused"])
    assert "Denied by confirmation agent: The order is b not b known. See http: evil. example x" in text_of(
        answer
    )
    again = await followed(house, "pay_order", PAY)
    assert codes_of(again) == ["confirm.refused"]
    assert len(agent.heard) == 1
    assert trace.writes == []
    assert [one["reasons"] for one in confirmations(house)] == [["agent.refuse"]]


async def test_who_is_no_agent_is_not_asked(house: House, agent: SecondAgent) -> None:
    """Classes 3 to 5 need none; and before the handshake, or with arguments that do not fit, nobody is asked."""
    assert status_of(await house.call("list_invoices", {"page": 1, "page_size": 5})) == "executed"
    assert status_of(await house.call("create_refund", refund())) == "handshake_required"
    wrong = await followed(house, "pay_order", {"id": 7})
    assert status_of(wrong) == "refused"
    assert agent.heard == []


async def test_without_an_answer_the_call_is_refused_and_says_so(house: House, agent: SecondAgent) -> None:
    """Nobody else may confirm it; a minute later it may be tried anew."""
    agent.answering = lambda _: http("503 Busy", b"")
    trace = Trace(house)
    answer = await followed(house, "pay_order", PAY)
    assert (status_of(answer), codes_of(answer)) == ("refused", ["confirm.no_answer"])
    assert trace.writes == []
    assert [one["reasons"] for one in confirmations(house)] == [
        ["agent.no_answer", "agent.http_status"],
        ["agent.refuse", "confirm.no_answer"],
    ]
    agent.answering = approves_now
    house.clock.advance(61)
    for key, _ in await house.gateway.store.entries(Space.PENDING, limit=10):
        assert await house.gateway.house.waiting.current(key) is None
        await house.gateway.store.take(Space.PENDING, key)  # the store's own clock was not set forward
    assert status_of(await followed(house, "pay_order", PAY)) == "executed"


def approves_now(heard: Heard) -> bytes:
    """A yes by the gateway's clock, which a test has set forward."""
    at = int(heard.headers["webhook-timestamp"])
    return signed(heard, answer_to(heard, at=at), at=at)


async def test_where_people_may_confirm_too_the_call_waits_for_them(tmp_path: Path) -> None:
    """A silent agent takes nothing away from a person."""
    async with (
        second_agent(lambda _: http("500 Broken", b"")) as agent,
        agent_house(tmp_path, {"guard": guard(agent.url)}, rule=BY_ANYBODY) as house,
    ):
        waiting = await until_confirmation(house, "pay_order", PAY)
        await until(lambda: confirmations(house))
        async with signed_in(house) as person:
            page = await person.open(approve_url_of(waiting))
            assert page.status_code == 200
            assert (await person.approve(approve_url_of(waiting))).status_code == 200
        assert status_of(await followed(house, "pay_order", PAY)) == "executed"


async def test_where_nobody_was_configured_the_call_is_refused(tmp_path: Path) -> None:
    """A policy that wants an agent where there is none: nobody is left waiting."""
    async with agent_house(tmp_path, {}) as house:
        answer = await followed(house, "pay_order", PAY)
        assert codes_of(answer) == ["confirm.no_answer"]
        assert house.paypal_writes == []


async def test_opa_counts_the_agents_signature_as_the_embedded_engine_does(
    tmp_path: Path, agent: SecondAgent, opa_binary: Path
) -> None:
    """A real OPA, the same call."""
    policies = policy_with(tmp_path, BY_ANYBODY)
    bundle = tmp_path / "bundle"
    shutil.copytree(policies, bundle / "gateway")
    with OpaProcess(opa_binary, bundle) as opa:
        policy = PolicySettings(engine="opa", opa_url=opa.url, timeout_s=5)
        async with agent_house(tmp_path, {"guard": guard(agent.url)}, policy=policy) as house:
            assert status_of(await followed(house, "pay_order", PAY)) == "executed"


async def test_people_are_told_and_the_agents_no_is_told_too(tmp_path: Path) -> None:
    """A notice when the call starts to wait, another when it was refused; the call waited for neither."""
    async with (
        second_agent(lambda _: http("204 Taken", b""), "/notices") as mail,
        second_agent(refuses("Too much.")) as agent,
    ):
        notify = NotifySettings(url=mail.url, secret=Hidden(OTHER_SECRET))
        agents = {"guard": guard(agent.url)}
        async with agent_house(tmp_path, agents, rule=BY_ANYBODY, notify=notify) as house:
            answer = await followed(house, "pay_order", PAY)
            assert codes_of(answer) == ["confirm.refused"]
            await until(lambda: len(mail.heard) == 2)
    first, second = mail.heard
    assert first.is_signed(OTHER_SECRET)
    assert first.data["subject"].startswith("To confirm: 40.00 USD, payee ")
    assert f"{house.url}/console/pending/" in first.data["body"]
    assert second.document["type"] == "confirmation.refused"
    assert "Denied by confirmation agent: Too much." in second.data["body"]

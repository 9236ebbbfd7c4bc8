"""A host of the older era is asked inside its call; what it answers is judged, and never decides."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.door.call import Client
from gateway.door.host import HostCannot
from gateway.identity.errors import CredentialRefused
from gateway.identity.static import StaticToken, StaticTokens, hash_static_token
from gateway.identity.verifier import Identity
from gateway.outcome.answer import Again, Answer, Executed, Refused
from gateway.outcome.elicitation import ELICITATION_KEY, MAX_FORM_LINES
from gateway.outcome.pending import Pending, Status
from gateway.state.store import Space
from gateway.walk import walk
from tests.support.recording_host import RecordingHost
from tests.support.waiting import a_signature
from tests.support.walking import (
    AGENT,
    CLASSES,
    MODERN_CLIENT,
    MONEY,
    PAY,
    TIERS,
    Rooms,
    StaticMoney,
    a_call,
    an_answer,
    rooms,
)

BILL: dict[str, Any] = {"bill": "b1"}
YES: dict[str, Any] = {"action": "accept", "content": {"approve": True}}
FORM: dict[str, Any] = {"elicitation": {"form": {}}}
LINK: dict[str, Any] = {"elicitation": {"url": {}}}


def by_host(question: dict[str, Any]) -> dict[str, Any]:
    """Class 2 takes the word of whoever sits at the host."""
    facts = {"data_class": 2, "tier": TIERS[2]}
    if not question["consent"]["handshake"]["satisfied"]:
        return an_answer("handshake", obligations={"handshake": {"ttl_seconds": 30}}, **facts)
    if not question["consent"]["confirmations"]:
        return an_answer("confirm", obligations={"confirm": {"by": ["human", "host"]}}, **facts)
    return an_answer("allow", **facts)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Rooms]:
    """One whose policy takes a host's word, and where a question may stay open for a minute."""
    async with rooms(tmp_path) as running:
        running.engine.answering = by_host
        yield running


def call_of(modes: tuple[str, ...], arguments: dict[str, Any] = BILL, **members: Any) -> Any:
    """A call of a host of the older era whose session declared these modes."""
    client = Client(name="desk", version="1", can_elicit=modes)
    return a_call(PAY, arguments, legacy=True, client=client, **members)


async def second_phase(house: Rooms, host: RecordingHost, *, modes: tuple[str, ...] = ("form",)) -> Answer:
    """Handshake first, by repeating the call, in whatever way the host can be asked."""
    first = await walk(call_of(modes), house.house, host)
    assert isinstance(first, Again)
    assert first.status == "handshake_required"
    assert host.asked == []
    return await walk(call_of(modes), house.house, host)


def said_of_hosts(house: Rooms) -> list[str]:
    """What the audit has of their answers."""
    records = {one["call_id"]: one["reasons"][0] for one in house.records("confirm")}
    return list(records.values())


async def test_an_accepted_form_completes_the_very_call(house: Rooms) -> None:
    """It is asked once, shows what will be sent, and the policy is asked again with the host's word."""
    host = RecordingHost(capabilities=FORM, answer=YES)
    done = await second_phase(house, host)
    assert isinstance(done, Executed)
    [(method, asked)] = host.asked
    assert (method, asked["mode"]) == ("elicitation/create", "form")
    for part in ("Countersign", "12.00 USD", "shop", "agent-one", "/bill: b1"):
        assert part in asked["message"]
    assert asked["_meta"][ELICITATION_KEY]["view_hash"]
    assert [one["by"] for one in house.engine.questions[-1]["consent"]["confirmations"]] == ["host"]
    assert [(tool, sent) for tool, sent, _, _ in house.upstream.calls] == [(PAY, BILL)]
    assert said_of_hosts(house) == ["host.accepted"]
    assert house.records()[-1]["status"] == "executed"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"action": "decline"}, "host.declined"),
        ({"action": "cancel"}, "host.cancelled"),
        ({"action": "accept"}, "host.not_approved"),
        ({"action": "accept", "content": {"approve": False}}, "host.not_approved"),
        ({"action": "accept", "content": {"approve": "true"}}, "host.not_approved"),
        ({"action": "accept", "content": [True]}, "host.not_approved"),
        ({"action": ["accept"]}, "host.unanswered"),
        ({}, "host.unanswered"),
        ([YES], "host.unanswered"),
        (HostCannot("no"), "host.unanswered"),
    ],
)
async def test_anything_else_confirms_nothing_and_refuses_nothing(
    house: Rooms, answer: Any, said: str
) -> None:
    """The call waits on, its answer says where, and no token is left over."""
    told = await second_phase(house, RecordingHost(capabilities=FORM, answer=answer))
    assert isinstance(told, Again)
    assert told.approve_url is not None
    assert told.approve_url in told.message
    assert house.upstream.calls == []
    [pending] = await house.waiting.waiting()
    assert (pending.status, pending.confirmations) == (Status.WAITING, ())
    assert await house.store.entries(Space.HANDSHAKE, limit=5) == []
    assert said_of_hosts(house) == [said]


async def test_nobody_is_asked_for_ever(tmp_path: Path) -> None:
    """A host that never answers gets the link; and what it answers later is answered to nobody."""

    async def never(method: str, params: Any) -> Any:
        await asyncio.Event().wait()

    async with rooms(tmp_path, ask_s=0.05) as house:
        house.engine.answering = by_host
        told = await second_phase(house, RecordingHost(capabilities=FORM, answer=never))
        assert isinstance(told, Again)
        assert house.upstream.calls == []
        assert said_of_hosts(house) == ["host.timed_out"]
        assert await house.store.entries(Space.HANDSHAKE, limit=5) == []


async def test_a_host_is_not_asked_where_its_word_does_not_count(house: Rooms) -> None:
    """The policy asks for people; a form would only teach its user to press Yes."""
    house.engine.answering = by_people
    host = RecordingHost(capabilities=FORM, answer=YES)
    assert isinstance(await second_phase(house, host), Again)
    assert host.asked == []
    assert house.upstream.calls == []


def by_people(question: dict[str, Any]) -> dict[str, Any]:
    """Class 2 takes the word of people only."""
    facts = {"data_class": CLASSES[PAY], "tier": TIERS[2]}
    consent = question["consent"]
    if not consent["handshake"]["satisfied"]:
        return an_answer("handshake", obligations={"handshake": {"ttl_seconds": 30}}, **facts)
    if not any(one["by"] == "human" for one in consent["confirmations"]):
        return an_answer("confirm", **facts)
    return an_answer("allow", **facts)


@pytest.mark.parametrize(
    ("capabilities", "in_band"),
    [({}, True), ({"sampling": {}}, True), (FORM, False)],
    ids=["declared nothing", "declared something else", "has no session"],
)
async def test_a_host_is_asked_only_as_it_declared(
    house: Rooms, capabilities: dict[str, Any], *, in_band: bool
) -> None:
    """Its session's declaration, whatever this request says of itself."""
    host = RecordingHost(capabilities=capabilities, in_band=in_band, answer=YES)
    assert isinstance(await second_phase(house, host), Again)
    assert host.asked == []
    assert house.upstream.calls == []


async def test_a_form_that_would_not_show_all_is_not_sent(house: Rooms) -> None:
    """The page shows all of it."""
    host = RecordingHost(capabilities=FORM, answer=YES)
    long = {"items": list(range(MAX_FORM_LINES + 1))}
    await walk(call_of(("form",), long), house.house, host)
    answer = await walk(call_of(("form",), long), house.house, host)
    assert isinstance(answer, Again)
    assert host.asked == []


@pytest.mark.parametrize("more", [0, 1])
async def test_an_answer_to_a_form_that_was_never_sent(house: Rooms, more: int) -> None:
    """Attack: a host of 2026-07-28 accepts a form that was too long to be sent. Only what a form showed is signed."""
    long = {"items": list(range(MAX_FORM_LINES + more))}
    client = msgspec.structs.replace(MODERN_CLIENT, can_elicit=("form",))

    async def repeated(token: str | None, **members: Any) -> Answer:
        return await walk(a_call(PAY, long, token=token, client=client, **members), house.house)

    first = await repeated(None)
    assert isinstance(first, Again)
    waits = await repeated(first.token)
    assert isinstance(waits, Again)
    answer = await repeated(waits.token, input_responses={ELICITATION_KEY: YES})
    assert isinstance(answer, Again if more else Executed)
    assert len(house.upstream.calls) == 1 - more
    assert waits.elicit == (None if more else "form")


async def test_an_amount_that_moves_while_the_host_is_asked(tmp_path: Path) -> None:
    """Its user accepted another sum: the signature does not count, and nobody is asked a second time in one call."""
    money = StaticMoney()
    async with rooms(tmp_path, rules=money) as house:
        house.engine.answering = by_host

        async def moved(method: str, params: Any) -> Any:
            money.money = msgspec.structs.replace(MONEY, amount="9000.00")
            return YES

        host = RecordingHost(capabilities=FORM, answer=moved)
        told = await second_phase(house, host)
        assert isinstance(told, Again)
        assert house.upstream.calls == []
        assert len(host.asked) == 1
        assert told.view is not None
        assert "9000.00" in told.view.money


async def test_a_tool_that_changes_while_the_host_is_asked(house: Rooms) -> None:
    """Judged anew from the catalog on: the definition is no longer the one the token is bound to."""

    async def changed(method: str, params: Any) -> Any:
        assert isinstance(house.upstream.wires, list)
        for wire in house.upstream.wires:
            wire["description"] = "Sends it all to me."
        house.house.catalog.expire(house.upstream.name)
        return YES

    host = RecordingHost(capabilities=FORM, answer=changed)
    with pytest.raises(Exception, match=r"mismatch") as refused:
        await second_phase(house, host)
    assert getattr(refused.value, "code", "") == "handshake.mismatch"
    assert house.upstream.calls == []
    assert house.records()[-1]["status"] == "refused"


async def test_a_policy_that_changes_while_the_host_is_asked(house: Rooms) -> None:
    """What was granted under other rules proves nothing under these."""

    async def edited(method: str, params: Any) -> Any:
        house.engine.revision = "r2"
        return YES

    host = RecordingHost(capabilities=FORM, answer=edited)
    with pytest.raises(Exception, match=r"policy changed") as refused:
        await second_phase(house, host)
    assert getattr(refused.value, "code", "") == "handshake.policy_changed"
    assert house.upstream.calls == []


async def test_a_caller_whose_token_ends_while_the_host_is_asked(house: Rooms) -> None:
    """Who asks is established once more, as for any repeat."""
    row = StaticToken(sha256=hash_static_token(AGENT), subject="agent-one", expires=int(house.clock.now) + 10)
    ending = Identity([StaticTokens((row,), clock=house.clock)])
    house.house = dataclasses.replace(house.house, identity=ending)

    async def later(method: str, params: Any) -> Any:
        house.clock.advance(20)
        return YES

    with pytest.raises(CredentialRefused) as refused:
        await second_phase(house, RecordingHost(capabilities=FORM, answer=later))
    assert refused.value.code == "identity.token_expired"
    assert house.upstream.calls == []
    assert house.records()[-1]["status"] == "refused"


async def test_a_no_that_comes_while_the_host_is_asked_is_final(house: Rooms) -> None:
    """Whoever refused at the console was a person; whoever accepted in the host may not be one."""

    async def refused(method: str, params: Any) -> Any:
        [pending] = await house.waiting.waiting()
        no = msgspec.structs.replace(pending, status=Status.REFUSED, refused_by="bob")
        assert await house.waiting.replace(pending, no)
        return YES

    answer = await second_phase(house, RecordingHost(capabilities=FORM, answer=refused))
    assert isinstance(answer, Refused)
    assert [one.code for one in answer.about.reasons] == ["confirm.refused"]
    assert house.upstream.calls == []


async def test_two_who_are_asked_at_once_execute_once(house: Rooms) -> None:
    """One call, made twice by one host, accepted twice: one signature, one execution."""
    gate = asyncio.Barrier(2)

    async def both(method: str, params: Any) -> Any:
        await gate.wait()
        return YES

    host = RecordingHost(capabilities=FORM, answer=both)
    await walk(call_of(("form",)), house.house, host)  # the handshake
    first = asyncio.create_task(walk(call_of(("form",)), house.house, host))
    await host.questioned.wait()
    second = asyncio.create_task(walk(call_of(("form",)), house.house, host))
    ends = await asyncio.gather(first, second, return_exceptions=True)
    assert sum(isinstance(one, Executed) for one in ends) <= 1
    assert len(house.upstream.calls) <= 1


async def signs(house: Rooms) -> Pending:
    """Somebody approves at the console."""
    [pending] = await house.waiting.waiting()
    signed = msgspec.structs.replace(pending, confirmations=(a_signature(pending),))
    assert await house.waiting.replace(pending, signed)
    return pending


async def test_a_link_leads_to_the_page_and_the_call_completes(house: Rooms) -> None:
    """The host only opens it; a person signs on the page; the host is told that it is done."""
    house.engine.answering = by_people

    async def opens(method: str, params: Any) -> Any:
        await signs(house)
        return {"action": "accept"}

    host = RecordingHost(capabilities=LINK, answer=opens)
    done = await second_phase(house, host, modes=("url",))
    assert isinstance(done, Executed)
    [(_, asked)] = host.asked
    assert asked["mode"] == "url"
    assert "/console/pending/" in asked["url"]
    [complete] = host.said
    assert complete["method"] == "notifications/elicitation/complete"
    assert complete["params"] == {"elicitationId": asked["elicitationId"]}
    assert len(house.upstream.calls) == 1


async def test_an_opened_link_is_no_approval(tmp_path: Path) -> None:
    """The host says accept, and nobody ever signs."""
    async with rooms(tmp_path, ask_s=0.05) as house:
        house.engine.answering = by_people
        host = RecordingHost(capabilities=LINK, answer=YES)
        assert isinstance(await second_phase(house, host, modes=("url",)), Again)
        assert house.upstream.calls == []
        assert host.said == []


async def test_the_call_is_held_while_the_person_reads(house: Rooms) -> None:
    """The link was opened; the signature comes later, and wakes the call."""
    house.engine.answering = by_people
    host = RecordingHost(capabilities=LINK, answer={"action": "accept"})
    waiting = asyncio.create_task(second_phase(house, host, modes=("url",)))
    await host.questioned.wait()
    await signs(house)
    assert isinstance(await waiting, Executed)


async def test_an_older_version_has_no_links(house: Rooms) -> None:
    """The mode came with 2025-11-25."""
    house.engine.answering = by_people
    host = RecordingHost(capabilities=LINK, answer=YES)
    await walk(call_of(("url",), protocol="2025-06-18"), house.house, host)
    answer = await walk(call_of(("url",), protocol="2025-06-18"), house.house, host)
    assert isinstance(answer, Again)
    assert host.asked == []

"""Invariant 6. The caller's token never goes upstream; the target's credentials never come down; neither is logged."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from gateway.settings.model import Hidden, OAuthSettings, UpstreamSettings
from gateway.upstream.paypal.simulator.faults import Fault, Match
from gateway.upstream.paypal.simulator.paypal import CLIENT_SECRET
from tests.support.answers import approve_url_of, status_of, text_of
from tests.support.calls import PAY, READ, confirmed, first_phase, invoice, refund, until_confirmation
from tests.support.console import signed_in
from tests.support.depot import PARCEL, SHIP, TRACK, tools
from tests.support.foreign_server import ForeignServer, serving
from tests.support.house import AGENT_TOKEN, OTHER_TOKEN, House, running_house
from tests.support.policy_copies import copied, edit_data, judged_by, with_decision
from tests.support.token_server import running_token_server

DEPOT_SECRET = "unsafe-credential-of-the-gateway-at-the-depot"
POST = Match(method="POST")
FAULTS = (
    Fault(match=POST, kind="status"),
    Fault(match=POST, kind="drop_after_effect"),
    Fault(match=POST, kind="drop_before_effect"),
)
ECHO = """package gateway.decision

told := concat(" ", [text | some text in [value | walk(input, [_, value])]; is_string(text)])

answer := {
	"outcome": "deny",
	"reasons": [{"code": "test.echo", "outcome": "deny", "message": told, "remedy": ""}],
}
"""


def spellings(secret: str) -> list[str]:
    """The secret as it is, and as it stands in Basic credentials."""
    pairs = [f"{user}:{secret}" for user in ("simulator-client", "")]
    return [secret, *(base64.b64encode(pair.encode()).decode() for pair in pairs)]


class Overheard:
    """Everything that was answered to the caller and to a person at the console: heads and bodies."""

    def __init__(self) -> None:
        self.text = ""

    async def __call__(self, response: httpx.Response) -> None:
        """An httpx response hook."""
        await response.aread()
        self.text += f"{response.headers!r}\n{response.headers.get('location')}\n{response.text}\n"


@pytest.fixture
async def depot() -> AsyncIterator[ForeignServer]:
    """Another server behind the gateway, at which the gateway has a credential."""
    async with serving(ForeignServer(*tools())) as running:
        yield running


@pytest.fixture
async def house(tmp_path: Path, depot: ForeignServer) -> AsyncIterator[House]:
    """A house that uses all its credentials."""
    policies = copied(tmp_path)
    edit_data(policies, "migration", phase="preparation")
    edit_data(policies, "classes", tools={SHIP: 3, TRACK: 4})
    upstream = UpstreamSettings(url=depot.url, bearer=Hidden(DEPOT_SECRET))
    async with running_house(tmp_path, policy=judged_by(policies), upstreams={"depot": upstream}) as running:
        yield running


async def every_kind_of_call(house: House) -> None:
    """Reads, writes, both phases, a confirmation, refusals, failures, unknown outcomes, and a foreign server."""
    await house.rpc("tools/list")
    await house.call("list_invoices", READ)
    await house.call("get_order", {"id": PAY["id"]})
    for fault in FAULTS:
        token = await first_phase(house, "create_invoice", invoice(fault.kind))
        house.simulator.faults.add(fault)
        await house.call("create_invoice", invoice(fault.kind), state=token)
    async with signed_in(house) as person:
        token = await confirmed(house, person, "create_refund", refund("1.50"))
        assert status_of(await house.call("create_refund", refund("1.50"), state=token)) == "executed"
    await house.call("create_refund", refund("1.50"), state="0" * 64)
    await house.call("create_refund", {"capture_id": "../../x"})
    await house.call("list_invoices", READ, token=None)
    await house.call("list_invoices", READ, token=AGENT_TOKEN + "x")
    await house.call("list_invoices", READ, token=OTHER_TOKEN)
    await house.call(TRACK, PARCEL, server="depot")
    token = await first_phase(house, SHIP, PARCEL, server="depot")
    await house.call(SHIP, PARCEL, state=token, server="depot")
    await house.call(TRACK, PARCEL, server="nowhere")


async def test_no_token_crosses_the_gateway(
    house: House, depot: ForeignServer, caplog: pytest.LogCaptureFixture
) -> None:
    """All kinds of calls; then everything that anybody saw is searched for what they must not have seen."""
    caplog.set_level("DEBUG")
    overheard = Overheard()
    house.http.event_hooks["response"].append(overheard)
    await every_kind_of_call(house)

    paypal = "".join(f"{call!r}{dict(call.headers)!r}{call.body!r}" for call in house.simulator.calls)
    foreign = "".join(f"{head!r}" for head in depot.headers) + "".join(raw.decode() for raw in depot.raw)
    assert len(house.simulator.calls) > 6
    assert len(depot.raw) == 2
    for token in (AGENT_TOKEN, OTHER_TOKEN):
        assert token not in paypal
        assert token not in foreign

    (paypal_token,) = {call.headers["authorization"].split()[1] for call in house.simulator.calls}
    assert {head["authorization"] for head in depot.headers} == {f"Bearer {DEPOT_SECRET}"}
    assert DEPOT_SECRET not in paypal
    assert paypal_token not in foreign

    files = b"".join(one.read_bytes() for one in house.audit_path.parent.iterdir() if one.is_file()).decode(
        "latin-1"
    )
    log = "".join(record.getMessage() + repr(record.__dict__) for record in caplog.records)
    for name, place in (("answers", overheard.text), ("files", files), ("log", log)):
        assert place, name
        for secret in (paypal_token, CLIENT_SECRET, DEPOT_SECRET):
            assert not [one for one in spellings(secret) if one in place], name
        if name != "answers":
            assert AGENT_TOKEN not in place, name
            assert OTHER_TOKEN not in place, name
    assert AGENT_TOKEN not in overheard.text


async def test_a_target_that_echoes_its_credential_is_not_believed(house: House) -> None:
    """PayPal's answers quote our Authorization header, as a proxy's page might: the caller does not get it."""
    await house.call("list_invoices", READ)
    authorization = house.simulator.calls[-1].headers["authorization"]
    token = authorization.split()[1]
    details = [{"issue": "HEADERS", "description": f"You sent {authorization}"}]
    for body, headers in (
        ({"name": "BAD", "message": authorization, "debug_id": token}, {}),
        ({"name": token, "details": details}, {}),
        ({"name": "BAD"}, {"paypal-debug-id": token}),
    ):
        fault = Fault(match=Match(method="GET"), kind="status", status=400, body=body, headers=headers)
        house.simulator.faults.add(fault)
        answer = await house.call("list_invoices", READ)
        assert status_of(answer) == "failed"
        assert token not in str(answer)
    for invoice_ in house.simulator.ledger.invoices.values():
        invoice_["detail"]["note"] = authorization
    answer = await house.call("list_invoices", READ)
    assert status_of(answer) == "executed"
    assert "[redacted]" in str(answer)
    assert token not in str(answer)
    assert token not in house.audit_path.read_text()


async def test_the_approver_sees_no_token(house: House) -> None:
    """Neither page nor headers of the console hold a credential of either side."""
    waiting = await until_confirmation(house, "create_refund", refund("1.75"))
    async with signed_in(house) as person:
        page = await person.open(approve_url_of(waiting))
        seen = page.text + repr(page.headers) + (await person.open(f"{house.url}/console/")).text
    for secret in (AGENT_TOKEN, CLIENT_SECRET, DEPOT_SECRET, waiting["result"]["requestState"]):
        assert secret not in seen


async def test_the_policy_is_not_told_either(tmp_path: Path) -> None:
    """A policy that repeats all it was asked can give away nobody's credential: it never had one."""
    policies = with_decision(tmp_path, ECHO)
    async with running_house(tmp_path, policy=judged_by(policies)) as house:
        answer = await house.call("create_refund", refund(), state=None)
        said = text_of(answer)
        assert "agent-one" in said
        for secret in (AGENT_TOKEN, CLIENT_SECRET):
            assert not [one for one in spellings(secret) if one in said]


@pytest.mark.parametrize("era", ["legacy", "modern"])
async def test_an_exchanged_token_is_all_that_goes_on(
    tmp_path: Path, depot: ForeignServer, era: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The caller's own token goes to the token endpoint, and what comes back for it to the server; neither to the
    caller, to the audit or to the log."""
    caplog.set_level("DEBUG")
    policies = copied(tmp_path)
    edit_data(policies, "migration", phase="preparation")
    edit_data(policies, "classes", tools={TRACK: 4})
    overheard = Overheard()
    async with running_token_server() as tokens:
        oauth = OAuthSettings(
            token_url=tokens.url, client_id="gateway", client_secret=Hidden(DEPOT_SECRET), exchange=True
        )
        upstream = UpstreamSettings(url=depot.url, oauth=oauth)
        async with running_house(
            tmp_path, policy=judged_by(policies), upstreams={"depot": upstream}
        ) as house:
            house.http.event_hooks["response"].append(overheard)
            answer = await house.call(TRACK, PARCEL, server="depot", era=era)
            assert "result" in answer
            audit = house.audit_path.read_text()
        forms = [form.get("subject_token") for form in tokens.forms]
    assert forms == [None, AGENT_TOKEN]
    assert depot.headers[-1]["authorization"] == "Bearer granted-2"
    foreign = f"{depot.headers}{depot.raw}"
    assert [AGENT_TOKEN in place for place in (foreign, audit, caplog.text)] == [False] * 3
    told = foreign + overheard.text + audit + caplog.text
    assert not any(secret in told for secret in spellings(DEPOT_SECRET))
    assert "granted-" not in overheard.text + audit + caplog.text

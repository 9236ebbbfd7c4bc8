"""The kill switch over HTTP and in the console of a whole gateway: judged by the admin policy, recorded with why."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from gateway.identity.static import StaticToken, hash_static_token
from gateway.settings.model import IdentitySettings
from tests.support.answers import codes_of, status_of
from tests.support.calls import READ, first_phase, invoice, refund, until_confirmation
from tests.support.console import Person, signed_in
from tests.support.house import AGENT_TOKEN, House, agent, running_house

ALARM_TOKEN = "unsafe-test-token-of-the-alarm-00003"
TOOL = {"kind": "tool", "value": "create_invoice", "within": "paypal", "reason": "Odd invoices."}


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A gateway with an agent and an alarm system that has the operator's role."""
    alarm = StaticToken(sha256=hash_static_token(ALARM_TOKEN), subject="alarm", roles=("operator",))
    identity = IdentitySettings(tokens=(agent(AGENT_TOKEN, "agent-one"), alarm))
    async with running_house(tmp_path, identity=identity) as running:
        yield running


@pytest.fixture
async def operator(house: House) -> AsyncIterator[Person]:
    """Signed in at the console."""
    async with signed_in(house, "ops", ("operator",)) as somebody:
        yield somebody


async def door(
    house: House, method: str, below: str = "", token: str = ALARM_TOKEN, **body: Any
) -> httpx.Response:
    """One request with an access token."""
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    content = msgspec.json.encode(body) if body else None
    return await house.http.request(method, f"/admin/kill{below}", headers=headers, content=content)


async def form(house: House, person: Person, path: str, **fields: str) -> httpx.Response:
    """A form of the console's page, sent as a browser sends it."""
    page = (await person.open(f"{house.url}/console/stops")).text
    csrf = page.split('name="csrf" value="', 1)[1].split('"', 1)[0]
    return await person.http.post(
        f"{house.url}/console/stops{path}",
        data={"csrf": csrf, **fields},
        headers={"origin": person.origin},
    )


def acts(house: House) -> list[tuple[str, str, list[str], str | None]]:
    """Who did what, and why, by the audit."""
    return [
        (one["caller"]["subject"], one["status"], one["reasons"], one["note"])
        for one in house.records("admin")
        if one["status"] != "opened"
    ]


async def test_an_alarm_stops_a_tool_and_a_person_lifts_it(house: House, operator: Person) -> None:
    """From the next call on; what waited is void; who and why is in the record, and only people let it go on."""
    waiting = await until_confirmation(house, "create_refund", refund("7.00"))
    assert status_of(waiting) == "confirmation_required"
    stopped = await door(house, "POST", **{**TOOL, "value": "create_refund"})
    assert stopped.status_code == 201, stopped.text
    assert stopped.json()["voided"] == 1
    order = stopped.json()["order"]
    assert codes_of(await house.call("create_refund", refund("7.00"))) == ["kill.tool"]
    assert [one["id"] for one in (await door(house, "GET")).json()["orders"]] == [order["id"]]
    lift = await door(house, "POST", f"/{order['id']}/lift", reason="All good.")
    assert (lift.status_code, lift.json()["reasons"][0]["code"]) == (403, "admin.assurance_too_low")
    assert codes_of(await house.call("create_refund", refund("7.00"))) == ["kill.tool"]

    page = (await operator.open(f"{house.url}/console/stops")).text
    assert "Odd invoices." in page
    done = await form(house, operator, f"/{order['id']}/lift", reason="Looked at it; harmless.")
    assert "Lifted" in done.text
    assert await first_phase(house, "create_refund", refund("7.00"))
    assert (await form(house, operator, f"/{order['id']}/lift", reason="Again.")).status_code == 404
    assert acts(house) == [
        ("alarm", "executed", ["admin.kill_add", "admin.permitted"], "Odd invoices."),
        ("alarm", "refused", ["admin.kill_lift", "admin.assurance_too_low"], "All good."),
        ("ops", "executed", ["admin.kill_lift", "admin.permitted"], "Looked at it; harmless."),
    ]
    assert house.paypal_writes == []


async def test_a_person_stops_a_caller_in_the_console(house: House, operator: Person) -> None:
    """At once, reads included."""
    done = await form(house, operator, "", kind="caller", value="agent-one", within="", reason="Stolen.")
    assert "is stopped at every gateway" in done.text
    assert codes_of(await house.call("list_invoices", READ)) == ["kill.caller"]
    assert acts(house)[-1] == ("ops", "executed", ["admin.kill_add", "admin.permitted"], "Stolen.")


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "everything"},
        {"kind": "definition", "value": "d" * 12, "within": None},
        {"kind": "revision", "within": "paypal"},
        {"value": ""},
        {"value": "x" * 513},
        {"reason": " "},
        {"reason": "a\u202eb"},
        {"reason": "x" * 501},
        {"more": 1},
        {"reason": 7},
    ],
)
async def test_what_is_not_said_clearly_stops_nothing(house: House, change: dict[str, Any]) -> None:
    """400, with what is wrong."""
    answer = await door(house, "POST", **{**TOOL, **change})
    assert (answer.status_code, answer.json()["error"]) == (400, "kill.malformed")
    assert (await door(house, "GET")).json() == {"orders": []}


async def test_who_may_not_does_not(house: House) -> None:
    """An agent, somebody without a token, an approver who wants to lift: nothing changes, and the no is recorded."""
    for token in (AGENT_TOKEN, "nobody"):
        refused = await door(house, "POST", token=token, **TOOL)
        assert refused.status_code == (403 if token == AGENT_TOKEN else 401)
        assert (await door(house, "GET", token=token)).status_code in (401, 403)
    order = (await door(house, "POST", **TOOL)).json()["order"]
    async with signed_in(house, "ann", ("approver",)) as approver:
        assert "You cannot lift anything" in (await approver.open(f"{house.url}/console/stops")).text
        lift = await form(house, approver, f"/{order['id']}/lift", reason="I want it.")
        assert lift.status_code == 403
    async with signed_in(house, "eve", ("nobody",)) as stranger:
        assert (await stranger.open(f"{house.url}/console/stops")).status_code == 403
    assert [(who, status) for who, status, *_ in acts(house)] == [
        ("agent-one", "refused"),
        ("alarm", "executed"),
        ("ann", "refused"),
    ]
    assert codes_of(await house.call("create_invoice", invoice("x"))) == ["kill.tool"]


async def test_bodies_are_bounded_and_strict(house: House) -> None:
    """No body is too large, too odd or of another kind to be answered with an error of the tree."""
    headers = {"authorization": f"Bearer {ALARM_TOKEN}", "content-type": "application/json"}
    for content, code in (
        (b"x" * 20_000, "door.too_large"),
        (b'{"kind":"tool","kind":"caller"}', "door.duplicate_key"),
        (b"", "door.json"),
        (b"[]", "kill.malformed"),
    ):
        answer = await house.http.post("/admin/kill", headers=headers, content=content)
        assert answer.json()["error"] == code
    plain = {**headers, "content-type": "text/plain"}
    assert (await house.http.post("/admin/kill", headers=plain, content=b"{}")).json()[
        "error"
    ] == "door.media_type"
    missing = await door(house, "POST", "/none/lift", reason="r")
    assert (missing.status_code, missing.json()["error"]) == (404, "kill.not_found")

"""The admin API: what programs may do about tools is the policy's word, and each act is in the audit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.approving.conftest import ETDI, WIRE, Desk, a_desk
from tests.support.console import signed_in
from tests.support.depot import SHIP
from tests.support.house import AGENT_TOKEN

NAMED = {"server": "depot", "tool": SHIP}


async def test_a_bearer_token_asks_and_decides_nothing(desk: Desk) -> None:
    """Attack: an injected agent holds the token of somebody who may approve. By the shipped rules it may only ask."""
    digest = await desk.digest()
    for path, body in (("/approve", {**NAMED, "definition_hash": digest}), ("/revoke", NAMED)):
        refused = await desk.api("POST", path, body)
        assert (refused.status_code, refused.json()["error"]) == (403, "admin.assurance_too_low")
    assert (await desk.api("GET", "")).status_code == 403
    assert (await desk.api("GET", f"/review?server=depot&tool={SHIP}")).status_code == 403
    assert (await desk.api("POST", "/request", {**NAMED, "why": "for invoices"})).json() == {
        "requested": True
    }
    acts = [(one["reasons"][0], one["status"]) for one in desk.house.records("admin")]
    assert [one for one in acts if one[1] != "opened"] == [
        ("admin.approve_tool", "refused"),
        ("admin.revoke_tool", "refused"),
        ("admin.request_tool", "executed"),
    ]
    known = await desk.house.gateway.approvals.known("depot", SHIP)
    assert known.record is not None
    assert (known.record.approval, known.record.history[0].by) == (None, "robot")


async def test_an_operator_may_let_programs_decide(tmp_path: Path) -> None:
    """By the policy's data: approved in part, seen in the list, revoked; each with its record."""
    async with a_desk(
        tmp_path, min_assurance={"approve_tool": "agent", "revoke_tool": "agent", "read": "agent"}
    ) as desk:
        digest = await desk.digest()
        agents = await desk.api("POST", "/approve", {**NAMED, "definition_hash": digest}, token=AGENT_TOKEN)
        assert agents.json()["error"] == "admin.role_missing"
        made = await desk.api(
            "POST",
            "/approve",
            {**NAMED, "definition_hash": digest, "permissions": ["parcels:read"], "why": "CI"},
        )
        assert made.json()["approval"]["approved"] == ["parcels:read"]
        assert await desk.called() == ["catalog.permission_not_approved"]
        listed = (await desk.api("GET", "?server=depot")).json()
        assert [(one["tool"], one["standing"]) for one in listed["tools"]] == [(SHIP, "approved")]
        assert (await desk.api("GET", "?pending=true&server=depot")).json()["tools"] == []
        review = (await desk.api("GET", f"/review?server=depot&tool={SHIP}")).json()
        assert [one["via"] for one in review["history"]] == ["api"]
        assert (review["report"]["badge"], review["report"]["chain"]["overallTrust"]) == (
            "error",
            "untrusted",
        )
        assert (await desk.api("POST", "/revoke", NAMED)).json()["approval"]["revoked"] is True
        assert await desk.called() == ["catalog.approval_revoked"]
        facts = next(one["approval"] for one in desk.house.records("admin") if "approval" in one)
        assert facts == {
            "version": "1.0.0",
            "provider": "depot",
            "requested": ETDI["permissions"],
            "approved": ["parcels:read"],
            "expires": None,
            "via": "api",
        }


async def test_a_session_with_its_token(desk: Desk) -> None:
    """The console's own rules: the cookie alone changes nothing, nor does a page of somebody else's."""
    digest = await desk.digest()
    body = {**NAMED, "definition_hash": digest}
    async with signed_in(desk.house, "ann", ("operator",)) as person:
        url = f"{desk.house.url}/console/admin/tools"
        csrf = (await person.http.get(url)).json()["csrf"]
        origin = {"origin": desk.house.url}
        assert (await person.http.post(f"{url}/approve", json=body, headers=origin)).status_code == 403
        foreign = {"origin": "https://mallory.example", "x-csrf-token": csrf}
        assert (await person.http.post(f"{url}/approve", json=body, headers=foreign)).status_code == 403
        made = await person.http.post(f"{url}/approve", json=body, headers={**origin, "x-csrf-token": csrf})
        assert made.json()["approval"]["by"] == "ann"
    known = await desk.house.gateway.approvals.known("depot", SHIP)
    assert known.record is not None
    assert known.record.history[0].via.startswith("console ")


async def test_what_changed_meanwhile_is_not_approved(tmp_path: Path) -> None:
    """R085: the server is asked once more directly before; the very definition of the request is approved, or none."""
    async with a_desk(tmp_path, min_assurance={"approve_tool": "agent"}) as desk:
        digest = await desk.digest()
        desk.depot.tools = [{**WIRE, "description": "Mallory's."}]
        refused = await desk.api("POST", "/approve", {**NAMED, "definition_hash": digest})
        assert (refused.status_code, refused.json()["error"]) == (409, "approval.definition_changed")
        assert await desk.house.gateway.approvals.of("depot", SHIP) is None
        (record,) = [one for one in desk.house.records("admin") if one["status"] == "refused"]
        assert record["error"] == "approval.definition_changed"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({**NAMED, "definition_hash": "0" * 64, "permissions": ["admin"]}, 409),
        ({**NAMED, "definition_hash": "0" * 12}, 400),
        ({**NAMED, "definition_hash": "0" * 64, "surprise": 1}, 400),
        ({**NAMED, "definition_hash": "0" * 64, "expires": "soon"}, 400),
        ({**NAMED, "definition_hash": "0" * 64, "why": "x\u202e"}, 400),
        ({"server": "depot", "tool": "nothing", "definition_hash": "0" * 64}, 400),
        ({"server": "nowhere", "tool": SHIP, "definition_hash": "0" * 64}, 400),
        ([], 400),
        ("x", 400),
        (None, 415),
    ],
)
async def test_unusable_input_is_named(tmp_path: Path, body: Any, status: int) -> None:
    """And approves nothing; nothing is ever a 500."""
    async with a_desk(tmp_path, min_assurance={"approve_tool": "agent"}) as desk:
        refused = await desk.api("POST", "/approve", body)
        assert refused.status_code == status, refused.text
        assert "error" in refused.json()
        assert await desk.house.gateway.approvals.of("depot", SHIP) is None


async def test_strangers(desk: Desk) -> None:
    """Nobody without a token or a session gets an answer about tools, and a foreign Host gets none at all."""
    http = desk.house.http
    assert (await http.get("/admin/tools")).status_code == 401
    assert (await desk.api("GET", "", token="unsafe-test-token-of-nobody-0000000")).status_code == 401
    assert (await desk.api("GET", "", host="mallory.example")).status_code == 403
    assert (await http.delete("/admin/tools")).status_code == 405

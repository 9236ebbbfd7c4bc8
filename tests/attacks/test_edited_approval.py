"""Somebody who can write the state file, and has no key, makes himself an approval (R089). No tool is called for it."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.catalog.approvals import approval_key
from gateway.catalog.definition import read_definition
from gateway.catalog.tool import Approval
from gateway.settings.model import ApprovalSettings
from tests.support.answers import codes_of, status_of
from tests.support.depot import PARCEL, RECALL, SHIP, Depot, running_depot, tools
from tests.support.traces import Trace

WIRE = tools()[0]


@dataclass
class Thief:
    """Works on the SQLite file itself, beside the running gateway."""

    depot: Depot
    path: Path

    def read(self, server: str = "depot", tool: str = SHIP) -> bytes | None:
        """The record as it stands in the file."""
        with sqlite3.connect(self.path) as connection:
            found = connection.execute(
                "SELECT value FROM entry WHERE space = 'approval' AND key = ?",
                (approval_key(server, tool).encode(),),
            ).fetchone()
        return None if found is None else bytes(found[0])

    def write(self, value: bytes | None, server: str = "depot", tool: str = SHIP) -> None:
        """Put it there, or take it out."""
        key = approval_key(server, tool).encode()
        with sqlite3.connect(self.path) as connection:
            connection.execute("DELETE FROM entry WHERE space = 'approval' AND key = ?", (key,))
            if value is not None:
                connection.execute(
                    "INSERT INTO entry (space, key, value, expires_at) VALUES ('approval', ?, ?, NULL)",
                    (key, value),
                )

    async def refused(self, code: str = "catalog.approval_void", tool: str = SHIP) -> None:
        """A call is refused for this; the server saw nothing of it, and the audit says why."""
        sent, trace = len(self.depot.depot.calls), Trace(self.depot.house)
        answer = await self.depot.house.call(tool, PARCEL, server="depot")
        assert status_of(answer) == "refused"
        assert code in codes_of(answer)
        assert code in trace.record["reasons"]
        assert len(self.depot.depot.calls) == sent

    async def works(self) -> None:
        """A call is let through its first phase."""
        answer = await self.depot.house.call(SHIP, PARCEL, server="depot")
        assert status_of(answer) == "handshake_required", answer

    async def approve(self, wire: dict[str, Any] = WIRE) -> None:
        """An operator does."""
        approvals = self.depot.house.gateway.approvals
        await approvals.approve("depot", read_definition(wire), by="operator", expires=None)

    async def revoke(self) -> None:
        """An operator does."""
        await self.depot.house.gateway.approvals.revoke("depot", SHIP, by="operator")


@pytest.fixture
async def thief(tmp_path: Path) -> AsyncIterator[Thief]:
    """In the phase *preparation*, which lets unapproved tools through: a void record is worse than none."""
    async with running_depot(tmp_path, approvals=ApprovalSettings()) as depot:
        yield Thief(depot, tmp_path / "state.sqlite3")


async def test_a_record_written_by_hand(thief: Thief) -> None:
    """As it was stored before there were seals, for the very definition that is live."""
    live = read_definition(WIRE)
    forged = Approval(
        version=live.version,
        definition_hash=live.definition_hash,
        provider=live.provider,
        requested=live.permissions,
        approved=live.permissions,
        by="operator",
        at=1,
    )
    thief.write(msgspec.json.encode(forged))
    await thief.refused()


async def test_one_byte_of_a_record(thief: Thief) -> None:
    """And as it was, it works again."""
    await thief.approve()
    await thief.works()
    value = thief.read()
    assert value is not None
    assert b"operator" not in value
    for at in (0, 5, 21, 40, len(value) - 1):
        thief.write(value[:at] + bytes([value[at] ^ 1]) + value[at + 1 :])
        await thief.refused()
    thief.write(value)
    await thief.works()


async def test_a_revocation_is_undone(thief: Thief) -> None:
    """Attack: the genuine record from before the revocation is put back, while the gateway runs."""
    await thief.approve()
    genuine = thief.read()
    await thief.revoke()
    await thief.refused("catalog.approval_revoked")
    thief.write(genuine)
    await thief.refused()


async def test_a_revocation_is_undone_before_anybody_saw_it(thief: Thief) -> None:
    """Within the moment in which no call came: the anchor knows of it all the same."""
    await thief.approve()
    await thief.works()
    genuine = thief.read()
    await thief.revoke()
    thief.write(genuine)
    await thief.refused()


async def test_a_revocation_is_taken_out(thief: Thief) -> None:
    """No record is not *nothing was decided*: this phase would let that through."""
    await thief.approve()
    await thief.revoke()
    thief.write(None)
    await thief.refused()


async def test_a_release_pin_does_not_come_back(thief: Thief) -> None:
    """PayPal's own tool was revoked; without the record its pin would hold again."""
    house = thief.depot.house
    await house.gateway.approvals.revoke("paypal", "list_invoices", by="operator")
    thief.write(None, "paypal", "list_invoices")
    house.clock.advance(3)
    trace = Trace(house)
    answer = await house.call("list_invoices", {"page": 1})
    assert "catalog.approval_void" in codes_of(answer)
    assert trace.paypal == []


async def test_the_approval_of_another_tool(thief: Thief) -> None:
    """A genuine record in another's place."""
    await thief.approve()
    thief.write(thief.read(), tool=RECALL)
    await thief.refused(tool=RECALL)
    await thief.works()


async def test_over_a_restart(tmp_path: Path) -> None:
    """The state is rolled back while no gateway runs: the next one knows what was decided last."""
    async with running_depot(tmp_path, approvals=ApprovalSettings()) as depot:
        thief = Thief(depot, tmp_path / "state.sqlite3")
        await thief.approve()
        genuine = thief.read()
        await thief.revoke()
        policies = depot.policies
    thief.write(genuine)
    async with running_depot(tmp_path, policies=policies, approvals=ApprovalSettings()) as depot:
        await Thief(depot, tmp_path / "state.sqlite3").refused()


async def test_only_a_new_decision_mends_it(thief: Thief) -> None:
    """And it says in its history what it replaced."""
    thief.write(b"junk")
    await thief.refused()
    await thief.approve()
    await thief.works()
    record = (await thief.depot.house.gateway.approvals.known("depot", SHIP)).record
    assert record is not None
    assert [one.kind for one in record.history] == ["replaced a void record", "approved"]

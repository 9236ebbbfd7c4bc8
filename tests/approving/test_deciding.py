"""Directly before a tool is approved it is looked at once more; and nothing is approved that is not recorded first."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.approving.book import ApprovalBook
from gateway.approving.deciding import ApprovalRefused, Deciding
from gateway.approving.words import told
from gateway.audit.file_sink import FileSink
from gateway.audit.ledger import Audit
from gateway.catalog.approval_record import Actor
from gateway.catalog.approvals import Approvals
from gateway.catalog.catalog import Entry
from gateway.catalog.definition import Definition, read_definition
from gateway.catalog.schema import InputSchema
from gateway.catalog.tool import ETDI_META_KEY, Etdi, EtdiStatus, Tool
from gateway.errors import AuditUnavailable, StoreUnavailable
from gateway.state.sqlite import SqliteStore
from tests.support.clock import ManualClock
from tests.support.walking import a_definition

ANN = Actor(name="ann", issuer="https://idp.example", via="console 1a2b")
BLOCK: dict[str, Any] = {"version": "1.0.0", "provider": {"id": "p"}, "permissions": ["a", "b"]}


def a(**members: Any) -> Definition:
    """A definition with a block."""
    return read_definition(a_definition("x", **{"_meta": {ETDI_META_KEY: BLOCK}, **members}))


@dataclass
class Shelf:
    """What the server lists from the next look on; counts the looks that were asked to be new ones."""

    definition: Definition
    etdi: Etdi = field(default_factory=Etdi)
    looks: list[str] = field(default_factory=list)

    def expire(self, name: str) -> None:
        """The next look is a new one."""
        self.looks.append(name)

    async def current(self, server: str, tool: str, *, sensitive: bool) -> Entry:
        """As it is now."""
        one = self.definition
        return Entry(
            tool=Tool(
                name=one.name,
                version=one.version,
                definition_hash=one.definition_hash,
                provider=one.provider,
                permissions=one.permissions,
                annotations={},
                etdi=self.etdi,
                first_seen=1,
            ),
            approval=None,
            definition=one,
            schema=InputSchema(one.input_schema),
        )


@dataclass
class Desk:
    """Real approvals and a real audit over a shelf in the test's hand."""

    shelf: Shelf
    approvals: Approvals
    store: SqliteStore
    audit: Audit
    path: Path
    deciding: Deciding

    async def approve(self, **how: Any) -> str | None:
        """By ann, as it is; the code of the refusal, or None."""
        try:
            await self.deciding.approve(
                ANN, "bank", "x", **{"seen": self.shelf.definition.definition_hash, **how}
            )
        except ApprovalRefused as refused:
            return refused.code
        return None

    def records(self) -> list[dict[str, Any]]:
        """The closing records of the audit."""
        lines = [
            msgspec.json.decode(line)["record"]
            for line in self.path.read_bytes().splitlines()
            if b'"record"' in line
        ]
        return [one for one in lines if one["status"] != "opened"]


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """Nothing approved yet."""
    clock, path = ManualClock(), tmp_path / "audit.jsonl"
    store = SqliteStore(tmp_path / "state.sqlite3")
    approvals = Approvals(store, pins={}, now=clock)
    audit = Audit(FileSink(path), service_version="0", environment="none")
    shelf = Shelf(a())
    deciding = Deciding(shelf, approvals, ApprovalBook(audit), told=told, now=clock)
    yield Desk(shelf, approvals, store, audit, path, deciding)
    await audit.aclose()
    await store.aclose()


@pytest.mark.parametrize(
    ("etdi", "members", "code", "text"),
    [
        (
            Etdi(status=EtdiStatus.TOKEN_INVALID, error="revoked"),
            {},
            "approval.token_invalid",
            "Cannot approve a tool with invalid OAuth token",
        ),
        (Etdi(status=EtdiStatus.SIGNATURE_INVALID), {}, "approval.signature_invalid", "invalid signature"),
        (
            Etdi(status=EtdiStatus.VERIFIED, evidence="token"),
            {"_meta": {}},
            "approval.provider_missing",
            "Missing OAuth provider information",
        ),
    ],
)
async def test_what_was_revoked_between_listing_and_approval(
    desk: Desk, etdi: Etdi, members: dict[str, Any], code: str, text: str
) -> None:
    """R085: looked at anew, refused in the words of the design, recorded, and nothing is approved."""
    desk.shelf.definition, desk.shelf.etdi = a(**members), etdi
    with pytest.raises(ApprovalRefused, match=text):
        await desk.deciding.approve(ANN, "bank", "x", seen=desk.shelf.definition.definition_hash)
    assert desk.shelf.looks == ["bank"]
    assert await desk.approvals.of("bank", "x") is None
    (record,) = desk.records()
    assert (record["status"], record["error"]) == ("refused", code)


async def test_a_tool_without_any_evidence_can_be_approved(desk: Desk) -> None:
    """Whether that is enough for a call is the policy's business."""
    assert await desk.approve() is None
    approval = await desk.approvals.of("bank", "x")
    assert approval is not None
    assert approval.by == "ann"


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ({"seen": "0" * 64}, "approval.definition_changed"),
        ({"seen": ""}, "approval.definition_changed"),
        ({"permissions": ("c",)}, "approval.permission_unknown"),
        ({"expires": 0}, "approval.expiry"),
        ({"expires": 1_795_224_000}, "approval.expiry"),
        ({"expires": 10**12}, "approval.expiry"),
    ],
)
async def test_what_cannot_be_approved(desk: Desk, how: dict[str, Any], code: str) -> None:
    """Each with its code and its record."""
    assert await desk.approve(**how) == code
    assert await desk.approvals.of("bank", "x") is None
    assert [one["error"] for one in desk.records()] == [code]


async def test_the_record_of_an_approval(desk: Desk) -> None:
    """R087: who, what, of which version of whose, and which part of what it asks for."""
    await desk.approve(permissions=("b",))
    (record,) = desk.records()
    assert (record["phase"], record["caller"]["subject"], record["tool"]) == ("admin", "ann", "x")
    assert record["definition_hash"] == desk.shelf.definition.definition_hash
    assert record["approval"] == {
        "version": "1.0.0",
        "provider": "p",
        "requested": ["a", "b"],
        "approved": ["b"],
        "expires": None,
        "via": "console 1a2b",
    }


async def test_what_changed_is_in_the_history(desk: Desk) -> None:
    """From the definition that was approved before."""
    await desk.approve()
    desk.shelf.definition = a(title="T")
    await desk.approve(why="a title")
    record = (await desk.approvals.known("bank", "x")).record
    assert record is not None
    assert (record.history[-1].changes, record.history[-1].why) == (("+ title added: T",), "a title")


async def test_nothing_is_approved_without_a_record(desk: Desk) -> None:
    """The audit comes first."""
    await desk.audit.aclose()
    with pytest.raises(AuditUnavailable):
        await desk.approve()
    assert await desk.approvals.of("bank", "x") is None
    with pytest.raises(AuditUnavailable):
        await desk.deciding.request(ANN, "bank", "x")


async def test_a_store_that_cannot_say(desk: Desk) -> None:
    """Is found out before anything is recorded as done."""
    await desk.approve()
    known = await desk.approvals.of("bank", "x")
    assert known is not None
    await desk.store.aclose()
    with pytest.raises(StoreUnavailable):
        await desk.approve()
    assert len(desk.records()) == 1


async def test_nothing_to_revoke(desk: Desk) -> None:
    """Neither a record nor an error; a revocation asks no server."""
    assert await desk.deciding.revoke(ANN, "bank", "x") is None
    await desk.approve()
    looks = list(desk.shelf.looks)
    revoked = await desk.deciding.revoke(ANN, "bank", "x", why="broken")
    assert revoked is not None
    assert revoked.revoked
    assert len(desk.records()) == 2
    assert desk.shelf.looks[: len(looks)] == looks

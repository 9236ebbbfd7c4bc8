"""Approvals: of exactly one definition of exactly one tool of exactly one server."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from gateway.catalog.anchor import Anchor
from gateway.catalog.approval_record import Actor, UnknownPermission
from gateway.catalog.approvals import Approvals, approval_key
from gateway.catalog.definition import read_definition
from gateway.catalog.seal import Flaw, Seal
from gateway.catalog.tool import ETDI_META_KEY
from gateway.state.sqlite import SqliteStore
from gateway.state.store import Space, Store
from tests.support.clock import ManualClock
from tests.support.walking import a_definition, an_approval

HOSTILE = [
    "../x",
    "a/b",
    "..\\x",
    "nul\x00byte",
    "x" * 300,
    "Pay",
    "pay",
    "PAY",
    "pay ",
    " pay",
    "",
    "\ud800",
    "p\u0430y",
    '","',
    '["a", "b"]',
    "*",
    "%2e%2e",
    "\u202epay",
    "CON",
    "é",
    "e\u0301",
]


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """A real store."""
    store = SqliteStore(tmp_path / "state.sqlite3")
    yield store
    await store.aclose()


@pytest.fixture
def approvals(store: Store) -> Approvals:
    """With one pin."""
    return Approvals(store, pins={("bank", "pinned"): an_approval(by="release")}, now=ManualClock())


def test_no_two_tools_share_a_key() -> None:
    """Whatever their names, whichever half of the pair the oddity is in; and the key is always a plain hash."""
    names = [*HOSTILE, "bank"]
    keys = {approval_key(server, tool) for server in names for tool in names}
    assert len(keys) == len(names) ** 2
    assert all(len(key) == 64 and key.isalnum() for key in keys)


async def test_hostile_names_are_approved_each_for_itself(approvals: Approvals) -> None:
    """Approving one approves no other."""
    wanted = [name for name in HOSTILE if name != "\ud800" and 1 <= len(name) <= 128]
    for i, name in enumerate(wanted):
        assert await approvals.of("bank", name) is None
        await approvals.approve("bank", read_definition(a_definition(name)), by=str(i), expires=None)
    for i, name in enumerate(wanted):
        found = await approvals.of("bank", name)
        assert found is not None
        assert found.by == str(i)
        assert await approvals.of("other", name) is None


async def test_an_approval_is_of_this_very_definition(approvals: Approvals) -> None:
    """With its version, provider and all its permissions; until when, and by whom."""
    block = {"version": "1.2.0", "provider": "p", "permissions": ["b", "a"]}
    definition = read_definition(a_definition("x", _meta={ETDI_META_KEY: block}))
    made = await approvals.approve("bank", definition, by="ops", expires=9)
    assert await approvals.of("bank", "x") == made
    assert made.definition_hash == definition.definition_hash
    assert (made.version, made.provider, made.requested, made.approved) == (
        "1.2.0",
        "p",
        ("a", "b"),
        ("a", "b"),
    )
    assert (made.by, made.expires, made.revoked, made.at) == ("ops", 9, False, 1_795_224_000)


async def test_a_revocation_stays(approvals: Approvals) -> None:
    """With the name of who revoked; approving anew lifts it."""
    definition = read_definition(a_definition("x"))
    await approvals.approve("bank", definition, by="ops", expires=None)
    revoked = await approvals.revoke("bank", "x", by="boss")
    assert revoked is not None
    assert (revoked.revoked, revoked.by) == (True, "boss")
    assert await approvals.of("bank", "x") == revoked
    again = await approvals.approve("bank", definition, by="ops", expires=None)
    assert not again.revoked
    assert await approvals.of("bank", "x") == again


async def test_a_pin_holds_until_somebody_decides(approvals: Approvals) -> None:
    """The operator's record overrides the release's, and the pin itself stays what it is."""
    assert await approvals.of("bank", "pinned") == an_approval(by="release")
    await approvals.revoke("bank", "pinned", by="boss")
    found = await approvals.of("bank", "pinned")
    assert found is not None
    assert found.revoked
    assert approvals.pinned("bank", "pinned") == an_approval(by="release")
    assert await approvals.of("other", "pinned") is None


async def test_nothing_to_revoke(approvals: Approvals) -> None:
    """Is said."""
    assert await approvals.revoke("bank", "unheard of", by="boss") is None


@pytest.mark.parametrize("damage", [b"", b"{}", b"null", b"\xff", b'{"version":"1"}', b'{"by":"\xff"}'])
async def test_a_damaged_record_approves_nothing(approvals: Approvals, store: Store, damage: bytes) -> None:
    """Not even what the release pinned: somebody had decided something, and nobody knows what. Nor is it *nothing*,
    which a migration phase may soften."""
    await store.put(Space.APPROVAL, approval_key("bank", "pinned"), damage, ttl_s=None)
    found = await approvals.of("bank", "pinned")
    assert found is not None
    assert (found.void, found.revoked, found.approved) == ("unreadable", True, ())


async def test_approvals_outlive_the_process(approvals: Approvals, store: Store, tmp_path: Path) -> None:
    """R088."""
    await approvals.approve("bank", read_definition(a_definition("x")), by="ops", expires=None)
    await store.aclose()
    reopened = SqliteStore(tmp_path / "state.sqlite3")
    try:
        assert await Approvals(reopened, pins={}, now=ManualClock()).of("bank", "x") is not None
    finally:
        await reopened.aclose()


async def test_a_part_of_the_permissions(approvals: Approvals) -> None:
    """R086, C21: requested stays whole, the empty set approves nothing, and what was not asked for is refused."""
    block = {"version": "1.2.0", "provider": "p", "permissions": ["a", "b"]}
    definition = read_definition(a_definition("x", _meta={ETDI_META_KEY: block}))
    part = await approvals.approve("bank", definition, by="ops", expires=None, permissions=("b", "b"))
    assert (part.requested, part.approved) == (("a", "b"), ("b",))
    nothing = await approvals.approve("bank", definition, by="ops", expires=None, permissions=())
    assert (nothing.requested, nothing.approved) == (("a", "b"), ())
    with pytest.raises(UnknownPermission):
        await approvals.approve("bank", definition, by="ops", expires=None, permissions=("c",))
    assert await approvals.of("bank", "x") == nothing


async def test_who_decided_what_and_how_they_came(approvals: Approvals) -> None:
    """The record tells its own history, oldest first."""
    definition = read_definition(a_definition("x"))
    ann = Actor(name="ann", issuer="https://idp.example", via="console 1a2b")
    await approvals.request(
        "bank", definition, by=Actor(name="agent-7", via="api"), why="needed for invoices"
    )
    assert await approvals.of("bank", "x") is None
    await approvals.approve("bank", definition, by=ann, expires=9, changes=("a line",), why="looked at")
    await approvals.revoke("bank", "x", by=Actor(name="bob", via="cli"), why="broken")
    record = (await approvals.known("bank", "x")).record
    assert record is not None
    assert (record.server, record.tool, record.number) == ("bank", "x", 3)
    assert [(one.kind, one.by, one.via, one.why) for one in record.history] == [
        ("requested", "agent-7", "api", "needed for invoices"),
        ("approved", "ann", "console 1a2b", "looked at"),
        ("revoked", "bob", "cli", "broken"),
    ]
    assert record.history[1].changes == ("a line",)
    assert record.history[1].definition_hash == definition.definition_hash


async def test_a_request_opens_nothing(approvals: Approvals) -> None:
    """Neither anew nor over a revocation; the release's pin holds on beside it; asked twice, it is noted once."""
    definition = read_definition(a_definition("pinned"))
    agent = Actor(name="agent-7")
    for _ in range(2):
        await approvals.request("bank", definition, by=agent, why=None)
    assert await approvals.of("bank", "pinned") == an_approval(by="release")
    record = (await approvals.known("bank", "pinned")).record
    assert record is not None
    assert len(record.history) == 1
    await approvals.revoke("bank", "pinned", by="boss")
    await approvals.request("bank", definition, by=agent, why=None)
    found = await approvals.of("bank", "pinned")
    assert found is not None
    assert found.revoked


async def test_two_who_decide_at_once(approvals: Approvals) -> None:
    """Both are in the history, one after the other."""
    definition = read_definition(a_definition("x"))
    await asyncio.gather(
        approvals.approve("bank", definition, by="ann", expires=None),
        approvals.approve("bank", definition, by="bob", expires=None),
    )
    record = (await approvals.known("bank", "x")).record
    assert record is not None
    assert {one.by for one in record.history} == {"ann", "bob"}
    assert record.number == 2


async def test_the_approved_definition_is_kept(approvals: Approvals, store: Store) -> None:
    """As long as it is the approved one, without its token."""
    block = {"version": "1.0.0", "oauth": {"token": "secret-token", "provider": "p"}}
    old = read_definition(a_definition("x", _meta={ETDI_META_KEY: block}))
    new = read_definition(a_definition("x", description="Another."))
    first = await approvals.approve("bank", old, by="ops", expires=None)
    kept = await approvals.approved_definition("bank", "x", first)
    assert kept is not None
    assert kept.definition_hash == old.definition_hash
    assert all(b"secret-token" not in value for _, value in await store.entries(Space.DEFINITION, limit=10))
    second = await approvals.approve("bank", new, by="ops", expires=None)
    assert await approvals.approved_definition("bank", "x", first) is None
    assert await approvals.approved_definition("bank", "x", second) == new
    assert len(await store.entries(Space.DEFINITION, limit=10)) == 1


async def test_a_record_from_before_there_were_records_is_read(approvals: Approvals, store: Store) -> None:
    """A bare approval, as earlier versions stored it; the next decision makes a record of it."""
    old = an_approval(by="ops")
    await store.put(Space.APPROVAL, approval_key("bank", "x"), msgspec.json.encode(old), ttl_s=None)
    assert await approvals.of("bank", "x") == old
    await approvals.revoke("bank", "x", by="boss")
    record = (await approvals.known("bank", "x")).record
    assert record is not None
    assert (record.number, record.tool) == (1, "x")


def sealed(store: Store, folder: Path, key: bytes = b"k" * 32, previous: tuple[bytes, ...] = ()) -> Approvals:
    """Approvals of a gateway with a seal and an anchor."""
    seal = Seal(key, previous)
    anchor = Anchor(folder / "approvals.anchor", seal)
    return Approvals(store, pins={}, now=ManualClock(), seal=seal, anchor=anchor)


async def test_a_new_key_opens_what_the_old_one_sealed(store: Store, tmp_path: Path) -> None:
    """And once it is resealed, the old one is needed no longer."""
    definition = read_definition(a_definition("x"))
    made = await sealed(store, tmp_path).approve("bank", definition, by="ops", expires=None)
    both = sealed(store, tmp_path, b"n" * 32, (b"k" * 32,))
    assert await both.of("bank", "x") == made
    assert await both.reseal(by=Actor(name="ops"), plain=False) == (1, 0)
    assert await both.reseal(by=Actor(name="ops"), plain=False) == (0, 0)
    assert await sealed(store, tmp_path, b"n" * 32).of("bank", "x") == made
    found = await sealed(store, tmp_path).of("bank", "x")
    assert found is not None
    assert found.void == Flaw.OTHER_KEY


async def test_records_from_before_the_seal_are_sealed_on_demand(store: Store, tmp_path: Path) -> None:
    """Until somebody says so they approve nothing; and what stands in the place of a sealed one is never taken."""
    definition = read_definition(a_definition("x"))
    plain = Approvals(store, pins={}, now=ManualClock())
    made = await plain.approve("bank", definition, by="ops", expires=None)
    gateway = sealed(store, tmp_path)
    found = await gateway.of("bank", "x")
    assert found is not None
    assert found.void == Flaw.NOT_SEALED
    assert await gateway.reseal(by=Actor(name="ann"), plain=False) == (0, 1)
    assert await gateway.reseal(by=Actor(name="ann"), plain=True) == (1, 0)
    assert await gateway.of("bank", "x") == made
    forged = msgspec.json.encode(made)
    await store.put(Space.APPROVAL, approval_key("bank", "x"), forged, ttl_s=None)
    assert await gateway.reseal(by=Actor(name="ann"), plain=True) == (0, 1)


async def test_a_void_record_is_replaced_by_a_new_decision(store: Store, tmp_path: Path) -> None:
    """And the history says so."""
    definition = read_definition(a_definition("x"))
    gateway = sealed(store, tmp_path)
    await store.put(Space.APPROVAL, approval_key("bank", "x"), b"junk", ttl_s=None)
    made = await gateway.approve("bank", definition, by="ann", expires=None)
    assert await gateway.of("bank", "x") == made
    record = (await gateway.known("bank", "x")).record
    assert record is not None
    assert [one.kind for one in record.history] == ["replaced a void record", "approved"]

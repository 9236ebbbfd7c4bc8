"""Approvals: of exactly one definition of exactly one tool of exactly one server."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.catalog.approvals import Approvals, approval_key
from gateway.catalog.definition import read_definition
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
    """Not even what the release pinned: somebody had decided something, and nobody knows what."""
    await store.put(Space.APPROVAL, approval_key("bank", "pinned"), damage, ttl_s=None)
    assert await approvals.of("bank", "pinned") is None


async def test_approvals_outlive_the_process(approvals: Approvals, store: Store, tmp_path: Path) -> None:
    """R088."""
    await approvals.approve("bank", read_definition(a_definition("x")), by="ops", expires=None)
    await store.aclose()
    reopened = SqliteStore(tmp_path / "state.sqlite3")
    try:
        assert await Approvals(reopened, pins={}, now=ManualClock()).of("bank", "x") is not None
    finally:
        await reopened.aclose()

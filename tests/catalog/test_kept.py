"""Approved definitions are kept, and believed by their hash."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.catalog.definition import read_definition
from gateway.catalog.kept import KeptDefinitions, without_token
from gateway.catalog.seal import Seal
from gateway.catalog.tool import ETDI_META_KEY
from gateway.state.sqlite import SqliteStore
from gateway.state.store import Space, Store
from tests.support.walking import a_definition

KEY = "a" * 64


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """A real store."""
    store = SqliteStore(tmp_path / "state.sqlite3")
    yield store
    await store.aclose()


@pytest.mark.parametrize("seal", [None, Seal(b"k" * 32)], ids=["plain", "sealed"])
async def test_kept_and_dropped(store: Store, seal: Seal | None) -> None:
    """Under the approval and its own hash."""
    kept = KeptDefinitions(store, seal=seal)
    one, two = read_definition(a_definition("x")), read_definition(a_definition("x", title="X"))
    assert await kept.keep(KEY, one)
    assert await kept.keep(KEY, two)
    assert await kept.of(KEY, one.definition_hash) == one
    assert await kept.of("b" * 64, one.definition_hash) is None
    await kept.drop(KEY, one.definition_hash)
    assert await kept.of(KEY, one.definition_hash) is None
    assert await kept.of(KEY, two.definition_hash) == two


async def test_another_definition_in_its_place_is_not_shown(store: Store) -> None:
    """Attack: the *before* of a diff is rewritten, so that the change looks small."""
    kept = KeptDefinitions(store, seal=None)
    one = read_definition(a_definition("x"))
    await kept.keep(KEY, one)
    name = f"{KEY}:{one.definition_hash}"
    forgeries: list[Any] = [a_definition("x", description="Harmless."), {"name": "x"}, [], {}]
    for forged in forgeries:
        await store.put(Space.DEFINITION, name, msgspec.json.encode(forged), ttl_s=None)
        assert await kept.of(KEY, one.definition_hash) is None
    await store.put(Space.DEFINITION, name, b"[" * 5000, ttl_s=None)
    assert await kept.of(KEY, one.definition_hash) is None


@pytest.mark.parametrize(
    "wire",
    [
        {"_meta": {ETDI_META_KEY: {"oauth": {"token": "T", "provider": "p"}}}},
        {"_meta": {"other/etdi": {"security": {"oauth": {"token": "T", "provider": "p"}}}}},
        {"security": {"oauth": {"token": "T", "provider": "p"}}},
        {"oauth": {"token": "T", "provider": "p"}},
    ],
)
def test_tokens_are_left_out(wire: dict[str, Any]) -> None:
    """Wherever a block stands; a property of that name is no token."""
    schema = {"type": "object", "properties": {"oauth": {"properties": {"token": {"type": "string"}}}}}
    made = without_token({**wire, "inputSchema": schema})
    assert '"T"' not in msgspec.json.encode(made).decode()
    assert '"p"' in msgspec.json.encode(made).decode()
    assert made["inputSchema"] == schema

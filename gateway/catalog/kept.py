"""The approved definitions themselves, so that a person can be shown what changed since.

A definition is kept under the approval's key and its own hash, and is believed only if it still has that hash: whatever
was done to the state, nobody is shown a *before* that was never approved. The OAuth token inside is left out (conflict
C55: a bearer token has no business in a store; the hash does not cover it).
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import msgspec

from gateway.catalog.definition import Definition, read_definition
from gateway.catalog.seal import Broken, Seal
from gateway.state.store import MAX_VALUE_BYTES, Space, Store


class KeptDefinitions:
    """Definitions by approval. Errors: ``StoreUnavailable``."""

    def __init__(self, store: Store, *, seal: Seal | None) -> None:
        self._store = store
        self._seal = seal

    async def keep(self, approval_key: str, definition: Definition) -> bool:
        """Keep it; False where it cannot be told later from another, or is too large."""
        kept = without_token(definition.wire)
        with suppress(ValueError):
            if read_definition(kept).definition_hash != definition.definition_hash:
                return False
            name = _name(approval_key, definition.definition_hash)
            value = msgspec.json.encode(kept)
            if self._seal is not None:
                value = self._seal.close(name, value)
            if len(value) <= MAX_VALUE_BYTES:
                await self._store.put(Space.DEFINITION, name, value, ttl_s=None)
                return True
        return False

    async def of(self, approval_key: str, definition_hash: str) -> Definition | None:
        """The definition of that hash; None where none was kept, or what is there has another hash."""
        name = _name(approval_key, definition_hash)
        value = await self._store.get(Space.DEFINITION, name)
        if value is None:
            return None
        try:
            plain = value if self._seal is None else self._seal.open(name, value)
            found = read_definition(msgspec.json.decode(plain, type=dict[str, Any]))
        except (Broken, ValueError, RecursionError):
            return None
        return found if found.definition_hash == definition_hash else None

    async def drop(self, approval_key: str, definition_hash: str) -> None:
        """Forget one that is approved no longer."""
        await self._store.take(Space.DEFINITION, _name(approval_key, definition_hash))


def without_token(wire: Mapping[str, Any]) -> dict[str, Any]:
    """The definition without OAuth tokens, in whichever of the known places an ETDI block stands."""
    shown = _tokenless(wire)
    meta = wire.get("_meta")
    if isinstance(meta, dict):
        shown["_meta"] = {
            key: _tokenless(value) if isinstance(value, dict) else value for key, value in meta.items()
        }
    return shown


def _tokenless(block: Mapping[str, Any]) -> dict[str, Any]:
    kept = dict(block)
    for member in ("oauth", "security"):
        inner = kept.get(member)
        if isinstance(inner, dict):
            kept[member] = _tokenless({key: one for key, one in inner.items() if key != "token"})
    return kept


def _name(approval_key: str, definition_hash: str) -> str:
    return f"{approval_key}:{definition_hash}"

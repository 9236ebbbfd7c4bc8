"""Approvals of tool definitions: what this release pins, and what an operator approved or revoked.

Kept in the state store under SHA-256(server, tool name), never under a name from the wire (conflict C22: path and
key tricks; approval of A serving a same-named tool of B). An operator's record overrides the release's pin.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping

import msgspec

from gateway.catalog.definition import Definition
from gateway.catalog.tool import Approval
from gateway.state.store import Space, Store

Pins = Mapping[tuple[str, str], Approval]
"""(server, tool) -> the approval that ships with this release, for servers that ship with it."""


def approval_key(server: str, tool: str) -> str:
    """Store key of an approval: unambiguous for any names."""
    return hashlib.sha256(json.dumps([server, tool]).encode()).hexdigest()


class Approvals:
    """Reads and writes approvals. Errors: ``StoreUnavailable``."""

    def __init__(self, store: Store, *, pins: Pins, now: Callable[[], float]) -> None:
        self._store = store
        self._pins = pins
        self._now = now

    async def of(self, server: str, tool: str) -> Approval | None:
        """The approval in force, or None. A stored record that cannot be read counts as none: deny, not guess."""
        stored = await self._store.get(Space.APPROVAL, approval_key(server, tool))
        if stored is None:
            return self._pins.get((server, tool))
        try:
            return msgspec.json.decode(stored, type=Approval)
        except ValueError:  # msgspec's own errors, and broken UTF-8
            return None

    def pinned(self, server: str, tool: str) -> Approval | None:
        """What this release ships for that tool, whatever was decided since."""
        return self._pins.get((server, tool))

    async def approve(self, server: str, definition: Definition, *, by: str, expires: int | None) -> Approval:
        """Approve exactly this definition, with all the permissions it requests."""
        approval = Approval(
            version=definition.version,
            definition_hash=definition.definition_hash,
            provider=definition.provider,
            requested=definition.permissions,
            approved=definition.permissions,
            by=by,
            at=int(self._now()),
            expires=expires,
        )
        await self._write(server, definition.name, approval)
        return approval

    async def revoke(self, server: str, tool: str, *, by: str) -> Approval | None:
        """Revoke what is approved now; None where there was nothing to revoke. Takes effect on the next call."""
        current = await self.of(server, tool)
        if current is None:
            return None
        revoked = msgspec.structs.replace(current, revoked=True, by=by, at=int(self._now()))
        await self._write(server, tool, revoked)
        return revoked

    async def _write(self, server: str, tool: str, approval: Approval) -> None:
        await self._store.put(
            Space.APPROVAL, approval_key(server, tool), msgspec.json.encode(approval), ttl_s=None
        )

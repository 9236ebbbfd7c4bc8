"""Approvals of tool definitions: what this release pins, and what an operator approved or revoked.

Kept in the state store under SHA-256(server, tool name), never under a name from the wire (conflict C22: path and
key tricks; approval of A serving a same-named tool of B). An operator's record overrides the release's pin. With a
seal, records are encrypted and bound to their place; with an anchor, an older one that was put back is seen. A record
that is there and not to be believed is an approval that is ``void``: it must not count as *nothing was decided*, which
a migration phase may soften, nor as the release's pin.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping

import msgspec

from gateway.catalog.anchor import Anchor
from gateway.catalog.approval_reading import Known, Reading
from gateway.catalog.approval_record import (
    Actor,
    ApprovalRecord,
    Event,
    approval_of,
    asked_before,
    event_of,
    following,
)
from gateway.catalog.definition import Definition
from gateway.catalog.kept import KeptDefinitions
from gateway.catalog.seal import Flaw, Seal
from gateway.catalog.tool import Approval
from gateway.errors import StoreUnavailable
from gateway.state.store import Space, Store

Pins = Mapping[tuple[str, str], Approval]
"""(server, tool) -> the approval that ships with this release, for servers that ship with it."""
ATTEMPTS = 5
"""Lost races before giving up: people do not decide about one tool in the same millisecond."""


Decided = tuple[Approval | None, Event]
"""The approval from now on, and what is noted about it."""


def approval_key(server: str, tool: str) -> str:
    """Store key of an approval: unambiguous for any names."""
    return hashlib.sha256(json.dumps([server, tool]).encode()).hexdigest()


def void(flaw: Flaw) -> Approval:
    """An approval that approves nothing, and says why. ``revoked`` besides, for a policy that does not know voids."""
    return Approval(
        version=None,
        definition_hash="",
        provider=None,
        requested=(),
        approved=(),
        by="",
        at=0,
        revoked=True,
        void=flaw.value,
    )


class Approvals:
    """Reads and writes approvals. Errors: ``StoreUnavailable``."""

    def __init__(
        self,
        store: Store,
        *,
        pins: Pins,
        now: Callable[[], float],
        seal: Seal | None = None,
        anchor: Anchor | None = None,
    ) -> None:
        self._store = store
        self._pins = pins
        self._now = now
        self._definitions = KeptDefinitions(store, seal=seal)
        self._reading = Reading(seal, anchor)

    async def of(self, server: str, tool: str) -> Approval | None:
        """The approval in force, or None where nobody decided anything."""
        return self._current(await self.known(server, tool), server, tool)

    async def known(self, server: str, tool: str) -> Known:
        """The record as it stands, with its history."""
        key = approval_key(server, tool)
        mark = self._reading.mark(key)
        return self._reading.known(key, mark, await self._store.get(Space.APPROVAL, key))

    def pinned(self, server: str, tool: str) -> Approval | None:
        """What this release ships for that tool, whatever was decided since."""
        return self._pins.get((server, tool))

    async def approve(
        self,
        server: str,
        definition: Definition,
        *,
        by: str | Actor,
        expires: int | None,
        permissions: tuple[str, ...] | None = None,
        why: str | None = None,
        changes: tuple[str, ...] = (),
    ) -> Approval:
        """Approve exactly this definition, with all the permissions it requests, or with some of them.

        :raises UnknownPermission: the tool does not request one of these.
        """
        actor = by if isinstance(by, Actor) else Actor(name=by)
        at = int(self._now())
        approval = approval_of(definition, permissions=permissions, by=actor.name, at=at, expires=expires)
        event = event_of("approved", actor, at, approval, why=why, changes=changes)
        before = await self.of(server, definition.name)
        key = approval_key(server, definition.name)
        await self._definitions.keep(key, definition)
        await self._decided(server, definition.name, lambda _: (approval, event))
        if before is not None and before.definition_hash not in ("", definition.definition_hash):
            await self._definitions.drop(key, before.definition_hash)
        return approval

    async def approved_definition(self, server: str, tool: str, approval: Approval) -> Definition | None:
        """The definition that was approved, as it was; None where it was not kept (releases do not ship theirs)."""
        return await self._definitions.of(approval_key(server, tool), approval.definition_hash)

    async def revoke(
        self, server: str, tool: str, *, by: str | Actor, why: str | None = None
    ) -> Approval | None:
        """Revoke what is approved now; None where there was nothing to revoke. Takes effect on the next call."""
        actor = by if isinstance(by, Actor) else Actor(name=by)
        at = int(self._now())

        def revoked(known: Known) -> Decided | None:
            current = self._current(known, server, tool)
            if current is None:
                return None
            gone = msgspec.structs.replace(current, revoked=True, by=actor.name, at=at, void=msgspec.UNSET)
            return gone, event_of("revoked", actor, at, current, why=why)

        return await self._decided(server, tool, revoked)

    async def request(self, server: str, definition: Definition, *, by: Actor, why: str | None) -> None:
        """Note that somebody wants this tool approved. Changes nothing about what may be called; what one and the same
        asks twice is noted once, and beside a record that is void nothing is noted."""
        at = int(self._now())
        wanted = approval_of(definition, permissions=None, by=by.name, at=at, expires=None)
        event = event_of("requested", by, at, wanted, why=why)

        def requested(known: Known) -> Decided | None:
            if known.flaw is not None or (known.record is not None and asked_before(known.record, event)):
                return None
            return None if known.record is None else known.record.approval, event

        await self._decided(server, definition.name, requested)

    async def reseal(self, *, by: Actor, plain: bool) -> tuple[int, int]:
        """Seal every record with the key in use: those under an earlier key, and with ``plain`` those that were never
        sealed. How many were, and how many are not to be believed and stay as they are.

        What a plain record says is taken for true here: look at them first.
        """
        done = left = 0
        after = ""
        while entries := await self._store.entries(Space.APPROVAL, limit=200, after=after):
            after = entries[-1][0]
            for key, value in entries:
                if self._reading.seal is None or self._reading.seal.current(value):
                    continue
                known = self._reading.known(key, self._reading.mark(key), value, plain_too=plain)
                if known.record is None:
                    left += 1
                    continue
                event = event_of("resealed", by, int(self._now()))
                record = following(
                    known.record,
                    server=known.record.server,
                    tool=known.record.tool,
                    number=self._reading.next_number(key, known),
                    approval=known.record.approval,
                    events=(event,),
                )
                if await self._written(key, value, record):
                    done += 1
        return done, left

    async def _decided(
        self, server: str, tool: str, decide: Callable[[Known], Decided | None]
    ) -> Approval | None:
        """Compare-and-set: who loses the race looks again."""
        key = approval_key(server, tool)
        for _ in range(ATTEMPTS):
            mark = self._reading.mark(key)
            value = await self._store.get(Space.APPROVAL, key)
            known = self._reading.known(key, mark, value)
            decided = decide(known)
            if decided is None:
                return None
            approval, event = decided
            events: tuple[Event, ...] = (event,)
            if known.flaw is not None:
                found = event_of("replaced a void record", Actor(name=""), event.at, why=known.flaw.value)
                events = (found, event)
            record = following(
                known.record,
                server=server,
                tool=tool,
                number=self._reading.next_number(key, known),
                approval=approval,
                events=events,
            )
            if await self._written(key, value, record):
                return approval
        raise StoreUnavailable("The approval kept changing while it was written; look again.")

    def _current(self, known: Known, server: str, tool: str) -> Approval | None:
        if known.flaw is not None:
            return void(known.flaw)
        if known.record is not None and known.record.approval is not None:
            return known.record.approval
        return self._pins.get((server, tool))

    async def _written(self, key: str, before: bytes | None, record: ApprovalRecord) -> bool:
        value = self._reading.closed(key, record)
        if before is None:
            written = await self._store.add(Space.APPROVAL, key, value, ttl_s=None)
        else:
            written = await self._store.swap(Space.APPROVAL, key, expected=before, value=value, ttl_s=None)
        if written:
            self._reading.written(key, record, value)
        return written

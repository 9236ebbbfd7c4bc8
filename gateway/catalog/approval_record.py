"""What is kept of one tool's approval: the approval in force, and how it came to that. Values and changes; pure."""

from __future__ import annotations

from typing import Literal

import msgspec

from gateway.catalog.definition import Definition
from gateway.catalog.tool import Approval

MAX_EVENTS = 32
"""Events kept with a record; the audit has all of them for good."""
MAX_REQUESTS = 4
"""Of those, the latest that only ask."""
MAX_CHANGES = 24
"""Lines of what changed that are kept with one event."""
MAX_LINE = 200
Kind = Literal["requested", "approved", "revoked", "resealed", "replaced a void record"]


class Actor(msgspec.Struct, frozen=True, kw_only=True):
    """Who decides, and how they came: ``via`` is ``cli``, ``console <session>`` or ``api``."""

    name: str
    issuer: str = ""
    via: str = ""


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that was decided about the tool. ``changes``: what was different from what was approved before."""

    kind: Kind
    at: int
    by: str
    issuer: str = ""
    via: str = ""
    version: str | None = None
    definition_hash: str | None = None
    requested: tuple[str, ...] = ()
    approved: tuple[str, ...] = ()
    expires: int | None = None
    why: str | None = None
    changes: tuple[str, ...] = ()


class ApprovalRecord(msgspec.Struct, frozen=True, kw_only=True):
    """``number`` counts the decisions about this tool from 1; a lower one than was seen before is a rollback."""

    v: Literal[1] = 1
    server: str
    tool: str
    number: int
    approval: Approval | None
    history: tuple[Event, ...] = ()


class UnknownPermission(ValueError):
    """Somebody approves what the tool does not ask for."""

    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__(f"the tool does not ask for {', '.join(names)}")
        self.names = names


def approval_of(
    definition: Definition, *, permissions: tuple[str, ...] | None, by: str, at: int, expires: int | None
) -> Approval:
    """The approval of exactly this definition, for all it asks for (None) or a part: the empty one is none (C21).

    :raises UnknownPermission: more than it asks for.
    """
    approved = definition.permissions if permissions is None else tuple(sorted(set(permissions)))
    unknown = tuple(one for one in approved if one not in definition.permissions)
    if unknown:
        raise UnknownPermission(unknown)
    return Approval(
        version=definition.version,
        definition_hash=definition.definition_hash,
        provider=definition.provider,
        requested=definition.permissions,
        approved=approved,
        by=by,
        at=at,
        expires=expires,
    )


def event_of(
    kind: Kind,
    actor: Actor,
    at: int,
    approval: Approval | None = None,
    *,
    why: str | None = None,
    changes: tuple[str, ...] = (),
) -> Event:
    """An event, its texts bounded."""
    shown = tuple(
        line if len(line) <= MAX_LINE else f"{line[: MAX_LINE - 1]}…" for line in changes[:MAX_CHANGES]
    )
    return Event(
        kind=kind,
        at=at,
        by=actor.name,
        issuer=actor.issuer,
        via=actor.via,
        version=None if approval is None else approval.version,
        definition_hash=None if approval is None else approval.definition_hash,
        requested=() if approval is None else approval.requested,
        approved=() if approval is None else approval.approved,
        expires=None if approval is None else approval.expires,
        why=None if why is None else why[:MAX_LINE],
        changes=shown,
    )


def following(
    record: ApprovalRecord | None,
    *,
    server: str,
    tool: str,
    number: int,
    approval: Approval | None,
    events: tuple[Event, ...],
) -> ApprovalRecord:
    """The record after these events; the oldest ones make room."""
    history = [*(() if record is None else record.history), *events]
    # Attack: somebody who may only ask asks until nothing else is left of the history.
    asked = [one for one in history if one.kind == "requested"]
    crowded = set(map(id, asked[:-MAX_REQUESTS]))
    history = [one for one in history if id(one) not in crowded]
    return ApprovalRecord(
        server=server,
        tool=tool,
        number=number,
        approval=approval,
        history=tuple(history[-MAX_EVENTS:]),
    )


def asked_before(record: ApprovalRecord, event: Event) -> bool:
    """Whether the same person asked for the same definition since anything was decided."""
    for earlier in reversed(record.history):
        if earlier.kind != "requested":
            return False
        if (earlier.by, earlier.issuer, earlier.definition_hash) == (
            event.by,
            event.issuer,
            event.definition_hash,
        ):
            return True
    return False

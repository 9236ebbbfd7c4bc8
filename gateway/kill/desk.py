"""List, stop and lift, for somebody whom the admin policy lets: the one way of the console and of the HTTP door.

Stopped first, recorded second; lifted the other way round: an audit that cannot be written must not keep anybody from
stopping what does harm, and must keep everybody from letting it go on.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Sequence
from typing import Protocol, get_args

import msgspec

from gateway.admin_book import Act
from gateway.console.permission import Action, Permission, Permissions
from gateway.console.person import Person
from gateway.errors import MalformedRequest
from gateway.kill.order import KillOrder, Kind
from gateway.kill.orders import give, lift, read_orders
from gateway.kill.sweep import void_waiting
from gateway.kill.switch import KillSwitch
from gateway.outcome.view import visible
from gateway.state.store import Store

MAX_REASON = 500
MAX_VALUE = 512
_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)


class ActAudit(Protocol):
    """Where acts are recorded: :class:`gateway.admin_book.AdminBook`."""

    async def administered(self, act: Act, *, allowed: bool, reasons: Sequence[str] = ()) -> None:
        """Return when the record is written. :raises AuditUnavailable:"""
        ...


class Stopped(msgspec.Struct, frozen=True, kw_only=True):
    """The order is in force; ``voided`` calls that waited are gone."""

    order: KillOrder
    voided: int


class Lifted(msgspec.Struct, frozen=True, kw_only=True):
    """The order is in force no longer."""

    order: KillOrder


class KillDesk:
    """Errors: ``StoreUnavailable``, ``AuditUnavailable``, and ``MalformedRequest`` (``kill.malformed``) for an order
    that would stop nothing or cannot be read by people."""

    def __init__(
        self,
        store: Store,
        permissions: Permissions,
        audit: ActAudit,
        kills: KillSwitch,
        *,
        now: Callable[[], float],
    ) -> None:
        self._store = store
        self._permissions = permissions
        self._audit = audit
        self._kills = kills
        self._now = now

    async def may(self, person: Person, action: Action) -> Permission:
        """For a page that offers only what is allowed."""
        return await self._permissions.may_do(person, action, {})

    async def listed(self, person: Person) -> tuple[KillOrder, ...] | Permission:
        """What is stopped; or why they may not know."""
        permission = await self._permissions.may_do(person, Action.KILL_LIST, {})
        return await read_orders(self._store) if permission.allowed else permission

    async def stop(
        self, person: Person, *, kind: str, value: str, within: str, reason: str
    ) -> Stopped | Permission:
        """Stop one thing, outstanding tokens and waiting calls included; ``within`` may be empty."""
        order = self._order(person, kind=kind, value=value, within=within, reason=reason)
        act = _act("admin.kill_add", person, order, note=reason)
        target = {"kind": order.kind, "value": order.value, "within": order.within}
        permission = await self._permissions.may_do(person, Action.KILL_ADD, target)
        if not permission.allowed:
            await self._audit.administered(act, allowed=False, reasons=permission.codes)
            return permission
        try:
            await give(self._store, order)
        except ValueError as problem:
            raise MalformedRequest(f"There are {problem} already.", code="kill.malformed") from None
        try:
            voided = await void_waiting(self._store, order)
            await self._kills.refresh()
        finally:  # in force, and so on record, whatever becomes of what waits
            await self._audit.administered(act, allowed=True, reasons=permission.codes)
        return Stopped(order=order, voided=voided)

    async def lift(self, person: Person, order_id: str, *, reason: str) -> Lifted | Permission | None:
        """Take an order back. None: there is none of that name."""
        _check_reason(reason)
        found = next((one for one in await read_orders(self._store) if one.id == order_id), None)
        if found is None:
            return None
        act = _act("admin.kill_lift", person, found, note=reason)
        target = {"kind": found.kind, "value": found.value, "within": found.within, "by": found.by}
        permission = await self._permissions.may_do(person, Action.KILL_LIFT, target)
        await self._audit.administered(act, allowed=permission.allowed, reasons=permission.codes)
        if not permission.allowed:
            return permission
        lifted = await lift(self._store, order_id)
        await self._kills.refresh()
        return None if lifted is None else Lifted(order=lifted)

    def _order(self, person: Person, *, kind: str, value: str, within: str, reason: str) -> KillOrder:
        if kind not in get_args(Kind):
            raise _malformed("Say what to stop: caller, tool, definition or revision.")
        if kind == "definition" and not _HASH.fullmatch(value):
            raise _malformed("A definition hash has 64 digits; a shorter one might stop nothing.")
        if kind in ("definition", "revision") and within:
            raise _malformed("A definition or a revision is stopped everywhere; leave the place empty.")
        if not value or max(len(value), len(within)) > MAX_VALUE:
            raise _malformed(f"A name has 1 to {MAX_VALUE} characters.")
        _check_reason(reason)
        return KillOrder(
            id=secrets.token_hex(4),
            kind=msgspec.convert(kind, Kind),
            value=value,
            within=within or None,
            reason=reason,
            by=person.subject,
            at=int(self._now()),
        )


def _act(code: str, person: Person, order: KillOrder, *, note: str) -> Act:
    definition = order.value if order.kind == "definition" else None
    return Act(
        code=code, person=person, server=order.within, tool=str(order), definition_hash=definition, note=note
    )


def _check_reason(reason: str) -> None:
    if not reason.strip() or len(reason) > MAX_REASON or visible(reason) != reason:
        raise _malformed(f"A reason has 1 to {MAX_REASON} visible characters.")


def _malformed(message: str) -> MalformedRequest:
    return MalformedRequest(message, code="kill.malformed")

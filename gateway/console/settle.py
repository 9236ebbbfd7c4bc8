"""What a person found out at the target about a transaction whose outcome is unknown: permitted, recorded, written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from gateway.admin_book import Act
from gateway.console.permission import Action, Permission, Permissions
from gateway.console.person import Person
from gateway.errors import MalformedRequest
from gateway.kill.desk import ActAudit
from gateway.outcome.view import visible
from gateway.state.store import Store
from gateway.transactions.book import TransactionBook
from gateway.transactions.settlement import Finding, Settlement, can_be_settled
from gateway.transactions.transaction import Settled, Transaction

MAX_NOTE = 500
MAX_WALKED = 20_000
"""Rows of the journal that one page looks at."""


class NotUnknown(msgspec.Struct, frozen=True, kw_only=True):
    """There is nothing to settle: the outcome is known, or it is under way, or somebody else was first."""

    transaction: Transaction | None


class SettleDesk:
    """Errors: ``StoreUnavailable``, ``AuditUnavailable`` (nothing was written). ``followers`` hear of the outcome."""

    def __init__(
        self,
        store: Store,
        permissions: Permissions,
        audit: ActAudit,
        *,
        now: Callable[[], float],
        followers: Sequence[Settled] = (),
    ) -> None:
        self._book = TransactionBook(store)
        self._permissions = permissions
        self._audit = audit
        self._settlement = Settlement(self._book, now=now, followers=followers)

    async def unsettled(self, person: Person, *, limit: int) -> list[Transaction]:
        """What nobody knows the outcome of, as far as this person may read it: first what needs a person, then what
        is open; oldest first. At most ``limit`` and one."""
        unknown: list[Transaction] = []
        under_way: list[Transaction] = []
        walked = 0
        async for one in self._book.all():
            walked += 1
            found = unknown if can_be_settled(one) else under_way
            if one.unsettled and len(found) <= limit and await self._readable(person, one):
                found.append(one)
            if len(unknown) > limit or walked >= MAX_WALKED:
                break
        by_age = (sorted(found, key=lambda one: one.started_at) for found in (unknown, under_way))
        return [one for found in by_age for one in found][: limit + 1]

    async def find(self, person: Person, transaction_id: str) -> Transaction | None:
        """One of them; None also for what this person may not read."""
        found = await self._book.find(transaction_id)
        return found if found is not None and await self._readable(person, found) else None

    async def may(self, person: Person, transaction: Transaction) -> Permission:
        """May they settle it?"""
        return await self._permissions.may_settle(person, _target(transaction), caller=transaction.subject)

    async def settle(
        self, person: Person, transaction: Transaction, finding: Finding, *, note: str
    ) -> Transaction | Permission | NotUnknown:
        """Write it down, with who looked. Nothing is sent.

        :raises MalformedRequest: ``transaction.malformed``: a note that people cannot read.
        """
        if len(note) > MAX_NOTE or visible(note) != note:
            said = f"What you saw has at most {MAX_NOTE} visible characters."
            raise MalformedRequest(said, code="transaction.malformed")
        if not can_be_settled(transaction):
            return NotUnknown(transaction=transaction)
        permission = await self.may(person, transaction)
        act = Act(
            code=f"admin.transaction_{finding}",
            person=person,
            server=transaction.server,
            tool=transaction.tool,
            definition_hash=transaction.definition_hash,
            transaction_id=transaction.transaction_id,
            note=note,
        )
        await self._audit.administered(act, allowed=permission.allowed, reasons=permission.codes)
        if not permission.allowed:
            return permission
        settled = await self._settlement.settle(transaction, finding, by=person.subject)
        if settled is None:
            await self._audit.administered(act, allowed=False, reasons=("transaction.settled_meanwhile",))
            return NotUnknown(transaction=await self._book.find(transaction.transaction_id))
        return settled

    async def _readable(self, person: Person, transaction: Transaction) -> bool:
        return (await self._permissions.may_do(person, Action.READ, _target(transaction))).allowed


def _target(transaction: Transaction) -> dict[str, Any]:
    return {
        "caller": {"issuer": transaction.issuer, "subject": transaction.subject},
        "tool": transaction.tool,
        "server": transaction.server,
        "data_class": transaction.data_class,
        "transaction": transaction.transaction_id,
    }

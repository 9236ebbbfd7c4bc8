"""Which accounts of the store a call counts on, and how much. Pure.

An account is a budget, a currency, and what has one of its own in it. Its name in the store can be read again, for the
people who look at what is spent; of what is too long for a name only a hash is kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import msgspec

from gateway.budget.currency import minor_of
from gateway.policy.decision import LimitObligation
from gateway.policy.payees import payees_of
from gateway.policy.question import Asked, Counted
from gateway.state.ledger import MAX_LINES, Line, Standing

MAX_PART_BYTES = 140
"""Of a caller, a tool or a payee in an account's name; all of them together stay far below a key's 1024."""


class Account(msgspec.Struct, frozen=True, array_like=True):
    """None: the budget does not look at it, or all share it."""

    budget: str
    currency: str
    caller: str | None = None
    tool: str | None = None
    payee: str | None = None

    def key(self) -> str:
        """Its name in the store: a JSON array, so that no part can run into the next."""
        return msgspec.json.encode(self).decode()


class Count(msgspec.Struct, frozen=True, kw_only=True):
    """One limit of the policy's answer, ready to be reserved: the same amount on each of its accounts."""

    limit: LimitObligation
    accounts: tuple[str, ...]
    amount: int
    bound: int

    def lines(self, ttl_s: float | None) -> list[Line]:
        """Of the reservation; ``ttl_s`` None: for the whole window."""
        life = float(self.limit.window_seconds) if ttl_s is None else ttl_s
        return [Line(account=one, amount=self.amount, bound=self.bound, ttl_s=life) for one in self.accounts]

    def counted(self, standings: Sequence[Standing]) -> Counted:
        """The fact for the policy: of several accounts, the fullest."""
        fullest = max(standings, key=lambda one: one.held + one.committed)
        return Counted(
            currency=self.limit.currency,
            window_seconds=self.limit.window_seconds,
            limit=self.bound,
            spent=fullest.committed,
            reserved=fullest.held,
            amount=self.amount,
        )


def counts_of(asked: Asked, limits: Sequence[LimitObligation]) -> list[Count] | None:
    """What to reserve for a call. None: it cannot be counted, and must not go on.

    That is: no amount, another currency than the limit's, an amount or a limit that is no number of that currency, a
    payee that is not known where each has its own account, one budget named twice, or more accounts than are counted at
    once.
    """
    money = asked.money
    if money is None or money.amount is None or len({one.budget for one in limits}) != len(limits):
        return None
    counts = []
    for one in limits:
        if money.currency != one.currency:
            return None
        try:
            amount, bound = minor_of(money.amount, one.currency), minor_of(one.limit, one.currency)
        except ValueError:
            return None
        accounts = _accounts(asked, one)
        if not accounts:
            return None
        counts.append(Count(limit=one, accounts=accounts, amount=amount, bound=bound))
    return counts if sum(len(one.accounts) for one in counts) <= MAX_LINES else None


def _accounts(asked: Asked, limit: LimitObligation) -> tuple[str, ...]:
    """One, or one for each payee; none where a payee is wanted and nobody knows it."""
    payees: tuple[str | None, ...] = payees_of(asked.money) if "payee" in limit.per else (None,)
    return tuple(
        Account(
            limit.budget,
            limit.currency,
            caller=_part(asked.caller.principal) if "caller" in limit.per else None,
            tool=_part(asked.call.tool) if "tool" in limit.per else None,
            payee=None if payee is None else _part(payee),
        ).key()
        for payee in payees
    )


def read_account(key: str) -> Account | None:
    """An account by its name in the store, or None where it is none of ours."""
    try:
        return msgspec.json.decode(key.encode(), type=Account)
    except ValueError:
        return None


def _part(text: str) -> str:
    encoded = text.encode("utf-8", "surrogatepass")
    if len(encoded) <= MAX_PART_BYTES and text.isprintable():
        return text
    return "sha256:" + hashlib.sha256(encoded).hexdigest()

"""The money one call moves or asks for, as a value of the question. Nothing here computes."""

from __future__ import annotations

from typing import Literal

import msgspec


class Money(msgspec.Struct, frozen=True, kw_only=True):
    """What a call would cost somebody.

    ``amount`` is a plain decimal string with the decimals of its currency (``"12.00"``, ``"1200"`` for JPY), never
    negative, never an exponent; ``currency`` an ISO 4217 code; both None unless both are known. ``payee`` is the
    party who receives, as the target names it, and None where that is our own account, where there are several, or
    where nobody could tell. ``payees`` are all who receive and ``payers`` all who pay, each under one spelling, in
    order and without repeats; empty unless every one of them is known. A policy that wants no other payees than some
    must ask for ``payee``, or for all of ``payees`` and that there are any.
    ``source`` says who told the amount: the call's own ``arguments``, a ``lookup`` at the target, or nobody
    (``unknown``). A policy must treat an ``unknown`` amount as more than any limit.
    """

    amount: str | None = None
    currency: str | None = None
    payee: str | None = None
    source: Literal["arguments", "lookup", "unknown"] = "unknown"
    payees: tuple[str, ...] = ()
    payers: tuple[str, ...] = ()

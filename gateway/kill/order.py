"""What is stopped, as values. Pure.

All orders are one document in the store: whoever reads it has the whole truth in one operation, and two operators who
write at the same moment do not lose each other's order (compare-and-set, ``orders.py``).
"""

from __future__ import annotations

from typing import Literal

import msgspec

from gateway.identity.caller import Caller

MAX_ORDERS = 1_000
"""More than that is not a kill switch but a policy; write it as one."""
Kind = Literal["caller", "tool", "definition", "revision"]


class KillOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing that is stopped. ``at`` is unix seconds; ``reason`` is for operators, callers do not see it.

    ``value`` is the caller's subject, the tool's name, the definition hash, or the policy revision. ``within`` is the
    issuer of a caller and the server of a tool; None: of whatever issuer, at whatever server.
    """

    id: str
    kind: Kind
    value: str
    within: str | None = None
    reason: str
    by: str
    at: int

    def __str__(self) -> str:
        """For the record: ``tool paypal/create_refund``."""
        if self.within is None:
            return f"{self.kind} {self.value}"
        return f"{self.kind} {self.within}/{self.value}"


class Orders:
    """The orders in force, arranged for one quick look per call."""

    __slots__ = ("_callers", "_definitions", "_revisions", "_tools", "all")

    def __init__(self, orders: tuple[KillOrder, ...]) -> None:
        self.all = orders
        self._callers = _by_name(orders, "caller")
        self._tools = _by_name(orders, "tool")
        self._definitions = _by_name(orders, "definition")
        self._revisions = _by_name(orders, "revision")

    def against_caller(self, caller: Caller) -> KillOrder | None:
        """The order that stops this caller, or None."""
        return _found(self._callers, caller.subject, caller.issuer) if self._callers else None

    def against_call(self, caller: Caller, server: str, tool: str, definition_hash: str) -> KillOrder | None:
        """The order that stops this call, as far as it can be known before it is judged, or None."""
        if not self.all:
            return None
        return (
            self.against_caller(caller)
            or _found(self._tools, tool, server)
            or self._definitions.get((None, definition_hash))
        )

    def against_revision(self, revision: str) -> KillOrder | None:
        """The order that stops whatever is decided by this revision of the policy, or None."""
        return self._revisions.get((None, revision)) if self._revisions else None


def encode(orders: tuple[KillOrder, ...]) -> bytes:
    """The document. :raises ValueError: over :data:`MAX_ORDERS`."""
    if len(orders) > MAX_ORDERS:
        raise ValueError(f"at most {MAX_ORDERS} orders")
    return msgspec.json.encode(orders)


def decode(document: bytes | None) -> tuple[KillOrder, ...]:
    """The orders of a document; none where there is none. :raises ValueError: it cannot be read."""
    return () if document is None else msgspec.json.decode(document, type=tuple[KillOrder, ...])


def _by_name(orders: tuple[KillOrder, ...], kind: Kind) -> dict[tuple[str | None, str], KillOrder]:
    return {(one.within, one.value): one for one in orders if one.kind == kind}


def _found(orders: dict[tuple[str | None, str], KillOrder], value: str, within: str) -> KillOrder | None:
    return orders.get((within, value)) or orders.get((None, value))


NO_ORDERS = Orders(())

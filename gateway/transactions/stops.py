"""What the operator stopped, as the journal sees it: what was allowed before the order does not leave again after it.
Pure.
"""

from __future__ import annotations

from typing import Protocol

from gateway.identity.caller import Caller
from gateway.transactions.transaction import Transaction


class Stops(Protocol):
    """The orders in force (``kill.order.Orders``)."""

    def against_call(self, caller: Caller, server: str, tool: str, definition_hash: str) -> object | None:
        """The order that stops this call, or None."""
        ...

    def against_revision(self, revision: str) -> object | None:
        """The order that stops what that revision of the policy allowed, or None."""
        ...


def against(stops: Stops, one: Transaction) -> str | None:
    """Why this call must not be sent again, or None."""
    caller = Caller(issuer=one.issuer, subject=one.subject)
    if stops.against_call(caller, one.server, one.tool, one.definition_hash) is not None:
        return "the operator stopped it"
    if stops.against_revision(one.revision) is not None:
        return "the operator stopped what that policy allowed"
    return None

"""The wall that orders make in the walk, beside the policy: a kill must work while the policy is old or broken.

Looked at twice. Before anything is looked up for a call: against this process's own copy of the orders, which a task of
its own renews twice a second; a call of the classes 4 and 5 pays that and no more. After the policy has spoken, and
before anything is sent: the classes 1 to 3 ask the store itself; if it cannot say, nothing is sent. Each phase of a
call comes by here, so a token that was handed out before, or a confirmation that waits, is worth nothing.

While the store does not answer, the classes 4 and 5 go by the last copy: a read moves nothing, and a gateway that
answers nothing at all is what an attacker on the store would like.
"""

from __future__ import annotations

import asyncio
import logging

import msgspec

from gateway.catalog.tool import Tool
from gateway.door.call import ToolCall
from gateway.errors import StoreUnavailable
from gateway.identity.caller import Caller
from gateway.kill.order import NO_ORDERS, KillOrder, Orders, decode
from gateway.kill.orders import KEY
from gateway.policy.decision import Decision, Deny, Obligations, denied, overruled
from gateway.policy.question import Asked
from gateway.state.store import Space, Store

REFRESH_S = 0.5
"""Seconds between two looks of the task: an order is known everywhere within one second, a slow look included."""
LEAST_SENSITIVE = 3
"""Classes 1 to 3 ask the store itself; an unknown class counts as sensitive."""
_LOG = logging.getLogger("countersign.kill")
_REMEDY = "Ask the operator of this gateway, and name the order."


class KillSwitch:
    """The orders in force, as this process knows them."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._document: bytes | None = None
        self.orders = NO_ORDERS
        """As this process knows them."""
        self._well = True
        self._known = False

    async def refresh(self) -> None:
        """Look into the store now.

        :raises StoreUnavailable: it does not answer, or ``kill.unreadable``; the copy stays as it was.
        """
        document = await self._store.get(Space.KILL, KEY)
        if document == self._document:
            self._known = True
            return
        try:
            self.orders = Orders(decode(document))
        except ValueError:  # msgspec's own errors, and broken UTF-8
            raise StoreUnavailable(
                "The kill orders in the store cannot be read.", code="kill.unreadable"
            ) from None
        self._document, self._known = document, True
        _LOG.warning("kill orders in force: %s", ", ".join(map(str, self.orders.all)) or "none")

    async def run(self) -> None:
        """Renew the copy for ever."""
        while True:
            try:
                await self.refresh()
                self._well = True
            except StoreUnavailable as problem:
                if self._well:
                    _LOG.error("kill orders cannot be renewed: %s", problem.message)
                self._well = False
            await asyncio.sleep(REFRESH_S)

    def stops_caller(self, caller: Caller) -> Deny | None:
        """For what is no call: whether this caller is stopped, by the copy."""
        order = self.orders.against_caller(caller)
        return None if order is None else _denied(order)

    def stops(self, call: ToolCall, caller: Caller, tool: Tool) -> Deny | None:
        """Whether this call is stopped, by the copy: before anything is looked up, or sent, for it."""
        order = self.orders.against_call(caller, call.server, call.tool, tool.definition_hash)
        return None if order is None else _denied(order)

    async def overrules(self, asked: Asked, decision: Decision, *, sensitive: bool) -> Deny | None:
        """Whether what the policy said of this call is overruled: the last look before it is carried out.

        ``sensitive``: by the class table, or by the policy's own class. :raises StoreUnavailable: it cannot be said.
        """
        if isinstance(decision, Deny):
            return None
        if (
            not self._known
            or sensitive
            or decision.data_class is None
            or decision.data_class <= LEAST_SENSITIVE
        ):
            await self.refresh()
        order = self.orders.against_call(
            asked.caller, asked.call.server, asked.call.tool, asked.tool.definition_hash
        ) or self.orders.against_revision(decision.revision)
        return None if order is None else overruled(decision, *_said(order))


def _denied(order: KillOrder) -> Deny:
    refused = denied(*_said(order))
    return msgspec.structs.replace(refused, obligations=Obligations(receipt=True))


def _said(order: KillOrder) -> tuple[str, str, str]:
    return f"kill.{order.kind}", f"The operator stopped this {_WHAT[order.kind]} (order {order.id}).", _REMEDY


_WHAT = {
    "caller": "caller",
    "tool": "tool",
    "definition": "definition of the tool",
    "revision": "revision of the policy",
}

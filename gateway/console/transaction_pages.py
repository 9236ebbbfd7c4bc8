"""Transactions in the console: what is under way, what nobody knows the end of, and the form that says what it was.

::

    GET  /console/transactions               unknown first, then what is under way
    GET  /console/transactions/{id}          everything that is kept of one: ids, times, amounts
    POST /console/transactions/{id}/settle   csrf, finding=executed|failed, note
"""

from __future__ import annotations

from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.console.entry import Entry
from gateway.console.permission import Permission
from gateway.console.render import Render, day
from gateway.console.settle import NotUnknown, SettleDesk
from gateway.errors import MalformedRequest
from gateway.outcome.view import change, visible
from gateway.transactions.settlement import Finding, can_be_settled
from gateway.transactions.transaction import Transaction

PAGE = "/transactions"
MAX_LISTED = 100
MAX_ID = 128
_LABELS = (
    ("call_id", "Call"),
    ("idempotency_key", "Idempotency key at the target"),
    ("debug_id", "Debug id of the target"),
    ("request_id", "Request id of the target"),
    ("resource_id", "Made there"),
    ("status", "HTTP status of the target"),
    ("how", "Told by"),
    ("settled_by", "Settled by"),
    ("arguments_hash", "Hash of the arguments"),
    ("definition_hash", "Hash of the definition"),
)


class TransactionPages:
    """The handlers."""

    def __init__(self, entry: Entry, render: Render, desk: SettleDesk) -> None:
        self._entry = entry
        self._render = render
        self._desk = desk

    def routes(self) -> list[Route]:
        """Relative to the console."""
        return [
            Route(PAGE, self.list, methods=["GET"]),
            Route(PAGE + "/{transaction_id}", self.detail, methods=["GET"]),
            Route(PAGE + "/{transaction_id}/settle", self.settle, methods=["POST"]),
        ]

    async def list(self, request: Request) -> Response:
        """What this person may read of it."""
        session = await self._entry.session(request)
        found = await self._desk.unsettled(session.person, limit=MAX_LISTED)
        shown = found[:MAX_LISTED]
        return self._render.page(
            "transactions.html",
            session=session,
            unknown=[one for one in shown if can_be_settled(one)],
            under_way=[one for one in shown if not can_be_settled(one)],
            more=len(found) > MAX_LISTED,
        )

    async def detail(self, request: Request) -> Response:
        """One of them."""
        session = await self._entry.session(request)
        found = await self._desk.find(session.person, _id(request))
        if found is None:
            raise HTTPException(404)
        return self._render.page(
            "transaction.html",
            session=session,
            one=found,
            facts=_facts(found),
            unknown=can_be_settled(found),
            settle=await self._desk.may(session.person, found),
        )

    async def settle(self, request: Request) -> Response:
        """What the person found at the target."""
        session, form = await self._entry.form(request)
        try:
            finding = Finding(form.get("finding", ""))
        except ValueError:
            raise MalformedRequest("The form is incomplete.") from None
        found = await self._desk.find(session.person, _id(request))
        if found is None:
            raise HTTPException(404)
        note = form.get("note", "").strip()
        done = await self._desk.settle(session.person, found, finding, note=note)
        if isinstance(done, Permission):
            text = "The policy does not let you settle this transaction."
            return self._render.message("Not done", text, status=403, session=session, permission=done)
        again = f"{PAGE}/{found.transaction_id}"
        if isinstance(done, NotUnknown):
            text = "Its outcome is known by now, or it is still under way. Nothing was written."
            return self._render.message("Nothing to settle", text, status=409, session=session, again=again)
        was = "was carried out" if finding is Finding.EXECUTED else "had no effect"
        return self._render.message(
            "Settled",
            f"It is on record that {visible(found.tool)} {was}. Nothing was sent.",
            status=200,
            tone="ok",
            session=session,
            again=PAGE,
        )


def _id(request: Request) -> str:
    name: str = request.path_params["transaction_id"]
    if len(name) > MAX_ID:
        raise HTTPException(404)
    return name


def _facts(one: Transaction) -> tuple[tuple[str, str], ...]:
    """What is kept, in words. Ids and amounts only: names, addresses and texts are not in the journal."""
    facts: list[tuple[str, Any]] = [
        *((name.replace("_", " ").capitalize(), _told(value)) for name, value in sorted(one.kept.items())),
        ("Caller", f"{one.subject} ({one.issuer})"),
        ("Started", day(one.started_at)),
        ("Ended", None if one.finished_at is None else day(one.finished_at)),
        *((label, getattr(one, name)) for name, label in _LABELS),
    ]
    return tuple((label, change(label, value, None).now or "") for label, value in facts if value is not None)


def _told(value: Any) -> Any:
    """An amount as people write it."""
    if isinstance(value, dict) and value.keys() == {"currency_code", "value"}:
        return f"{value['value']} {value['currency_code']}"
    return value

"""A console over a real SQLite file, with a policy and an audit in the test's hand, and people at it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import msgspec
from starlette.applications import Starlette

from gateway.console.decide import AuditOutcome, Verdict
from gateway.console.login import mint_login
from gateway.console.pages import console_routes
from gateway.console.permission import AdminPolicy
from gateway.console.person import Person
from gateway.errors import AuditUnavailable, PolicyUnavailable
from gateway.outcome.pending import Binding, Pending, Status, Waiting
from gateway.outcome.view import render
from gateway.policy.decision import ConfirmObligation
from gateway.policy.engine import Entrypoint
from gateway.policy.money import Money
from gateway.policy.question import Environment
from gateway.state.open import open_store
from gateway.state.store import Store
from tests.support.stores import Clock

URL = "http://127.0.0.1:3000"
ORIGIN = {"origin": URL}
CALLER = "agent-of-carol"
PAYMENT: Mapping[str, Any] = {
    "capture_id": "3C679366HH908993F",
    "amount": {"value": "12.00", "currency_code": "USD"},
}
TWELVE = Money(amount="12.00", currency="USD", payee="shop@example.com", source="arguments")
ONE_PERSON = ConfirmObligation(by=("human",))


@dataclass
class RolesPolicy:
    """Says yes to an approver who is not the caller, as `policies/gateway/admin` does; `broken` says nothing."""

    broken: bool = False
    says: Any = None
    asked: list[dict[str, Any]] = field(default_factory=list)

    def environment(self) -> Environment:
        return Environment(paypal="sandbox", now=1_795_224_000)

    async def ask(self, entrypoint: Entrypoint, document: dict[str, Any]) -> Any:
        assert entrypoint is Entrypoint.ADMIN
        self.asked.append(msgspec.json.decode(msgspec.json.encode(document)))
        if self.broken:
            raise PolicyUnavailable("The policy gave no answer.", code="policy.undefined")
        if self.says is not None:
            return self.says
        roles = document["person"]["roles"]
        if "approver" in roles or (document["action"] == "read" and "auditor" in roles):
            return answer("allow", "admin.permitted", "This person may do that.")
        return answer("deny", "admin.role_missing", "None of this person's roles may do that.")


def answer(outcome: str, code: str, message: str) -> dict[str, Any]:
    """An answer of the admin entrypoint with one reason."""
    reason = {"code": code, "outcome": outcome, "message": message, "remedy": "Ask an administrator."}
    return {"outcome": outcome, "reasons": [reason]}


@dataclass
class Book:
    """Keeps what was decided; `full` cannot take a record."""

    full: bool = False
    entries: list[tuple[str, str, str, tuple[str, ...]]] = field(default_factory=list)

    async def decided(
        self,
        *,
        person: Person,
        pending: Pending,
        verdict: Verdict,
        outcome: AuditOutcome,
        reasons: tuple[str, ...],
    ) -> None:
        if self.full:
            raise AuditUnavailable("The audit cannot take a record.")
        self.entries.append((person.subject, verdict.value, outcome, reasons))


@dataclass
class House:
    """The console, and everything a test wants to look at or move."""

    store: Store
    clock: Clock
    waiting: Waiting
    policy: RolesPolicy
    book: Book
    app: Starlette
    browsers: list[httpx.AsyncClient] = field(default_factory=list)

    def browser(self, *, base_url: str = URL) -> httpx.AsyncClient:
        """A browser that nobody is signed in at."""
        client = httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url=base_url)
        self.browsers.append(client)
        return client

    async def link(self, subject: str, roles: tuple[str, ...] = ("approver",)) -> str:
        """A fresh one-time token."""
        return await mint_login(self.store, subject=subject, roles=roles, now=self.clock)

    async def signed_in(self, subject: str, roles: tuple[str, ...] = ("approver",)) -> httpx.AsyncClient:
        """A browser at which that person has just signed in."""
        browser = self.browser()
        done = await browser.post(
            "/console/login", data={"token": await self.link(subject, roles)}, headers=ORIGIN
        )
        assert done.status_code == 303
        return browser

    async def waits(self, pending: Pending | None = None) -> Pending:
        """A call that waits in the store."""
        return await self.waiting.open(pending or a_pending(self.clock()))

    async def stored(self, pending: Pending) -> Pending | None:
        """How it stands in the store now."""
        return await self.waiting.find(pending.key)


@asynccontextmanager
async def a_house(
    folder: Path, *, policy: AdminPolicy | None = None, public_url: str = URL
) -> AsyncIterator[House]:
    """A console at `public_url`; `policy` replaces the one in the test's hand."""
    store = open_store(f"sqlite:///{folder}/state.sqlite3")
    clock, book, roles = Clock(), Book(), RolesPolicy()
    waiting = Waiting(store, now=clock)
    routes = console_routes(
        store=store, waiting=waiting, policy=policy or roles, audit=book, public_url=public_url, now=clock
    )
    house = House(store, clock, waiting, roles, book, Starlette(routes=routes))
    try:
        yield house
    finally:
        for browser in house.browsers:
            await browser.aclose()
        await store.aclose()


def a_pending(
    now: float,
    *,
    arguments: Mapping[str, Any] = PAYMENT,
    money: Money | None = TWELVE,
    caller: str = CALLER,
    obligation: ConfirmObligation = ONE_PERSON,
    transaction_id: str = "7f0c3a52-4d39-4c42-9f0e-7a3f6f0f6c11",
    tool: str = "create_refund",
    reasons: tuple[str, ...] = ("consent.confirmation_required: Somebody else has to confirm this call.",),
) -> Pending:
    """A call of class 1 that waits for ten minutes."""
    view = render(
        server="paypal",
        tool=tool,
        arguments=arguments,
        money=money,
        asked_by=f"{caller} (https://idp.example)",
        reasons=reasons,
    )
    return Pending(
        transaction_id=transaction_id,
        binding=Binding(
            principal=f'["https://idp.example","{caller}"]',
            server="paypal",
            tool=tool,
            definition_hash="d" * 64,
            arguments_hash="a" * 64,
        ),
        status=Status.WAITING,
        view=view,
        obligation=obligation,
        data_class=1,
        tier="restricted",
        caller_issuer="https://idp.example",
        caller_subject=caller,
        handshake_at=now,
        created_at=now,
        expires_at=now + obligation.ttl_seconds,
    )


def fields(html: str) -> dict[str, str]:
    """The hidden fields of the last form on a page that has any (the first is *Sign out*)."""
    forms = re.findall(r"<form\b.*?</form>", html, flags=re.DOTALL)
    found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', forms[-1])
    return {unescape(name): unescape(value) for name, value in found}


async def press(browser: httpx.AsyncClient, pending: Pending, verdict: str, **other: str) -> httpx.Response:
    """Open the page of a call and press a button of it; `other` replaces fields of the form."""
    page = await browser.get(f"/console/pending/{pending.key}")
    form = {**fields(page.text), "verdict": verdict, **other}
    return await browser.post(f"/console/pending/{pending.key}/decide", data=form, headers=ORIGIN)


def moved(pending: Pending, **changes: Any) -> Pending:
    """The same call, changed."""
    return msgspec.structs.replace(pending, **changes)


async def csrf_of(browser: httpx.AsyncClient) -> str:
    """The CSRF token of the session, as the page shows it."""
    return fields((await browser.get("/console/")).text)["csrf"]


async def shown_form(browser: httpx.AsyncClient, pending: Pending) -> dict[str, str]:
    """The form of a call's page as it is now, filled in to approve."""
    page = await browser.get(f"/console/pending/{pending.key}")
    return {**fields(page.text), "verdict": "approve"}

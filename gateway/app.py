"""Wires the house: the rooms of the walk, the front door, and what stands beside them."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.admin_book import AdminBook
from gateway.approving.routes import tool_routes
from gateway.books import Books
from gateway.budget.budgets import Budgets
from gateway.budget.releases import Releases
from gateway.bundle.opened import guarded, served_bundles
from gateway.catalog.approvals import Approvals
from gateway.confirming import told_of
from gateway.console.pages import console_routes
from gateway.console.permission import Permissions
from gateway.console.settle import SettleDesk
from gateway.door.endpoint import McpEndpoint
from gateway.door.rest import RestEndpoint
from gateway.health import Probe, health_routes
from gateway.identity_provider import mounted_routes
from gateway.kill.desk import KillDesk
from gateway.kill.door import kill_routes
from gateway.outcome.allow import AllowOutcome
from gateway.outcome.authorize import AuthorizeOutcome
from gateway.outcome.before import Standing, StandingRules
from gateway.outcome.confirm import ConfirmOutcome
from gateway.outcome.consent import Consents
from gateway.outcome.deadlines import Deadlines
from gateway.outcome.handshake import HandshakeOutcome
from gateway.outcome.in_band import InBand
from gateway.outcome.parked import Parking
from gateway.outcome.pending import Waiting
from gateway.parts import (
    PAYPAL,
    engine_of,
    environment_of,
    guard_of,
    open_audit,
    open_kills,
    receipt_keys_of,
    strangers_of,
    tool_limit_of,
    with_login_limit,
)
from gateway.policy.amounts import Amounts, MoneyRules
from gateway.policy.policy import Policy
from gateway.rate.strangers import Strangers
from gateway.receipts.issuing import Receipts
from gateway.receipts.keeping import Keeping
from gateway.receipts.pages import receipt_routes
from gateway.recognition import identity_of, parameter_proofs_of
from gateway.resource import access_of, metadata_routes
from gateway.settings import Settings
from gateway.shadow.recording import open_recording
from gateway.shelf import open_shelf
from gateway.state.store import Store
from gateway.stopping import stopped
from gateway.targets import presets_of
from gateway.transactions.opened import JournaledLapses, open_journal
from gateway.upstream.paypal import before as paypal_before
from gateway.upstream.paypal import money as paypal_money
from gateway.upstream.paypal import recovery as paypal_recovery
from gateway.upstream.paypal import toolkit_before, toolkit_money
from gateway.upstream.paypal.toolkit import ANNOTATIONS
from gateway.usage.counter import open_usage
from gateway.version import VERSION
from gateway.walk import House


class Gateway:
    """The ASGI application: MCP and the REST handshake as raw ASGI, everything else through Starlette."""

    def __init__(
        self,
        endpoint: McpEndpoint,
        app: ASGIApp,
        *,
        rest: RestEndpoint,
        store: Store,
        house: House,
        probe: Probe,
        approvals: Approvals,
        strangers: Strangers | None = None,
    ) -> None:
        self.store = store
        self.house = house
        self.approvals = approvals
        self.probe = probe
        self._endpoint = endpoint
        self._rest = rest
        self._app = app
        self._strangers = strangers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, of somebody who has not been refused too often."""
        if scope["type"] == "http" and self._strangers is not None:
            await self._strangers.serve(self._served, scope, receive, send)
            return
        await self._served(scope, receive, send)

    async def _served(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self._endpoint.serves(scope["path"]):
            await self._endpoint(scope, receive, send)
            return
        if scope["type"] == "http" and self._rest.serves(scope["path"]):
            await self._rest(scope, receive, send)
            return
        await self._app(scope, receive, send)


@asynccontextmanager
async def open_gateway(settings: Settings, *, now: Callable[[], float] = time.time) -> AsyncIterator[Gateway]:
    """Everything open and wired; closed again in reverse order.

    :raises SettingsError: a setting that only shows here to be unusable.
    :raises PolicyRefused: the embedded engine has no policy it may use.
    :raises AuditUnavailable: the audit file cannot be opened.
    """
    async with AsyncExitStack() as stack:
        shelf = await stack.enter_async_context(open_shelf(settings, now=now))
        audit = await stack.enter_async_context(open_audit(settings))
        engine = await guarded(await engine_of(settings, stack), settings.policy, shelf.store, stack, now=now)
        identity = await identity_of(settings, shelf.store, stack, now=now)

        books, recording = Books(audit), await open_recording(settings, stack, now=now)
        usage = await stack.enter_async_context(open_usage(shelf.store, now=now))
        policy = Policy(
            engine,
            paypal=environment_of(settings),
            health=books,
            now=now,
            usage=usage,
            recorder=recording.recorder,
            shadow=recording.shadow,
        )
        budgets, releases = Budgets(shelf.store, policy), Releases(shelf.store)
        rules: dict[str, MoneyRules] = {PAYPAL: paypal_money} if settings.paypal.enabled else {}
        rules |= dict.fromkeys(presets_of(settings), toolkit_money)
        amounts = Amounts(rules, shelf.upstreams)
        journal = await stack.enter_async_context(
            open_journal(
                shelf.store,
                shelf.upstreams,
                shelf.catalog,
                books,
                classes=shelf.classes,
                rules={PAYPAL: paypal_recovery} if settings.paypal.enabled else {},
                now=now,
                lease_s=settings.transactions.lease_seconds,
                followers=(releases,),
                kept_s=settings.transactions.keep_hours * 3600.0,
                arguments_s=settings.transactions.arguments_hours * 3600.0,
                prices=amounts,
            )
        )
        parking = Parking()
        stack.push_async_callback(parking.aclose)
        waiting = Waiting(
            shelf.store, now=now, token_ttl_cap_s=settings.handshake.ttl_seconds, refused=releases.refused
        )
        told = told_of(settings, waiting, books, stack, shelf.store, now=now)
        deadlines = Deadlines(
            shelf.store, now=now, told=(books.timed_out, releases.timed_out, *told.timed_out)
        )
        looking = asyncio.create_task(deadlines.run())
        stack.push_async_callback(stopped, looking)
        stands: dict[str, StandingRules] = {PAYPAL: paypal_before} if settings.paypal.enabled else {}
        stands |= dict.fromkeys(presets_of(settings), toolkit_before)
        kills = await open_kills(shelf.store, stack)
        keys = receipt_keys_of(settings)
        keeping = Keeping(shelf.store, keep_s=settings.receipts.keep_days * 24 * 3600.0)
        stack.push_async_callback(keeping.aclose)
        house = House(
            books=books,
            identity=identity,
            catalog=shelf.catalog,
            classes=shelf.classes,
            amounts=amounts,
            consents=Consents(waiting, now=now, deadlines=deadlines),
            policy=policy,
            allow=AllowOutcome(
                shelf.upstreams,
                waiting,
                journal=journal,
                parking=parking,
                lapses=JournaledLapses(journal, books),
                usage=usage,
                now=now,
            ),
            handshake=HandshakeOutcome(waiting),
            confirm=ConfirmOutcome(
                waiting,
                public_url=settings.public_url,
                now=now,
                hold_s=settings.confirm.hold_seconds,
                tell=told,
                deadlines=deadlines,
                stands=Standing(stands, shelf.upstreams, now=now),
                earlier=journal,
            ),
            in_band=InBand(waiting, books, ask_s=settings.confirm.ask_seconds),
            upstreams=shelf.upstreams,
            waiting=waiting,
            annotations=dict.fromkeys(presets_of(settings), ANNOTATIONS),
            kills=kills,
            rates=tool_limit_of(settings, shelf.store, now=now),
            receipts=None
            if keys is None
            else Receipts(keys, keeping, issuer=settings.public_url.rstrip("/"), now=now),
            parameter_proofs=parameter_proofs_of(settings, shelf.store, now=now),
            budgets=budgets,
        )
        guard, access = guard_of(settings), access_of(settings, shelf.upstreams, now=now)
        endpoint = McpEndpoint(
            house,
            guard,
            default_server=next(iter(shelf.upstreams)),
            version=VERSION,
            max_body_bytes=settings.door.max_body_bytes,
            access=access,
            now=now,
        )
        rest = RestEndpoint(
            house,
            dataclasses.replace(house, allow=AuthorizeOutcome(waiting), budgets=budgets.without_sending()),
            guard,
            default_server=next(iter(shelf.upstreams)),
            version=VERSION,
            max_body_bytes=settings.door.max_body_bytes,
            access=access,
            now=now,
        )
        stack.push_async_callback(endpoint.aclose)
        permissions, acts = Permissions(policy), AdminBook(audit)
        kill_desk = KillDesk(shelf.store, permissions, acts, kills, now=now)
        probe = Probe(engine=engine, store=shelf.store, audit=audit)
        app = Starlette(
            routes=[
                *health_routes(probe),
                *metadata_routes(settings, shelf.upstreams),
                *mounted_routes(settings, shelf.store, audit, now=now),
                *receipt_routes(
                    keys,
                    keeping,
                    issuer=settings.public_url.rstrip("/"),
                    identity=identity,
                    store=shelf.store,
                    policy=policy,
                    access=access,
                    now=now,
                ),
                *tool_routes(
                    shelf,
                    audit=audit,
                    identity=identity,
                    policy=policy,
                    public_url=settings.public_url,
                    now=now,
                ),
                *kill_routes(kill_desk, identity),
                *served_bundles(settings.bundles),
                *console_routes(
                    store=shelf.store,
                    waiting=waiting,
                    policy=policy,
                    audit=books,
                    public_url=settings.public_url,
                    now=now,
                    kills=kill_desk,
                    settling=SettleDesk(shelf.store, permissions, acts, now=now, followers=(releases,)),
                ),
            ]
        )
        yield Gateway(
            endpoint,
            with_login_limit(app, settings),
            rest=rest,
            store=shelf.store,
            house=house,
            probe=probe,
            approvals=shelf.approvals,
            strangers=strangers_of(settings),
        )

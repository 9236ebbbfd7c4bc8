"""``countersign check``: would it run? Settings, policy, state, audit, targets, each said in one line."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import httpx
import msgspec
from rich.markup import escape

from gateway.app import open_gateway
from gateway.budget.entries import load_budgets
from gateway.catalog.catalog import Catalog
from gateway.cli.common import config_option, json_option, settings_of, terminal
from gateway.errors import CountersignError
from gateway.identity_provider import shelves_of
from gateway.origins import reached
from gateway.outcome.view import visible
from gateway.parts import paypal_base_url, policy_folder_of
from gateway.policy.engine import PolicyRefused
from gateway.recognition import introspection_of
from gateway.serving import run
from gateway.settings import Settings
from gateway.settings.idp import issuer_of
from gateway.settings.model import PayPalSettings
from gateway.state.open import masked
from gateway.state.store import Store
from gateway.transactions.book import TransactionBook
from gateway.transactions.settlement import can_be_settled
from gateway.upstream.paypal.api import NotSent
from gateway.upstream.paypal.token import TOKEN_PATH, ClientCredentials, ClientCredentialsToken

API_TIMEOUT_S = 10.0
"""Longest wait for PayPal's token endpoint: a person is looking at the terminal."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One part and whether it would do its job."""

    part: str
    ok: bool
    says: str


@click.command()
@config_option
@json_option
def check(config: Path | None, as_json: bool) -> None:  # noqa: FBT001 - click
    """Validate settings and policy, reach every part, and say what is missing. Exit 0: it would run; 1: not."""
    findings = run(_findings(config))
    if as_json:
        click.echo(msgspec.json.encode(findings).decode())
    else:
        console = terminal()
        for one in findings:
            mark = "[green]ok[/]  " if one.ok else "[red]NO[/]  "
            # What a part says may quote anything, brackets and the words of an upstream included.
            console.print(f"{mark}{escape(f'{one.part:<12} {visible(one.says)}')}", highlight=False)
    if not all(one.ok for one in findings):
        raise click.exceptions.Exit(1)


async def _findings(config: Path | None) -> list[Finding]:
    try:
        settings = settings_of(config)
    except CountersignError as problem:
        return [_no("settings", problem)]
    found = [
        Finding(part="settings", ok=True, says=f"listen {settings.listen}, public {settings.public_url}")
    ]
    try:
        async with open_gateway(settings) as gateway:
            ready = await gateway.probe.readiness()
            policy = ready["policy"]
            found.append(_policy(settings, policy))
            if settings.policy.engine == "embedded":
                found.append(_budgets(settings))
            state = ready["state"]["ready"]
            lacking = "" if state else " does not answer"
            found.append(Finding(part="state", ok=state, says=masked(settings.state.url) + lacking))
            if state:
                found.append(await _in_doubt(gateway.store))
            found.append(Finding(part="audit", ok=ready["audit"]["ready"], says=settings.audit.path))
            found += await _issuers(settings)
            found += await _tool_issuers(settings)
            found += _second_parties(settings)
            found += await _identity_provider(settings, gateway.store)
            for server in gateway.house.catalog.servers():
                found.append(await _target(gateway.house.catalog, server))
            if settings.paypal.enabled:
                found.append(await _api(settings.paypal))
    except CountersignError as problem:
        found.append(_no(problem.code.partition(".")[0], problem))
    except OSError as problem:
        found.append(Finding(part="files", ok=False, says=f"{problem.filename}: {problem.strerror}"))
    return found


async def _in_doubt(store: Store) -> Finding:
    """It would run all the same; but what is unknown stays so until somebody has looked."""
    doubtful = [one async for one in TransactionBook(store).all() if can_be_settled(one)]
    says = "none unknown"
    if doubtful:
        since = datetime.fromtimestamp(min(one.started_at for one in doubtful), UTC)
        says = (
            f"{len(doubtful)} unknown, the oldest of {since:%Y-%m-%d %H:%M}Z: countersign transactions list"
        )
    return Finding(part="transactions", ok=True, says=says)


def _policy(settings: Settings, policy: dict[str, Any]) -> Finding:
    """``policy`` as :meth:`gateway.health.Probe.readiness` says it."""
    where = f" at {settings.policy.opa_url}" if settings.policy.engine == "opa" else ""
    wrong = policy.get("error")
    says = wrong or f"revision {policy['revision'] or 'none'}"
    return Finding(part="policy", ok=policy["ready"], says=f"{policy['engine']}{where}: {says}")


def _budgets(settings: Settings) -> Finding:
    """What the policy's rules could not use would deny every call that moves money; here it is named."""
    try:
        budgets = load_budgets(policy_folder_of(settings))
    except PolicyRefused as problem:
        return Finding(part="budgets", ok=False, says=str(problem))
    return Finding(
        part="budgets", ok=True, says=", ".join(budgets) or "none: only single amounts are limited"
    )


async def _api(paypal: PayPalSettings) -> Finding:
    """Whether PayPal knows the gateway. Nothing is asked but an access token; a given one is not tried."""
    base = paypal_base_url(paypal)
    if paypal.client_id is None or paypal.client_secret is None:
        return Finding(part="paypal api", ok=True, says=f"{base}: the given access token was not tried")
    credentials = ClientCredentials(paypal.client_id, paypal.client_secret)
    async with httpx.AsyncClient(timeout=API_TIMEOUT_S, trust_env=False, follow_redirects=False) as http:
        try:
            await ClientCredentialsToken(http, base.rstrip("/") + TOKEN_PATH, lambda: credentials).token()
        except NotSent as problem:
            return Finding(part="paypal api", ok=False, says=f"{base}: {problem.message}")
    return Finding(part="paypal api", ok=True, says=f"{base}: gave an access token")


async def _issuers(settings: Settings) -> list[Finding]:
    """Issuers that are asked about each opaque token. While one is silent, its callers are refused with 503."""
    found = []
    async with httpx.AsyncClient(trust_env=False, follow_redirects=False) as http:
        for issuer, verifier in introspection_of(settings, http).items():
            problem = await verifier.probe()
            says = (
                f"{issuer} answers introspection"
                if problem is None
                else f"{issuer}: introspection: {problem}"
            )
            found.append(Finding(part="identity", ok=problem is None, says=says))
    return found


async def _tool_issuers(settings: Settings) -> list[Finding]:
    """Issuers of tool tokens. While one is silent, tools whose tokens it signed are not proven."""
    return [
        Finding(part="etdi", ok=ok, says=f"{issuer}: its keys {'are here' if ok else 'cannot be had'}")
        for issuer, ok in (await reached(settings)).items()
    ]


def _second_parties(settings: Settings) -> list[Finding]:
    """Who confirms besides people, and where people are told. None of them is asked: that would be a real question."""
    found = [
        Finding(
            part="agent",
            ok=True,
            says=f"{name}: {one.kind} at {_without_query(one.url)}, {one.timeout_s:g} s; the policy says if it counts",
        )
        for name, one in settings.confirm.agents.items()
    ]
    if settings.confirm.notify is not None:
        found.append(Finding(part="notify", ok=True, says=_without_query(settings.confirm.notify.url)))
    return found


async def _identity_provider(settings: Settings, store: Store) -> list[Finding]:
    """Whether the mounted identity provider could sign a token; its first key is made by that."""
    if not settings.idp.mounted:
        return []
    try:
        key, _ = await shelves_of(settings, store).keys.signer()
    except CountersignError as problem:
        return [_no("idp", problem)]
    return [Finding(part="idp", ok=True, says=f"{issuer_of(settings)}: signs with {key.kid}")]


def _without_query(url: str) -> str:
    """Some endpoints take their key in the query."""
    return url.partition("?")[0]


async def _target(catalog: Catalog, server: str) -> Finding:
    try:
        entries = await catalog.all(server)
    except CountersignError as problem:
        return _no(server, problem)
    approved = sum(entry.approval is not None and not entry.approval.revoked for entry in entries)
    return Finding(part=server, ok=True, says=f"{len(entries)} tools, {approved} approved")


def _no(part: str, problem: CountersignError) -> Finding:
    return Finding(part=part, ok=False, says=problem.message)

"""The parts of the house, built from settings: what has connections, files or threads, opened and closed here."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from starlette.types import ASGIApp

from gateway.audit.checkpoint import Signer
from gateway.audit.file_sink import FileSink
from gateway.audit.keys import read_private_key, read_public_key
from gateway.audit.ledger import Audit
from gateway.door.http import LOCAL, Guard
from gateway.errors import SettingsError, StoreUnavailable
from gateway.kill.switch import KillSwitch
from gateway.places import policies_folder
from gateway.policy.embedded import Embedded
from gateway.policy.engine import Engine, PolicyRefused
from gateway.policy.opa import OpaSidecar
from gateway.policy.reload import Reloader, ReloadEvent
from gateway.rate.address import Addresses
from gateway.rate.bucket import Buckets
from gateway.rate.limits import ToolLimit
from gateway.rate.login import LoginLimit
from gateway.rate.strangers import Strangers
from gateway.receipts.keys import ReceiptKeys, generated_key
from gateway.settings import Settings
from gateway.settings.checks import is_loopback
from gateway.settings.model import PayPalSettings
from gateway.state.store import Store
from gateway.stopping import stopped
from gateway.targets import presets_of, target_of, with_preset
from gateway.upstream.delivery import Changed, unheard
from gateway.upstream.in_process import InProcess
from gateway.upstream.opening import Says
from gateway.upstream.paypal.client import Limits, connect
from gateway.upstream.paypal.server import PayPalServer
from gateway.upstream.paypal.token import ClientCredentials
from gateway.upstream.target import Upstream
from gateway.version import VERSION

PAYPAL = "paypal"
"""Name of the built-in server; it is what ``/mcp`` without a name reaches."""
PAYPAL_HOSTS: Mapping[str, str] = {
    "SANDBOX": "https://api-m.sandbox.paypal.com",
    "PRODUCTION": "https://api-m.paypal.com",
}
_LOG = logging.getLogger("countersign")


@asynccontextmanager
async def open_audit(settings: Settings) -> AsyncIterator[Audit]:
    """The audit. :raises AuditUnavailable: the file cannot be opened."""
    audit = audit_of(settings)
    try:
        yield audit
    finally:
        await audit.aclose()


def environment_of(settings: Settings) -> Literal["sandbox", "production", "none"]:
    """Which PayPal is behind this gateway, as the policy sees it."""
    if not settings.paypal.enabled and not presets_of(settings):
        return "none"
    return "production" if settings.paypal.environment == "PRODUCTION" else "sandbox"


def policy_folder_of(settings: Settings) -> Path:
    """The folder that is the policy: ``policies/gateway`` or an edited copy of it. :raises PolicyRefused:"""
    if not settings.policy.path:
        return policies_folder()
    folder = Path(settings.policy.path)
    if not folder.is_dir():
        raise PolicyRefused(f"policy.path: {settings.policy.path} is no folder.")
    return folder


def audit_of(settings: Settings) -> Audit:
    """The audit over its file. :raises SettingsError: :raises AuditUnavailable:"""
    signer = None
    if settings.audit.signing_key is not None:
        try:
            key = read_private_key(Path(settings.audit.signing_key).read_bytes())
        except (OSError, ValueError) as problem:
            raise SettingsError(f"audit.signing_key: {problem}.") from None
        signer = Signer(key, every=settings.audit.checkpoint_every)
    path = Path(settings.audit.path)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return Audit(FileSink(path, signer=signer), service_version=VERSION, environment=environment_of(settings))


def receipt_keys_of(settings: Settings) -> ReceiptKeys | None:
    """The keys of receipts; None where there are none. :raises SettingsError: a key that cannot be used."""
    chosen = settings.receipts
    if not chosen.enabled:
        return None
    key = "receipts.signing_key"
    try:
        path = chosen.signing_key or generated_key(Path(settings.audit.path).parent)
        signing_key = read_private_key(Path(path).read_bytes())
        key = "receipts.previous_keys"
        previous = [read_public_key(Path(one).read_bytes()) for one in chosen.previous_keys]
    except (OSError, ValueError) as problem:
        said = problem.strerror if isinstance(problem, OSError) else problem
        raise SettingsError(f"{key}: {said}.") from None
    return ReceiptKeys(signing_key, previous)


async def open_kills(store: Store, stack: AsyncExitStack) -> KillSwitch:
    """The kill switch, renewed until the stack is closed. A store that does not answer yet keeps nobody from
    starting: what is sensitive asks it again, and is refused."""
    kills = KillSwitch(store)
    with suppress(StoreUnavailable):
        await kills.refresh()
    stack.push_async_callback(stopped, asyncio.create_task(kills.run()))
    return kills


def tool_limit_of(settings: Settings, store: Store, *, now: Callable[[], float]) -> ToolLimit | None:
    """The limit on sensitive tools; None where there is none."""
    per_minute = settings.rates.sensitive_per_minute
    return ToolLimit(store, per_minute, now=now) if per_minute else None


def with_login_limit(app: ASGIApp, settings: Settings) -> ASGIApp:
    """The pages, their login limited."""
    per_minute = settings.rates.logins_per_minute
    if not per_minute:
        return app
    return LoginLimit(app, Buckets(per_minute, per_minute, monotonic=time.monotonic), addresses_of(settings))


def guard_of(settings: Settings) -> Guard:
    """Under which names this gateway is asked, and from which pages."""
    public = urlsplit(settings.public_url)
    hosts = {public.netloc.lower(), *(one.lower() for one in settings.door.allowed_hosts)}
    if is_loopback(settings.host):
        hosts |= LOCAL
    origins = {f"{public.scheme}://{public.netloc.lower()}"}
    origins |= {one.lower().rstrip("/") for one in settings.door.allowed_origins}
    return Guard(hosts=frozenset(hosts), origins=frozenset(origins))


def strangers_of(settings: Settings) -> Strangers | None:
    """The limit on strangers; None where there is none."""
    per_minute = settings.rates.strangers_per_minute
    if not per_minute:
        return None
    buckets = Buckets(per_minute, per_minute, monotonic=time.monotonic)
    return Strangers(buckets, addresses_of(settings), monotonic=time.monotonic)


def addresses_of(settings: Settings) -> Addresses:
    """Whose header is believed. :raises SettingsError:"""
    door = settings.door
    try:
        return Addresses(header=door.address_header, proxies=door.trusted_proxies)
    except ValueError as problem:
        raise SettingsError(f"door.trusted_proxies: {problem}.") from None


def upstreams_of(
    settings: Settings, *, changed: Changed = unheard, says: Says | None = None
) -> dict[str, Upstream]:
    """Every configured target by name; the built-in one first. Nothing is contacted, and nothing started, yet.

    ``changed`` is called with the name of a server that says that its tools changed.
    """
    upstreams: dict[str, Upstream] = {}
    if settings.paypal.enabled:
        upstreams[PAYPAL] = InProcess(PAYPAL, paypal_server(settings.paypal))
    for name, one in settings.upstreams.items():
        upstreams[name] = target_of(name, with_preset(one, settings.paypal.environment), changed, says)
    return upstreams


def paypal_base_url(paypal: PayPalSettings) -> str:
    """Where PayPal's REST API is."""
    return paypal.base_url or PAYPAL_HOSTS[paypal.environment]


def paypal_server(paypal: PayPalSettings) -> PayPalServer:
    """The built-in server. :raises SettingsError: no credentials for the target."""
    base_url = paypal_base_url(paypal)
    limits = Limits(read=paypal.timeout_s, whole=2 * paypal.timeout_s)
    if paypal.access_token is not None:
        return PayPalServer(connect(base_url, access_token=paypal.access_token, limits=limits))
    if paypal.client_id is None or paypal.client_secret is None:
        raise SettingsError(
            "paypal.client_id: the target needs PAYPAL_CLIENT_ID and PAYPAL_CLIENT_SECRET, or PAYPAL_ACCESS_TOKEN."
        )
    credentials = ClientCredentials(paypal.client_id, paypal.client_secret)
    return PayPalServer(connect(base_url, credentials=lambda: credentials, limits=limits))


async def engine_of(settings: Settings, stack: AsyncExitStack) -> Engine:
    """The chosen engine; an embedded one watches its folder. :raises PolicyRefused:"""
    chosen = settings.policy
    if chosen.engine == "opa":
        opa = OpaSidecar.at(
            chosen.opa_url, clock=time.monotonic, deadline_s=chosen.timeout_s, token=chosen.opa_token
        )
        stack.push_async_callback(opa.aclose)
        return opa
    folder = policy_folder_of(settings)
    embedded = await Embedded.load(folder, deadline_s=chosen.timeout_s)
    stack.push_async_callback(embedded.aclose)
    if chosen.reload:
        watching = asyncio.create_task(Reloader(folder, embedded, report=_reloaded).run())
        stack.push_async_callback(stopped, watching)
    return embedded


def _reloaded(event: ReloadEvent) -> None:
    if event.error is None:
        _LOG.warning("policy edited: revision %s decides from now on", event.revision[:12])
    else:
        _LOG.error("policy edit REFUSED, revision %s stays: %s", event.revision[:12], event.error)

"""The shelf that the catalog stands on: servers, approvals, and what proves where definitions come from."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from gateway.catalog.anchor import Anchor
from gateway.catalog.approvals import Approvals
from gateway.catalog.catalog import Catalog
from gateway.catalog.pins import read_pins
from gateway.catalog.seal import Seal, key_of
from gateway.catalog.seal import generated_key as generated_approval_key
from gateway.catalog.verification import DefinitionVerifier
from gateway.errors import SettingsError
from gateway.etdi.trust import Trust
from gateway.etdi_capability import CapabilityVerifier, capability_of, saying
from gateway.inspector.fact import content_reader
from gateway.inspector.names import Known, KnownNames
from gateway.origins import admission_of, tool_audience_of, trust_of, verifier_of
from gateway.own_issuer import mounted_issuer_of
from gateway.parts import policy_folder_of, upstreams_of
from gateway.policy.classes import Classes
from gateway.settings import Settings
from gateway.state.open import open_store
from gateway.state.store import Store
from gateway.upstream.paypal.definitions import TOOLS
from gateway.upstream.target import Upstream


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """What the catalog stands on; enough to look at tools and approvals."""

    store: Store
    upstreams: Mapping[str, Upstream]
    approvals: Approvals
    catalog: Catalog
    classes: Classes
    now: Callable[[], float]
    verifier: DefinitionVerifier
    trust: Trust
    """Whose word the verifier takes."""
    known: KnownNames
    """What others should not look like."""


@asynccontextmanager
async def open_shelf(settings: Settings, *, now: Callable[[], float] = time.time) -> AsyncIterator[Shelf]:
    """Store, upstreams, approvals and catalog. :raises SettingsError: a setting that shows here to be unusable."""
    async with AsyncExitStack() as stack:
        store = open_store(settings.state.url)
        stack.push_async_callback(store.aclose)
        spoken = capability_of(settings.etdi)
        upstreams = upstreams_of(settings, changed=lambda name: catalog.expire(name), says=saying(spoken))
        for upstream in upstreams.values():
            stack.push_async_callback(upstream.aclose)
        classes = Classes.load(policy_folder_of(settings))
        mounted = mounted_issuer_of(settings, store, now=now)
        verifier = await verifier_of(settings, classes, stack, now=now, mounted=mounted)
        if spoken is not None:
            verifier = CapabilityVerifier(verifier, upstreams, spoken, now=now)
        admits = admission_of(settings.etdi)
        seal = seal_of(settings)
        approvals = Approvals(
            store,
            pins=read_pins() if settings.paypal.enabled else {},
            now=now,
            seal=seal,
            anchor=None if seal is None else Anchor(anchor_of(settings), seal),
        )
        named = KnownNames([Known(server="PayPal", name=name, reference=True) for name in TOOLS])
        catalog = Catalog(
            upstreams,
            approvals,
            store,
            now=now,
            verifier=verifier,
            admits=admits,
            content=content_reader(named),
        )
        yield Shelf(
            store=store,
            upstreams=upstreams,
            approvals=approvals,
            catalog=catalog,
            classes=classes,
            now=now,
            verifier=verifier,
            trust=trust_of(settings.etdi, audience=tool_audience_of(settings)),
            known=named,
        )


def seal_of(settings: Settings) -> Seal | None:
    """What seals the approvals; None where that is off.

    :raises SettingsError: a key that cannot be used. :raises OSError: none is configured, and none can be made.
    """
    chosen = settings.approvals
    if not chosen.seal:
        return None
    key = "approvals.key"
    try:
        folder = Path(settings.audit.path).parent
        current = generated_approval_key(folder) if chosen.key is None else key_of(chosen.key)
        key = "approvals.previous_keys"
        return Seal(current, [key_of(one) for one in chosen.previous_keys])
    except ValueError as problem:
        raise SettingsError(f"{key}: {problem}.") from None


def anchor_of(settings: Settings) -> Path:
    """Where the numbers of the last decisions are kept: outside the state."""
    chosen = settings.approvals.anchor
    return Path(settings.audit.path).with_name("approvals.anchor") if chosen is None else Path(chosen)

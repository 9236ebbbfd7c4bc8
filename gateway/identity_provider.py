"""The ETDI identity provider, built from settings: mounted in the gateway, as a process of its own, for commands."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from starlette.routing import BaseRoute

from gateway.audit.ledger import Audit
from gateway.errors import SettingsError
from gateway.idp.client_auth import ClientAuthentication
from gateway.idp.endpoint import Endpoint, Offer
from gateway.idp.introspection import Introspection
from gateway.idp.issued import IssuedTokens
from gateway.idp.issuing import Issuing, Rules
from gateway.idp.key_book import KeyBook
from gateway.idp.key_files import KeyFiles
from gateway.idp.providers import Providers
from gateway.idp.record import Records
from gateway.idp.renewal import Limits, Renewal
from gateway.rate.bucket import Buckets
from gateway.settings import Settings
from gateway.settings.idp import audience_of, issuer_of
from gateway.state.store import Store

MIN_PASSPHRASE_CHARS = 16
"""Short of that it can be guessed by whoever has a file of it."""
REGISTRATIONS_PER_MINUTE = 10
"""Of all strangers together, at each process; people have to read them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelves:
    """What it keeps: signing keys, providers, tokens that live."""

    keys: KeyBook
    providers: Providers
    tokens: IssuedTokens


def key_files_of(settings: Settings) -> KeyFiles:
    """The folder of private keys. :raises SettingsError: a passphrase that cannot be read, or can be guessed."""
    idp = settings.idp
    if idp.passphrase_file is None:
        return KeyFiles(Path(idp.folder))
    try:
        passphrase = Path(idp.passphrase_file).read_text(encoding="utf-8").strip()
    except OSError as problem:
        raise SettingsError(f"idp.passphrase_file: cannot be read: {problem.strerror}.") from None
    except ValueError:  # not UTF-8
        raise SettingsError("idp.passphrase_file: is not text.") from None
    if len(passphrase) < MIN_PASSPHRASE_CHARS:
        raise SettingsError(
            f"idp.passphrase_file: a passphrase has at least {MIN_PASSPHRASE_CHARS} characters."
        )
    return KeyFiles(Path(idp.folder), passphrase)


def shelves_of(settings: Settings, store: Store, *, now: Callable[[], float] = time.time) -> Shelves:
    """Nothing is contacted yet. :raises SettingsError: see :func:`key_files_of`."""
    idp = settings.idp
    return Shelves(
        keys=KeyBook(
            store,
            key_files_of(settings),
            algorithm=idp.algorithm,
            propagation_s=idp.propagation_seconds,
            now=now,
        ),
        providers=Providers(store, now=now),
        tokens=IssuedTokens(store, now=now),
    )


def mounted_routes(
    settings: Settings, store: Store, audit: Audit, *, now: Callable[[], float]
) -> list[BaseRoute]:
    """The routes in the gateway; none unless ``idp.mounted``."""
    if not settings.idp.mounted:
        return []
    # A proxy that puts the gateway beneath a path has taken that path away by the time a request is here.
    outside = urlsplit(settings.public_url).path.rstrip("/")
    return idp_routes(settings, store, audit, outside=outside, now=now)


def idp_routes(
    settings: Settings,
    store: Store,
    audit: Audit,
    *,
    outside: str = "",
    now: Callable[[], float] = time.time,
) -> list[BaseRoute]:
    """The routes, at the path of its URL less ``outside``. The first key is made when the first one is needed."""
    idp, issuer = settings.idp, issuer_of(settings)
    shelves = shelves_of(settings, store, now=now)
    rules = Rules(issuer=issuer, audience=audience_of(settings), lifetime_s=idp.lifetime_seconds)
    records = Records(audit, issuer=issuer)
    limits = Limits(days=idp.rotate_days, tokens=idp.rotate_uses)
    renewal = Renewal(limits, shelves.keys, record=records.rotated, now=now)
    per_minute = idp.requests_per_minute
    endpoint = Endpoint(
        Offer(
            issuer=issuer,
            algorithm=idp.algorithm,
            jwks_age_s=idp.jwks_max_age_seconds,
            registration=idp.registration,
            approval_required=idp.approval_required,
        ),
        keys=shelves.keys,
        providers=shelves.providers,
        tokens=shelves.tokens,
        clients=ClientAuthentication(
            shelves.providers, store, audiences=frozenset({issuer, f"{issuer}/token"}), now=now
        ),
        issuing=Issuing(rules, shelves.keys, shelves.providers, shelves.tokens, records, renewal, now=now),
        introspection=Introspection(rules, shelves.keys, shelves.providers, shelves.tokens, now=now),
        records=records,
        store=store,
        audit=audit,
        meter=Buckets(per_minute, per_minute, monotonic=time.monotonic) if per_minute else None,
        registrations=Buckets(REGISTRATIONS_PER_MINUTE, REGISTRATIONS_PER_MINUTE, monotonic=time.monotonic),
        now=now,
    )
    return endpoint.routes(outside)

"""Who proves where tools come from, built from settings: trusted issuers and keys, and what is fetched for them."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import msgspec

from gateway.catalog.tool import Etdi, EtdiStatus
from gateway.catalog.verification import DefinitionVerifier
from gateway.errors import SettingsError
from gateway.etdi.errors import EtdiCode
from gateway.etdi.fetching import PublicOnly, fallbacks_of
from gateway.etdi.guarded import GuardedTokens
from gateway.etdi.introspection import MAX_ANSWER_BYTES, Introspection
from gateway.etdi.token import IssuerKeys, TokenVerifier
from gateway.etdi.trust import ProviderKey, TokenIssuer, Trust, read_provider_key
from gateway.etdi.verifier import EtdiVerifier, Rules
from gateway.identity.endpoints import parse_endpoint
from gateway.identity.fetch import Fetcher, HttpFetcher
from gateway.identity.keys import LocalKeys, RemoteKeys
from gateway.own_issuer import MountedIssuer
from gateway.policy.classes import Classes
from gateway.settings import Settings
from gateway.settings.etdi import EtdiSettings, ProviderKeySettings, ToolIssuerSettings
from gateway.stopping import stopped

_LEVELS = {
    "error": logging.ERROR,
    "warn": logging.WARNING,
    "info": logging.INFO,
    "debug": logging.DEBUG,
}


async def verifier_of(
    whole: Settings,
    classes: Classes,
    stack: AsyncExitStack,
    *,
    now: Callable[[], float] = time.time,
    mounted: MountedIssuer | None = None,
) -> DefinitionVerifier:
    """What the catalog asks. ``mounted``: the identity provider in this gateway, if there is one. Key sets are fetched
    in the background from now on: a dead issuer keeps nobody from starting, and is warned of (R156).

    :raises SettingsError: a setting that shows here to be unusable.
    """
    settings = whole.etdi
    level = logging.WARNING if settings.log_security_events_only else _LEVELS[settings.log_level]
    logging.getLogger("countersign.etdi").setLevel(max(level, _LEVELS[settings.log_level]))
    trust = trust_of(settings, audience=tool_audience_of(whole))
    wanted = {one.issuer for one in trust.issuers}
    chosen = [one for one in settings.issuers if one.issuer in wanted]
    keys: dict[str, IssuerKeys] = {}
    asked: dict[str, Introspection] = {}
    if chosen:
        http = await stack.enter_async_context(httpx.AsyncClient(trust_env=False, follow_redirects=False))
        for one in chosen:
            if (
                mounted is not None
                and one.issuer == mounted.issuer
                and one.jwks_uri is None
                and one.jwks_file is None
            ):
                keys[one.issuer] = mounted
            else:
                keys[one.issuer] = _keys(one, settings, http)
            if one.introspection_url is not None:
                asked[one.issuer] = _introspection(one, one.introspection_url, http, now=now)
    remote = [one for one in keys.values() if isinstance(one, RemoteKeys)]
    for one_of_them in remote:
        stack.push_async_callback(one_of_them.aclose)
    if remote:
        prefetching = asyncio.gather(*(one.prefetch() for one in remote))
        stack.push_async_callback(stopped, asyncio.ensure_future(_waited(prefetching)))
    own = {} if mounted is None else {mounted.issuer: mounted}
    tokens = TokenVerifier(trust, keys=keys, introspection=asked, own=own, clock=now)
    guarded = GuardedTokens(tokens, timeout_s=settings.timeout_s, retry=settings.retry)
    return EtdiVerifier(
        trust, guarded, _rules(settings), sensitive=classes.is_sensitive, clock=now, registry=mounted
    )


async def reached(whole: Settings) -> dict[str, bool]:
    """Issuer of tool tokens -> whether its keys can be had now. :raises SettingsError:"""
    trust = trust_of(whole.etdi, audience=tool_audience_of(whole))
    wanted = {one.issuer for one in trust.issuers}
    found: dict[str, bool] = {}
    async with httpx.AsyncClient(trust_env=False, follow_redirects=False) as http:
        for one in whole.etdi.issuers:
            if one.issuer in wanted:
                keys = _keys(one, whole.etdi, http)
                found[one.issuer] = not isinstance(keys, RemoteKeys) or await keys.prefetch()
    return found


def tool_audience_of(settings: Settings) -> str:
    """Whom tool tokens are for where an issuer's settings say nothing else: this gateway, and no API (C32, C55)."""
    return settings.public_url.rstrip("/") + "/etdi"


def trust_of(settings: EtdiSettings, *, audience: str) -> Trust:
    """Both lists; ``audience`` is for issuers that name none. :raises SettingsError: naming what is wrong with them."""
    issuers = [_issuer(one, settings, audience) for one in settings.issuers]
    if settings.trusted_providers is not None:
        named = set(settings.trusted_providers)
        known = {name for one in issuers for name in (one.issuer, *one.names)}
        for name in sorted(named - known):
            raise SettingsError(
                f"etdi.trusted_providers: {name} is none of etdi.issuers; say where its keys are.",
                code=EtdiCode.CONFIG_INCOMPLETE,
            )
        issuers = [one for one in issuers if not named.isdisjoint((one.issuer, *one.names))]
    try:
        return Trust(issuers, [_provider_key(one) for one in settings.provider_keys])
    except ValueError as problem:
        raise SettingsError(f"etdi: {problem}.", code=EtdiCode.CONFIG_INVALID) from None


def admission_of(settings: EtdiSettings) -> Callable[[Etdi], bool]:
    """Which tools are looked at any further (R066, R067, C17): strict wins; the policy decides about the rest."""
    left_out: set[EtdiStatus] = set()
    if settings.strict_mode or not settings.allow_non_etdi_tools:
        left_out.add(EtdiStatus.UNVERIFIED)
    if settings.strict_mode or not settings.show_unverified_tools:
        left_out |= {EtdiStatus.TOKEN_INVALID, EtdiStatus.SIGNATURE_INVALID}
    return lambda etdi: etdi.status not in left_out


def _rules(settings: EtdiSettings) -> Rules:
    return Rules(
        oauth_enabled=settings.oauth_enabled,
        prefer_oauth=settings.prefer_oauth,
        algorithms=settings.signature_algorithms,
        caching=settings.enable_caching,
        cache_ttl_s=settings.cache_ttl_s,
        max_entries=settings.max_cache_size,
        max_concurrent=settings.max_concurrent_verifications if settings.parallel_verification else 1,
        degradation=settings.degradation,
        log_tool_data=settings.log_tool_data,
    )


def _issuer(one: ToolIssuerSettings, settings: EtdiSettings, audience: str) -> TokenIssuer:
    members = {name: getattr(one, name) for name in TokenIssuer.__struct_fields__}
    members["audience"] = audience if one.audience is None else one.audience
    members["providers"] = one.providers or settings.tool_providers
    try:
        return msgspec.convert(members, TokenIssuer)
    except (msgspec.ValidationError, ValueError) as problem:
        raise SettingsError(f"etdi.issuers: {one.issuer}: {problem}.", code=EtdiCode.CONFIG_INVALID) from None


def _provider_key(one: ProviderKeySettings) -> ProviderKey:
    key = f"etdi.provider_keys: {one.provider} {one.key_id}"
    if (one.public_key is None) == (one.public_key_file is None):
        raise SettingsError(
            f"{key}: set public_key or public_key_file, one of them.", code=EtdiCode.CONFIG_INCOMPLETE
        )
    try:
        pem = (one.public_key or "").encode() or Path(one.public_key_file or "").read_bytes()
        return read_provider_key(
            pem,
            provider=one.provider,
            key_id=one.key_id,
            without_token=one.without_token,
            expires=one.expires,
        )
    except OSError as problem:
        raise SettingsError(f"{key}: {problem.strerror}.", code=EtdiCode.CONFIG_INVALID) from None
    except ValueError as problem:
        raise SettingsError(f"{key}: {problem}.", code=EtdiCode.CONFIG_INVALID) from None


def _keys(one: ToolIssuerSettings, settings: EtdiSettings, http: httpx.AsyncClient) -> IssuerKeys:
    if one.jwks_uri is not None and one.jwks_file is not None:
        raise SettingsError(
            f"etdi.issuers: {one.issuer}: set jwks_uri or jwks_file, not both.", code=EtdiCode.CONFIG_INVALID
        )
    try:
        if one.jwks_file is not None:
            return LocalKeys.from_file(Path(one.jwks_file))
        named = {parse_endpoint(url).host for url in (one.issuer, one.jwks_uri) if url is not None}
        fetcher: Fetcher = HttpFetcher(http)
        if not settings.allow_private_addresses:
            fetcher = PublicOnly(fetcher, named=frozenset(named))
        return RemoteKeys(
            issuer=one.issuer, fetcher=fetcher, jwks_uri=one.jwks_uri, fallbacks=fallbacks_of(one.issuer)
        )
    except (OSError, ValueError) as problem:
        raise SettingsError(f"etdi.issuers: {one.issuer}: {problem}.", code=EtdiCode.CONFIG_INVALID) from None


def _introspection(
    one: ToolIssuerSettings, url: str, http: httpx.AsyncClient, *, now: Callable[[], float]
) -> Introspection:
    if not one.introspection_client_id or not one.introspection_client_secret:
        raise SettingsError(
            f"etdi.issuers: {one.issuer}: introspection_url needs introspection_client_id and "
            "introspection_client_secret.",
            code=EtdiCode.CONFIG_INCOMPLETE,
        )
    try:
        return Introspection(
            url=url,
            client_id=one.introspection_client_id,
            client_secret=one.introspection_client_secret,
            fetcher=HttpFetcher(http, max_bytes=MAX_ANSWER_BYTES),
            remember_s=one.introspection_remember_s,
            clock=now,
        )
    except ValueError as problem:
        raise SettingsError(f"etdi.issuers: {one.issuer}: {problem}.", code=EtdiCode.CONFIG_INVALID) from None


async def _waited(prefetching: asyncio.Future[list[bool]]) -> None:
    await prefetching

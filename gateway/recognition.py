"""Who is recognised, built from settings: the verifiers of tokens and of proofs, with what they fetch."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import msgspec

from gateway.errors import SettingsError
from gateway.identity.dpop import ProofRules
from gateway.identity.fetch import HttpFetcher
from gateway.identity.introspection import MAX_ANSWER_BYTES, IntrospectionVerifier
from gateway.identity.issuer import TrustedIssuer
from gateway.identity.jwt import JwtVerifier
from gateway.identity.keys import KeySource, LocalKeys, RemoteKeys
from gateway.identity.parameters import ParameterProofs
from gateway.identity.proofs import DpopProofs, Nonces
from gateway.identity.static import StaticTokens
from gateway.identity.verifier import Identity, Meter, Verifier
from gateway.rate.limits import CallerLimit
from gateway.rate.shared import SharedCount
from gateway.settings import Settings
from gateway.settings.model import IssuerSettings
from gateway.state.store import Store


async def identity_of(
    settings: Settings, store: Store, stack: AsyncExitStack, *, now: Callable[[], float]
) -> Identity:
    """Who is recognised. :raises SettingsError: a setting that shows here to be unusable."""
    verifiers: list[Verifier] = []
    if settings.identity.tokens:
        verifiers.append(StaticTokens(settings.identity.tokens, clock=now))
    if settings.identity.issuers:
        http = await stack.enter_async_context(httpx.AsyncClient(trust_env=False, follow_redirects=False))
        issuers: list[tuple[TrustedIssuer, KeySource]] = []
        asked = introspection_of(settings, http, now=now)
        for one in settings.identity.issuers:
            if one.issuer in asked and one.jwks_uri is None and one.jwks_file is None:
                continue
            keys = _keys(one, http)
            if isinstance(keys, RemoteKeys):
                stack.push_async_callback(keys.aclose)
            issuers.append((_trusted(one), keys))
        if issuers:
            verifiers.append(JwtVerifier(audience=resource_of(settings), issuers=issuers, clock=now))
        for verifier in asked.values():
            stack.push_async_callback(verifier.aclose)
            verifiers.append(verifier)
    dpop = settings.identity.dpop
    try:
        rules = ProofRules(
            resource=resource_of(settings),
            base=settings.public_url.rstrip("/"),
            algorithms=dpop.algorithms,
        )
        proofs = DpopProofs(store, rules, nonces=nonces_of(settings, now=now), clock=now)
    except ValueError as problem:
        raise SettingsError(f"identity.dpop: {problem}.") from None
    return Identity(
        verifiers, proofs=proofs, require_bound=dpop.required, meter=_meter(settings, store, stack, now)
    )


def _meter(settings: Settings, store: Store, stack: AsyncExitStack, now: Callable[[], float]) -> Meter | None:
    rates = settings.rates
    if not rates.requests_per_minute:
        return None
    shared = SharedCount(store, rates.requests_per_minute + rates.burst, now=now)
    stack.push_async_callback(shared.aclose)
    return CallerLimit(rates.requests_per_minute, rates.burst, monotonic=time.monotonic, shared=shared)


def parameter_proofs_of(settings: Settings, store: Store, *, now: Callable[[], float]) -> ParameterProofs:
    """How signatures over parameters are checked."""
    return ParameterProofs(store, resource=resource_of(settings), keys=settings.identity.keys, clock=now)


def introspection_of(
    settings: Settings, http: httpx.AsyncClient, *, now: Callable[[], float] = time.time
) -> dict[str, IntrospectionVerifier]:
    """Issuer -> how it is asked about tokens. :raises SettingsError:"""
    fetcher = HttpFetcher(http, max_bytes=MAX_ANSWER_BYTES)
    try:
        return {
            one.issuer: IntrospectionVerifier(
                audience=resource_of(settings),
                trusted=_trusted(one),
                url=one.introspection_url,
                client_id=one.introspection_client_id or "",
                client_secret=one.introspection_client_secret or "",
                fetcher=fetcher,
                remember_s=one.introspection_remember_s,
                clock=now,
            )
            for one in settings.identity.issuers
            if one.introspection_url is not None
        }
    except ValueError as problem:
        raise SettingsError(f"identity.issuers: introspection_url: {problem}.") from None


def nonces_of(settings: Settings, *, now: Callable[[], float]) -> Nonces | None:
    """The nonces that proofs must carry, if they must. :raises ValueError: a secret that is too short."""
    secret = settings.identity.dpop.nonce_secret
    return None if secret is None else Nonces(secret, clock=now)


def _trusted(one: IssuerSettings) -> TrustedIssuer:
    members = {name: getattr(one, name) for name in TrustedIssuer.__struct_fields__}
    try:
        return msgspec.convert(members, TrustedIssuer)
    except (msgspec.ValidationError, ValueError) as problem:
        raise SettingsError(f"identity.issuers: {one.issuer}: {problem}") from None


def _keys(one: IssuerSettings, http: httpx.AsyncClient) -> KeySource:
    if one.jwks_file is not None:
        try:
            return LocalKeys.from_file(Path(one.jwks_file))
        except (OSError, ValueError) as problem:
            raise SettingsError(f"identity.issuers: {one.issuer}: jwks_file: {problem}") from None
    return RemoteKeys(issuer=one.issuer, fetcher=HttpFetcher(http), jwks_uri=one.jwks_uri)


def resource_of(settings: Settings) -> str:
    """The gateway as audiences name it (RFC 8707): the URL of its MCP endpoint."""
    return settings.public_url.rstrip("/") + "/mcp"

"""The chain tool -> provider -> issuer -> signature (``verifyToolTrustChain``, LLD-A 5.3, R135, R136).

Two lists decide, not one (C56): providers of tools, and issuers of their tokens. An issuer is compared whole (C18):
``https://x.auth0.com.attacker.example`` is nobody's. A signature counts as valid only where the verifier got past it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from gateway.catalog.block import OAuth
from gateway.catalog.definition import Definition, read_definition
from gateway.catalog.tool import EtdiStatus
from gateway.catalog.verification import DefinitionVerifier
from gateway.etdi.errors import EtdiCode
from gateway.etdi.trust import Trust
from gateway.identity.errors import CredentialRefused
from gateway.identity.jose import open_envelope
from gateway.inspector.finding import excerpt

OverallTrust = Literal["trusted", "partially-trusted", "untrusted", "unknown"]


class ToolLink(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The tool's own words."""

    id: str | None
    name: str
    version: str | None


class ProviderLink(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """``trusted``: an issuer or a key here may speak for this provider."""

    id: str | None
    name: str | None
    trusted: bool


class OAuthLink(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """``issuer`` is claimed. ``trusted``: trusted provider, its exact issuer, its signature, and claims that fit."""

    provider: str
    provider_trusted: bool
    issuer: str | None = None
    issuer_valid: bool = False
    signature_valid: bool = False
    trusted: bool = False
    error: str | None = None


class TrustChain(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """``overall_trust`` ``unknown``: the definition itself cannot be read."""

    tool: ToolLink
    provider: ProviderLink
    oauth: OAuthLink | None = None
    overall_trust: OverallTrust = "unknown"


def overall(*, provider_trusted: bool, oauth: OAuthLink | None) -> OverallTrust:
    """The rule of R135."""
    if oauth is None or not provider_trusted:
        return "untrusted"
    if oauth.trusted:
        return "trusted"
    return "partially-trusted" if oauth.provider_trusted else "untrusted"


async def verify_trust_chain(
    wire: Mapping[str, Any], trust: Trust, *, verifier: DefinitionVerifier | None, server: str = "inspected"
) -> TrustChain:
    """``verifier`` None: no signature is checked, so that none is valid."""
    try:
        definition = read_definition(wire)
    except (ValueError, TypeError, OverflowError):
        name = wire.get("name")
        tool = ToolLink(id=None, name=excerpt(name) if isinstance(name, str) else "(no name)", version=None)
        return TrustChain(tool=tool, provider=ProviderLink(id=None, name=None, trusted=False))
    block = definition.block
    provider = ProviderLink(
        id=None if block.provider is None else excerpt(block.provider.id),
        name=None if block.provider is None or block.provider.name is None else excerpt(block.provider.name),
        trusted=block.provider is not None and trust.speaks_for(block.provider.id),
    )
    oauth: OAuthLink | None = None
    if block.oauth is not None and block.oauth.token and block.oauth.provider:
        oauth = await _oauth(definition, block.oauth, block.oauth.provider, trust, verifier, server)
    return TrustChain(
        tool=ToolLink(
            id=None if block.id is None else excerpt(block.id),
            name=excerpt(definition.name),
            version=block.version,
        ),
        provider=provider,
        oauth=oauth,
        overall_trust=overall(provider_trusted=provider.trusted, oauth=oauth),
    )


async def _oauth(
    definition: Definition,
    oauth: OAuth,
    named: str,
    trust: Trust,
    verifier: DefinitionVerifier | None,
    server: str,
) -> OAuthLink:
    issuer = trust.issuer(named)
    link = OAuthLink(provider=excerpt(named), provider_trusted=issuer is not None)
    try:
        envelope = open_envelope((oauth.token or "").encode("utf-8", "replace"))
    except CredentialRefused as problem:
        return msgspec.structs.replace(link, error=problem.because)
    if envelope is None:
        return msgspec.structs.replace(link, error="no compact JWT")
    issuer_valid = issuer is not None and envelope.claimed_issuer == issuer.issuer
    link = msgspec.structs.replace(link, issuer=excerpt(envelope.claimed_issuer), issuer_valid=issuer_valid)
    if issuer is None or not issuer_valid or verifier is None:
        return link
    verdict = (await verifier.verify(server, [definition]))[0]
    verified = verdict.etdi.status is EtdiStatus.VERIFIED and verdict.etdi.error is None
    # Scopes are compared after the signature; no other refusal says that the verifier came so far.
    signed = verified or verdict.etdi.error == EtdiCode.TOKEN_INSUFFICIENT_SCOPE
    error = None if verified else verdict.failure.error if verdict.failure is not None else verdict.etdi.error
    return msgspec.structs.replace(link, signature_valid=signed, trusted=verified, error=error)

"""From the tool over its provider to the issuer: who trusts whom, in one value (LLD-A 5.3, R135, R136). Pure.

What it says is what was verified. What nobody verified is named as the token's own word: ``issuer`` is what the
token says, and counts only as far as ``issuerValid`` and ``signatureValid`` go.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from gateway.catalog.definition import Definition
from gateway.catalog.tool import EtdiStatus
from gateway.catalog.verification import Verdict
from gateway.etdi.early import first_look
from gateway.etdi.errors import EtdiCode, NotVerified
from gateway.etdi.trust import Trust

Overall = Literal["trusted", "partially-trusted", "untrusted", "unknown"]
_SIGNED: Final = frozenset(
    {
        EtdiCode.TOKEN_INVALID_CLAIMS,
        EtdiCode.TOKEN_INSUFFICIENT_SCOPE,
    }
)
"""Refusals that come after the signature was found good, where the issuer is the trusted one."""


class ChainTool(msgspec.Struct, frozen=True, kw_only=True):
    """The tool, as it calls itself."""

    id: str | None
    name: str
    version: str | None


class ChainProvider(msgspec.Struct, frozen=True, kw_only=True):
    """``trusted``: somebody here may vouch for this provider's tools."""

    id: str | None
    name: str | None
    trusted: bool


class ChainOAuth(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """``trusted``: its provider is trusted, the issuer is that provider's, and the token verified as a whole."""

    provider: str
    provider_trusted: bool
    issuer: str | None
    issuer_valid: bool
    signature_valid: bool
    trusted: bool
    error: str | None = None


class TrustChain(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """``oauth`` is None where there is no token, or nobody is named who issued it. ``unknown``: the definition itself
    cannot be read."""

    tool: ChainTool
    provider: ChainProvider
    oauth: ChainOAuth | None
    overall_trust: Overall


def trust_chain(definition: Definition, verdict: Verdict, trust: Trust) -> TrustChain:
    """The chain of a definition that was verified with this result. Asks nobody."""
    block = definition.block
    provider = ChainProvider(
        id=definition.provider,
        name=None if block.provider is None else block.provider.name,
        trusted=definition.provider is not None and trust.speaks_for(definition.provider),
    )
    oauth = _oauth(definition, verdict, trust)
    return TrustChain(
        tool=ChainTool(id=block.id, name=definition.name, version=definition.version),
        provider=provider,
        oauth=oauth,
        overall_trust=_overall(provider, oauth),
    )


def _overall(provider: ChainProvider, oauth: ChainOAuth | None) -> Overall:
    if oauth is None or not provider.trusted:
        return "untrusted"
    if oauth.trusted:
        return "trusted"
    return "partially-trusted" if oauth.provider_trusted else "untrusted"


def _oauth(definition: Definition, verdict: Verdict, trust: Trust) -> ChainOAuth | None:
    oauth = definition.block.oauth
    if oauth is None or not oauth.token or oauth.provider is None:
        return None
    trusted = trust.issuer(oauth.provider)
    try:
        issuer: str | None = first_look(oauth.token.encode("utf-8", "replace"), now=0).claimed_issuer
    except NotVerified:
        issuer = None
    # The issuer must be that provider's own, character by character (C18).
    issuer_valid = trusted is not None and issuer == trusted.issuer
    error = verdict.etdi.error
    token_good = verdict.etdi.status is EtdiStatus.VERIFIED and error is None
    return ChainOAuth(
        provider=oauth.provider,
        provider_trusted=trusted is not None,
        issuer=issuer,
        issuer_valid=issuer_valid,
        signature_valid=issuer_valid and (token_good or _signed(verdict)),
        trusted=issuer_valid and token_good,
        error=error,
    )


def _signed(verdict: Verdict) -> bool:
    """Whether the refusal came after the signature. Formats are refused before it, under one of the same codes."""
    failure = verdict.failure
    if failure is None or verdict.etdi.status is not EtdiStatus.TOKEN_INVALID:
        return False
    text = str(failure.error)
    early = text.startswith(("Invalid token format", "Token validation error"))
    return failure.code in _SIGNED and not early

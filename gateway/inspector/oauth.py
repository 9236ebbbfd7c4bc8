"""What a tool's token says, read without believing it (LLD-A 5.1, R129). Pure.

Everything here is *decoded, not verified*: ``token_valid`` becomes true only by :func:`checked`, with the word of
whoever checked the token cryptographically. No part of the token itself gets into a finding.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, Literal, TypeGuard

import msgspec

from gateway.catalog.definition import Definition
from gateway.etdi.claims import MAX_NUMERIC_DATE
from gateway.etdi.profiles import CLAIM_PREFIXES, PROFILES, granted
from gateway.etdi.trust import MAX_LIFETIME_S
from gateway.identity.errors import CredentialRefused
from gateway.identity.jose import open_jws, parse_claims
from gateway.identity.jwk import SUPPORTED_ALGORITHMS
from gateway.inspector.etdi_codes import ETDI_CODES
from gateway.inspector.finding import Finding, excerpt, found

Claims = Literal["none", "decoded, not verified", "verified"]
MAX_SCOPES: Final = 64
"""Scopes that an analysis lists."""


class OAuthAnalysis(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """``claims`` says what the other members are worth. ``token_checked``: somebody tried the signature.

    ``token_expiry`` is RFC 3339; texts are as :func:`~gateway.inspector.finding.excerpt` gives them.
    """

    token_valid: bool = False
    token_checked: bool = False
    claims: Claims = "none"
    token_expiry: str | None = None
    issuer: str | None = None
    subject: str | None = None
    audience: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    tool_id: str | None = None
    tool_version: str | None = None
    findings: tuple[Finding, ...] = ()


def analyze_token(token: str, definition: Definition, *, now: float) -> OAuthAnalysis:
    """What the token claims, and what of it contradicts the definition. ``now``: unix seconds."""
    try:
        opened = open_jws(token.encode("utf-8", "replace"))
        claims = None if opened is None else parse_claims(opened[1])
    except CredentialRefused as problem:
        return OAuthAnalysis(findings=(found(ETDI_CODES, "ANALYSIS_ERROR", because=problem.because),))
    if opened is None or claims is None:
        return OAuthAnalysis(findings=(found(ETDI_CODES, "ANALYSIS_ERROR", because="no compact JWT"),))
    tool_id, tool_version = _said(claims, "tool_id"), _said(claims, "tool_version")
    return OAuthAnalysis(
        claims="decoded, not verified",
        token_expiry=_date(claims.get("exp")),
        issuer=_text(claims.get("iss")),
        subject=_text(claims.get("sub")),
        audience=tuple(excerpt(one) for one in _texts(claims.get("aud"))[:MAX_SCOPES]),
        scopes=tuple(excerpt(one) for one in _scopes(claims)[:MAX_SCOPES]),
        tool_id=_text(tool_id),
        tool_version=_text(tool_version),
        findings=(
            *_expiry(claims, now),
            *_binding(claims, definition, tool_id, tool_version),
            *_mistakes(opened[0], claims, definition),
        ),
    )


def checked(analysis: OAuthAnalysis, *, valid: bool, finding: Finding | None = None) -> OAuthAnalysis:
    """The same, with the word of whoever verified the token. ``finding``: why it is not valid."""
    return msgspec.structs.replace(
        analysis,
        token_valid=valid,
        token_checked=True,
        claims="verified" if valid else analysis.claims,
        findings=analysis.findings if finding is None else (*analysis.findings, finding),
    )


def _expiry(claims: Mapping[str, Any], now: float) -> list[Finding]:
    expires, issued = claims.get("exp"), claims.get("iat")
    if not _is_date(expires):
        return [found(ETDI_CODES, "TOKEN_WITHOUT_EXPIRY")]
    if expires <= now:
        return [found(ETDI_CODES, "TOKEN_EXPIRED", expired=_date(expires))]
    if _is_date(issued) and expires - issued > MAX_LIFETIME_S:
        return [found(ETDI_CODES, "TOKEN_LIVES_LONG", seconds=expires - issued)]
    return []


def _binding(
    claims: Mapping[str, Any], definition: Definition, tool_id: object, tool_version: object
) -> list[Finding]:
    findings = [
        found(ETDI_CODES, "CLAIMS_CONTRADICT", claim=name)
        for name in ("tool_id", "tool_version", "tool_provider")
        if _contradicts(claims, name)
    ]
    block = definition.block
    if block.id is None or tool_id != block.id:
        findings.append(found(ETDI_CODES, "TOOL_ID_MISMATCH", token=_text(tool_id), tool=_text(block.id)))
    if tool_version is not None and tool_version != block.version:
        findings.append(
            found(ETDI_CODES, "TOOL_VERSION_MISMATCH", token=_text(tool_version), tool=_text(block.version))
        )
    return findings


def _mistakes(header: Mapping[str, Any], claims: Mapping[str, Any], definition: Definition) -> list[Finding]:
    findings = []
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in SUPPORTED_ALGORITHMS:
        findings.append(found(ETDI_CODES, "TOKEN_ALGORITHM_UNSAFE", algorithm=_text(algorithm)))
    if len(_texts(claims.get("aud"))) != 1:
        findings.append(found(ETDI_CODES, "TOKEN_WITHOUT_AUDIENCE"))
    scopes = tuple(_scopes(claims))
    given = frozenset[str]().union(*(granted(one, scopes, None) for one in PROFILES.values()))
    missing = [name for name in definition.permissions if name not in given]
    if missing:
        findings.append(
            found(
                ETDI_CODES,
                "TOKEN_SCOPE_MISSING",
                permissions=[excerpt(name) for name in missing[:MAX_SCOPES]],
            )
        )
    return findings


def _every(claims: Mapping[str, Any], name: str) -> list[Any]:
    return [claims[prefix + name] for prefix in CLAIM_PREFIXES if claims.get(prefix + name) is not None]


def _said(claims: Mapping[str, Any], name: str) -> object:
    return next(iter(_every(claims, name)), None)


def _contradicts(claims: Mapping[str, Any], name: str) -> bool:
    values = _every(claims, name)
    return any(one != values[0] for one in values)


def _scopes(claims: Mapping[str, Any]) -> list[str]:
    return [one for name in ("scope", "scp", "roles") for one in _texts(claims.get(name), split=True)]


def _texts(value: object, *, split: bool = False) -> list[str]:
    if isinstance(value, str):
        return [one for one in (value.split(" ") if split else [value]) if one]
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _text(value: object) -> str | None:
    if value is None:
        return None
    return excerpt(value if isinstance(value, str) else f"({type(value).__name__})")


def _is_date(value: object) -> TypeGuard[int]:
    return type(value) is int and 0 < value <= MAX_NUMERIC_DATE


def _date(value: object) -> str | None:
    if not _is_date(value):
        return None
    try:
        return datetime.fromtimestamp(value, UTC).isoformat().replace("+00:00", "Z")
    except (OverflowError, ValueError, OSError):
        return None

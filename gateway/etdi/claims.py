"""Verified claims of a tool token against the definition that carries it (R073-R077, C19, C27, C58). Pure.

What is *not* checked here: the signature. Hand in the payload that the signature covered and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from gateway.catalog.definition import Definition
from gateway.etdi.errors import EtdiCode, NotVerified
from gateway.etdi.profiles import CLAIM_PREFIXES, granted
from gateway.etdi.trust import TokenIssuer

MAX_NUMERIC_DATE: Final = 2**40
"""Seconds; beyond lies milliseconds taken for seconds, or an attack on date arithmetic."""
MAX_SCOPES: Final = 512
_INVALID: Final = EtdiCode.TOKEN_INVALID_CLAIMS


def check_claims(
    claims: Mapping[str, Any], definition: Definition, issuer: TokenIssuer, *, now: float
) -> int:
    """Whether these claims vouch for this definition; when they end (unix seconds).

    :raises NotVerified: the first claim that does not fit.
    """
    if claims.get("iss") != issuer.issuer:
        raise NotVerified(_INVALID, "Token issuer is not the trusted one")
    _check_audience(claims.get("aud"), issuer.audience)
    expires = _check_times(claims, issuer, now)
    tenant = issuer.rules.tenant_claim
    if tenant is not None and claims.get(tenant) != issuer.tenant:
        raise NotVerified(_INVALID, "Token is of another tenant")
    block = definition.block
    for name, expected, text in (
        ("tool_id", block.id, "Token does not match expected tool ID"),
        ("tool_version", block.version, "Token does not match expected tool version"),
        ("tool_provider", definition.provider, "Token does not match expected tool provider"),
    ):
        if expected is None or _claim(claims, issuer, name) != expected:
            raise NotVerified(_INVALID, text)
    _check_hash(_claim(claims, issuer, "definition_hash"), definition, issuer)
    _check_scopes(claims, definition, issuer)
    return expires


def _check_audience(audience: object, expected: str) -> None:
    """Ours, and nobody's besides: a token that an API takes, too, must not stand in a public definition (C55)."""
    if audience not in (expected, [expected]):
        raise NotVerified(_INVALID, "Token audience is not this gateway")


def _check_times(claims: Mapping[str, Any], issuer: TokenIssuer, now: float) -> int:
    expires, issued = _date(claims, "exp"), _date(claims, "iat")
    not_before = _date(claims, "nbf") if "nbf" in claims else issued
    if now >= expires:
        raise NotVerified(EtdiCode.TOKEN_EXPIRED, "Token expired")
    if max(not_before, issued) > now + issuer.leeway_s:
        raise NotVerified(_INVALID, "Token is not valid yet", definitive=False)
    if not 0 < expires - issued <= issuer.max_lifetime_s:
        raise NotVerified(_INVALID, "Token lives longer than this issuer's may")
    return expires


def _date(claims: Mapping[str, Any], name: str) -> int:
    """C58: ``exp`` of 0, "soon", true or nothing at all must not read as "never"."""
    value = claims.get(name)
    if type(value) is not int or not 0 < value <= MAX_NUMERIC_DATE:
        raise NotVerified(_INVALID, f"Token claim {name} is missing or no sensible integer")
    return value


def _claim(claims: Mapping[str, Any], issuer: TokenIssuer, name: str) -> object:
    """The claim in a spelling that the profile reads; every spelling that is there must say the same."""
    said = [claims[prefix + name] for prefix in CLAIM_PREFIXES if prefix + name in claims]
    if any(value != said[0] or type(value) is not type(said[0]) for value in said):
        raise NotVerified(_INVALID, f"Token claims about {name} contradict each other")
    return next(
        (claims[prefix + name] for prefix in issuer.rules.claim_prefixes if prefix + name in claims), None
    )


def _check_hash(claimed: object, definition: Definition, issuer: TokenIssuer) -> None:
    if claimed is None and not issuer.require_definition_hash:
        return
    if claimed != definition.definition_hash:
        raise NotVerified(_INVALID, "Token does not match expected definition")


def _check_scopes(claims: Mapping[str, Any], definition: Definition, issuer: TokenIssuer) -> None:
    given = granted(issuer.rules, _scopes(claims, issuer), issuer.scope_map)
    missing = [name for name in definition.permissions if name not in given]
    if missing:
        raise NotVerified(
            EtdiCode.TOKEN_INSUFFICIENT_SCOPE,
            "Token missing required permissions",
            details={"missingPermissions": missing},
        )


def _scopes(claims: Mapping[str, Any], issuer: TokenIssuer) -> tuple[str, ...]:
    """From every claim of the profile. ``scope`` and ``scp`` are two spellings of one thing and must agree; ``roles``
    are granted besides."""
    found = {name: _texts(claims[name]) for name in issuer.rules.scope_claims if claims.get(name) is not None}
    if "scope" in found and "scp" in found and set(found["scope"]) != set(found["scp"]):
        raise NotVerified(_INVALID, "Token scopes contradict each other")
    return tuple(scope for scopes in found.values() for scope in scopes)


def _texts(value: object) -> list[str]:
    scopes = value.split(" ") if isinstance(value, str) else value
    if not isinstance(scopes, list) or len(scopes) > MAX_SCOPES:
        raise NotVerified(_INVALID, "Token scopes are no list of sensible length")
    if not all(isinstance(scope, str) for scope in scopes):
        raise NotVerified(_INVALID, "Token scopes are not texts")
    return [scope for scope in scopes if scope]

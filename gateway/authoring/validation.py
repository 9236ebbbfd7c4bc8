"""Whether the payload of a token is one of this tool's (R107). Pure; the signature was checked before.

The order is that of the source: expiry, audience, issuer, (signature), scopes, tool. The first that fails decides.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from gateway.authoring.claims import ToolClaims, Validation
from gateway.authoring.profiles import Profile, granted_permissions, tool_claims

TOKEN_EXPIRED: Final = "token_expired"  # noqa: S105 - a reason
INVALID_AUDIENCE: Final = "invalid_audience"
INVALID_ISSUER: Final = "invalid_issuer"
INVALID_SIGNATURE: Final = "invalid_signature"
INSUFFICIENT_SCOPE: Final = "insufficient_scope"
INVALID_TOOL_ID: Final = "invalid_tool_id"
INVALID_TOOL_VERSION: Final = "invalid_tool_version"
INVALID_TOOL_PROVIDER: Final = "invalid_tool_provider"
INVALID_DEFINITION_HASH: Final = "invalid_definition_hash"
INVALID_TOKEN: Final = "invalid_token"  # noqa: S105 - a reason

_REASONS: Final = {
    "tool_id": INVALID_TOOL_ID,
    "tool_version": INVALID_TOOL_VERSION,
    "tool_provider": INVALID_TOOL_PROVIDER,
    "definition_hash": INVALID_DEFINITION_HASH,
}
_OPTIONAL: Final = frozenset({"definition_hash"})
"""Where the provider cannot carry it, the approval's own hash is what holds the definition (C02)."""


def validate_payload(
    payload: Mapping[str, Any],
    expected: ToolClaims,
    *,
    profile: Profile,
    issuers: Collection[str],
    audience: str | None,
    now: float,
    scope_map: Mapping[str, str] | None = None,
) -> Validation:
    """The first thing that is wrong with it for this tool, or that it is valid. No claim has a fallback (C19)."""
    expires = payload.get("exp")
    if isinstance(expires, bool) or not isinstance(expires, int | float) or expires <= now:
        return _refused(TOKEN_EXPIRED, "exp is missing, or past")
    if audience is not None and not _meant_for(payload.get("aud"), audience):
        return _refused(INVALID_AUDIENCE, f"Expected audience {audience}")
    if payload.get("iss") not in issuers:
        return _refused(INVALID_ISSUER, f"Expected issuer {' or '.join(sorted(issuers))}")
    try:
        granted = granted_permissions(profile, payload, table=scope_map)
        claims = tool_claims(profile, payload)
    except ValueError as problem:
        return _refused(INVALID_TOKEN, str(problem))
    missing = sorted(set(expected.permissions) - granted)
    if missing:
        return _refused(INSUFFICIENT_SCOPE, f"Missing required permissions: {', '.join(missing)}")
    for name, value in expected.claims().items():
        if claims.get(name) != value and not (name in _OPTIONAL and name not in claims):
            return _refused(_REASONS[name], f"Expected {name} {value}")
    return Validation(valid=True)


def _meant_for(value: Any, audience: str) -> bool:
    return value == audience or (isinstance(value, list) and audience in value)


def _refused(reason: str, details: str) -> Validation:
    return Validation(valid=False, reason=reason, details=details)

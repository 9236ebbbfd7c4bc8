"""What is told of a failed verification (LLD-B 13.2, R080). Pure."""

from __future__ import annotations

from typing import Any, Final, Literal

import msgspec

from gateway.catalog.definition import Definition
from gateway.etdi.errors import EtdiCode, NotVerified, etdi_error, iso

ErrorType = Literal[
    "missing_token", "unknown_provider", "invalid_token", "invalid_claims", "verification_error"
]
_TYPES: Final[dict[EtdiCode, ErrorType]] = {
    EtdiCode.TOKEN_MISSING: "missing_token",
    EtdiCode.PROVIDER_MISSING: "unknown_provider",
    EtdiCode.PROVIDER_UNTRUSTED: "unknown_provider",
    EtdiCode.TOKEN_EXPIRED: "invalid_token",
    EtdiCode.TOKEN_INVALID_SIGNATURE: "invalid_token",
    EtdiCode.TOKEN_INVALID_CLAIMS: "invalid_claims",
    EtdiCode.TOKEN_INSUFFICIENT_SCOPE: "invalid_claims",
    EtdiCode.TOOL_MISSING_ID: "invalid_claims",
    EtdiCode.TOOL_MISSING_VERSION: "invalid_claims",
}


class Diagnostics(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """``timestamp`` is ISO 8601; ``provider`` is the one that the definition names for its token."""

    tool: str
    provider: str | None
    error_type: ErrorType
    timestamp: str


class Failure(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """``error`` is a fixed sentence; ``details`` names permissions at most, never a part of a token."""

    verified: Literal[False] = False
    code: EtdiCode
    error: str
    diagnostics: Diagnostics
    details: dict[str, Any] | None = None
    recommended_action: str


def failure_of(definition: Definition, problem: NotVerified, *, now: float) -> Failure:
    """The whole story of one failure."""
    error = etdi_error(problem.code, now=now, message=problem.text, details=problem.details)
    oauth = definition.block.oauth
    return Failure(
        code=error.code,
        error=error.message,
        details=error.details,
        recommended_action=error.recommended_action,
        diagnostics=Diagnostics(
            tool=definition.block.id or definition.name,
            provider=None if oauth is None else oauth.provider,
            error_type=_TYPES.get(problem.code, "verification_error"),
            timestamp=iso(now),
        ),
    )

"""The codes of the ETDI analysis (R128-R131): severity, message and remedy of each. Data.

The codes of LLD-A 5.1 are spelt as there. The others name mistakes that make a definition fail its verification, or
that would make a token dangerous (R131).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gateway.inspector.finding import Entry, Severity

_H, _M, _L = Severity.HIGH, Severity.MEDIUM, Severity.LOW

ETDI_CODES: Final[Mapping[str, Entry]] = {
    # LLD-A 5.1
    "MISSING_SECURITY": Entry(
        _H,
        "Tool missing security information",
        "Publish the tool with an ETDI block: `countersign etdi migrate` prepares one.",
    ),
    "MISSING_OAUTH": Entry(
        _H,
        "Tool missing OAuth information",
        "Add oauth.provider and oauth.token to the ETDI block; a signature alone is not enough by default.",
    ),
    "MISSING_TOKEN": Entry(
        _H, "Tool missing OAuth token", "Request a token for this tool and version from its OAuth provider."
    ),
    "MISSING_PROVIDER": Entry(
        _H, "Tool missing OAuth provider", "Name the token's issuer in oauth.provider, by its exact URL."
    ),
    "TOKEN_EXPIRED": Entry(_H, "Token is expired", "Request a new token from the OAuth provider."),
    "TOOL_ID_MISMATCH": Entry(
        _H,
        "Token tool_id claim does not match tool ID",
        "The token is for another tool. Request one for this tool; never copy tokens between tools.",
    ),
    "TOOL_VERSION_MISMATCH": Entry(
        _M,
        "Token tool_version claim does not match tool version",
        "Request a token for the version that is published, with each new version.",
    ),
    "TOKEN_INVALID": Entry(
        _H, "Token validation failed", "Have a trusted issuer grant a token that fits this definition."
    ),
    "VALIDATION_ERROR": Entry(
        _H,
        "Token validation error",
        "The token could not be checked: see that its issuer is trusted here and can be reached, then inspect again.",
    ),
    "ANALYSIS_ERROR": Entry(
        _H, "Token analysis error", "Replace the token: it is no compact JWT that all programs read alike."
    ),
    "NO_PERMISSIONS": Entry(
        _L,
        "Tool has no declared permissions",
        "Declare what the tool may do, so that whoever approves it knows.",
    ),
    "BROAD_PERMISSIONS": Entry(
        _M,
        "Tool requests overly broad permissions",
        "Ask for the single permissions that the tool needs, without *, admin or :all.",
    ),
    # Mistakes beside those (R131)
    "INVALID_DEFINITION": Entry(
        _H,
        "Definition cannot be used",
        "Correct the definition; the gateway leaves a tool out whose definition it cannot read in one way only.",
    ),
    "MISSING_ID": Entry(_M, "Tool has no ETDI id", "Add `id`; tokens are bound to it."),
    "MISSING_VERSION": Entry(_M, "Tool has no version", "Add `version` as MAJOR.MINOR.PATCH."),
    "MISSING_TOOL_PROVIDER": Entry(
        _M,
        "Tool does not say who provides it",
        "Add `provider` with the id that is registered at the issuer.",
    ),
    "SELF_DECLARED_STATUS": Entry(
        _M,
        "Definition declares its own verification status",
        "Remove the status: it is for whoever verifies to set, and is discarded.",
    ),
    "TOKEN_ALGORITHM_UNSAFE": Entry(
        _H,
        "Token is not signed with a public-key algorithm",
        "Have the issuer sign with ES256, RS256 or EdDSA; `none` and HMAC prove nothing to others.",
    ),
    "TOKEN_WITHOUT_EXPIRY": Entry(
        _H, "Token has no usable expiry", "Have the issuer set exp (and iat) as whole seconds."
    ),
    "TOKEN_LIVES_LONG": Entry(
        _M,
        "Token lives longer than a day",
        "Definitions are public, so whoever reads one holds its token: have the issuer keep it short.",
    ),
    "TOKEN_WITHOUT_AUDIENCE": Entry(
        _M, "Token names no single audience", "Have the issuer name the one audience that verifies tools."
    ),
    "TOKEN_SCOPE_MISSING": Entry(
        _M, "Token grants less than the tool asks for", "Request the scopes of every declared permission."
    ),
    "CLAIMS_CONTRADICT": Entry(
        _H,
        "Token spells one claim in two ways that contradict each other",
        "Have the issuer write tool_id, tool_version and tool_provider once.",
    ),
}
"""Code -> what it says."""

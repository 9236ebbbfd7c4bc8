"""What can be wrong with a tool's origin: 21 codes, and what each says, how bad it is, and what to do (LLD-A 10.1).

The codes are public and stable: they stand in ``tool.etdi.error`` of every question to the policy. The messages hold
no part of a token (R173).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple

import msgspec


class EtdiCode(StrEnum):
    """The one enum (C23, C50)."""

    TOKEN_MISSING = "token_missing"  # noqa: S105 - a code, like the four below
    TOKEN_EXPIRED = "token_expired"  # noqa: S105
    TOKEN_INVALID_SIGNATURE = "token_invalid_signature"  # noqa: S105
    TOKEN_INVALID_CLAIMS = "token_invalid_claims"  # noqa: S105
    TOKEN_INSUFFICIENT_SCOPE = "token_insufficient_scope"  # noqa: S105
    PROVIDER_MISSING = "provider_missing"
    PROVIDER_UNTRUSTED = "provider_untrusted"
    PROVIDER_UNAVAILABLE = "provider_unavailable"
    TOOL_MISSING_ID = "tool_missing_id"
    TOOL_MISSING_VERSION = "tool_missing_version"
    TOOL_VERSION_CHANGED = "tool_version_changed"
    TOOL_INVALID_PERMISSIONS = "tool_invalid_permissions"
    APPROVAL_REQUIRED = "approval_required"
    APPROVAL_EXPIRED = "approval_expired"
    APPROVAL_REVOKED = "approval_revoked"
    CONFIG_INVALID = "config_invalid"
    CONFIG_INCOMPLETE = "config_incomplete"
    SYSTEM_UNAVAILABLE = "system_unavailable"
    NETWORK_ERROR = "network_error"
    TIMEOUT = "timeout"
    UNEXPECTED_ERROR = "unexpected_error"


TRANSIENT: Final = frozenset({EtdiCode.PROVIDER_UNAVAILABLE, EtdiCode.NETWORK_ERROR, EtdiCode.TIMEOUT})
"""Nobody knows whether the token is good. Never kept as a refusal (C42), and the only ones that may degrade."""


class Severity(StrEnum):
    """How bad it is."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"


class Entry(NamedTuple):
    """One line of the catalogue. ``recoverable``: somebody can mend it without changing the tool itself."""

    message: str
    severity: Severity
    recoverable: bool
    action: str


_ERROR, _WARNING, _CRITICAL = Severity.ERROR, Severity.WARNING, Severity.CRITICAL
CATALOGUE: Final[Mapping[EtdiCode, Entry]] = {
    EtdiCode.TOKEN_MISSING: Entry(
        "OAuth token is missing",
        _ERROR,
        True,
        "Ensure the tool has a valid OAuth token in its security definition",
    ),
    EtdiCode.TOKEN_EXPIRED: Entry(
        "OAuth token has expired", _ERROR, True, "Request a new token from the OAuth provider"
    ),
    EtdiCode.TOKEN_INVALID_SIGNATURE: Entry(
        "OAuth token signature is invalid",
        _ERROR,
        True,
        "Verify the token was issued by a trusted OAuth provider",
    ),
    EtdiCode.TOKEN_INVALID_CLAIMS: Entry(
        "OAuth token contains invalid claims", _ERROR, True, "Ensure token claims match the tool properties"
    ),
    EtdiCode.TOKEN_INSUFFICIENT_SCOPE: Entry(
        "OAuth token has insufficient scope for requested operation",
        _ERROR,
        True,
        "Request a token with appropriate scopes for the tool permissions",
    ),
    EtdiCode.PROVIDER_MISSING: Entry(
        "OAuth provider information is missing",
        _ERROR,
        True,
        "Specify the OAuth provider in the tool security definition",
    ),
    EtdiCode.PROVIDER_UNTRUSTED: Entry(
        "OAuth provider is not in the trusted providers list",
        _ERROR,
        True,
        "Add the provider to the trusted providers configuration",
    ),
    EtdiCode.PROVIDER_UNAVAILABLE: Entry(
        "OAuth provider is temporarily unavailable",
        _ERROR,
        True,
        "Retry the operation later or check provider status",
    ),
    EtdiCode.TOOL_MISSING_ID: Entry(
        "Tool definition has no id", _ERROR, False, "Have the provider publish the tool with its id"
    ),
    EtdiCode.TOOL_MISSING_VERSION: Entry(
        "Tool definition has no version", _ERROR, False, "Have the provider publish the tool with its version"
    ),
    EtdiCode.TOOL_VERSION_CHANGED: Entry(
        "Tool version is not the approved one", _WARNING, True, "Review the new version and approve it"
    ),
    EtdiCode.TOOL_INVALID_PERMISSIONS: Entry(
        "Tool permissions are not the approved ones",
        _WARNING,
        True,
        "Review the permissions and approve them",
    ),
    EtdiCode.APPROVAL_REQUIRED: Entry(
        "Tool has not been approved", _WARNING, True, "Review the tool and approve it"
    ),
    EtdiCode.APPROVAL_EXPIRED: Entry(
        "Tool approval has expired", _WARNING, True, "Review the tool and approve it again"
    ),
    EtdiCode.APPROVAL_REVOKED: Entry(
        "Tool approval was revoked", _ERROR, True, "Ask whoever revoked it, then approve it again"
    ),
    EtdiCode.CONFIG_INVALID: Entry(
        "Configuration is invalid", _CRITICAL, True, "Correct the setting that the message names"
    ),
    EtdiCode.CONFIG_INCOMPLETE: Entry(
        "Configuration is incomplete", _CRITICAL, True, "Add the setting that the message names"
    ),
    EtdiCode.SYSTEM_UNAVAILABLE: Entry(
        "A part of the gateway is unavailable", _CRITICAL, True, "Look at the gateway's health, then retry"
    ),
    EtdiCode.NETWORK_ERROR: Entry(
        "OAuth provider cannot be reached", _ERROR, True, "Check the network path to the provider, then retry"
    ),
    EtdiCode.TIMEOUT: Entry(
        "OAuth provider did not answer in time", _ERROR, True, "Retry, or check provider status"
    ),
    EtdiCode.UNEXPECTED_ERROR: Entry(
        "Verification failed unexpectedly", _CRITICAL, False, "Report this with the gateway's log"
    ),
}
"""Exhaustive: a code without a line would fail where errors are made."""


class EtdiError(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One error as it is reported. ``timestamp`` is ISO 8601, UTC."""

    code: EtdiCode
    message: str
    severity: Severity
    timestamp: str
    recoverable: bool
    recommended_action: str
    details: dict[str, Any] | None = None


def etdi_error(
    code: EtdiCode, *, now: float, message: str | None = None, details: Mapping[str, Any] | None = None
) -> EtdiError:
    """The error of a code, its own words unless others are given. ``now``: unix seconds."""
    entry = CATALOGUE[code]
    return EtdiError(
        code=code,
        message=entry.message if message is None else message,
        severity=entry.severity,
        timestamp=iso(now),
        recoverable=entry.recoverable,
        recommended_action=entry.action,
        details=None if details is None else dict(details),
    )


def iso(now: float) -> str:
    """ISO 8601 in UTC with milliseconds."""
    return datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class NotVerified(Exception):
    """What a check of this room raises to the next; :mod:`gateway.etdi.verifier` lets none of them out.

    ``text`` is one of the fixed sentences of LLD-A 3.6, or one like them. ``definitive``: the same question would have
    the same answer later.
    """

    def __init__(
        self,
        code: EtdiCode,
        text: str | None = None,
        *,
        details: Mapping[str, Any] | None = None,
        definitive: bool = True,
    ) -> None:
        super().__init__(text or CATALOGUE[code].message)
        self.code = code
        self.text = text or CATALOGUE[code].message
        self.details = details
        self.definitive = definitive and code not in TRANSIENT

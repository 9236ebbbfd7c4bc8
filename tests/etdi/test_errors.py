"""The one list of codes is complete, and every code can be made into an error."""

from __future__ import annotations

import msgspec
import pytest

from gateway.etdi.errors import CATALOGUE, TRANSIENT, EtdiCode, NotVerified, etdi_error

NAMES = [
    "token_missing",
    "token_expired",
    "token_invalid_signature",
    "token_invalid_claims",
    "token_insufficient_scope",
    "provider_missing",
    "provider_untrusted",
    "provider_unavailable",
    "tool_missing_id",
    "tool_missing_version",
    "tool_version_changed",
    "tool_invalid_permissions",
    "approval_required",
    "approval_expired",
    "approval_revoked",
    "config_invalid",
    "config_incomplete",
    "system_unavailable",
    "network_error",
    "timeout",
    "unexpected_error",
]

TEXTS = {
    "token_missing": (
        "OAuth token is missing",
        "Ensure the tool has a valid OAuth token in its security definition",
    ),
    "token_expired": ("OAuth token has expired", "Request a new token from the OAuth provider"),
    "token_invalid_signature": (
        "OAuth token signature is invalid",
        "Verify the token was issued by a trusted OAuth provider",
    ),
    "token_invalid_claims": (
        "OAuth token contains invalid claims",
        "Ensure token claims match the tool properties",
    ),
    "token_insufficient_scope": (
        "OAuth token has insufficient scope for requested operation",
        "Request a token with appropriate scopes for the tool permissions",
    ),
    "provider_missing": (
        "OAuth provider information is missing",
        "Specify the OAuth provider in the tool security definition",
    ),
    "provider_untrusted": (
        "OAuth provider is not in the trusted providers list",
        "Add the provider to the trusted providers configuration",
    ),
    "provider_unavailable": (
        "OAuth provider is temporarily unavailable",
        "Retry the operation later or check provider status",
    ),
}


def test_the_codes_are_those_of_the_design() -> None:
    """All 21 of LLD-A 10.1, and no other."""
    assert [one.value for one in EtdiCode] == NAMES
    assert set(CATALOGUE) == set(EtdiCode)


@pytest.mark.parametrize("code", EtdiCode)
def test_every_code_makes_an_error(code: EtdiCode) -> None:
    """The error path must not be where things break (C50)."""
    error = etdi_error(code, now=1_747_496_745.123, details={"a": 1})
    encoded = msgspec.to_builtins(error)
    assert set(encoded) == {
        *("code", "message", "severity", "timestamp", "recoverable", "recommendedAction", "details")
    }
    assert encoded["timestamp"] == "2025-05-17T15:45:45.123Z"
    assert encoded["severity"] in ("info", "warning", "error", "critical")
    assert encoded["message"]
    assert encoded["recommendedAction"]
    assert etdi_error(code, now=0, message="Other words").message == "Other words"


@pytest.mark.parametrize("code", TEXTS)
def test_the_texts_of_the_design(code: str) -> None:
    """Eight are given, word for word."""
    entry = CATALOGUE[EtdiCode(code)]
    assert (entry.message, entry.action) == TEXTS[code]
    assert (entry.severity, entry.recoverable) == ("error", True)


def test_what_is_transient_is_never_final() -> None:
    """Whatever its raiser thought."""
    for code in EtdiCode:
        assert NotVerified(code).definitive == (code not in TRANSIENT)
        assert not NotVerified(code, definitive=False).definitive

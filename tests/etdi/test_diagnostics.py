"""A failure is told in full, and in fixed words."""

from __future__ import annotations

import msgspec
import pytest

from gateway.etdi.diagnostics import failure_of
from gateway.etdi.errors import EtdiCode, NotVerified
from tests.support.tool_tokens import tool

TYPES = {
    "missing_token": ["token_missing"],
    "unknown_provider": ["provider_missing", "provider_untrusted"],
    "invalid_token": ["token_expired", "token_invalid_signature"],
    "invalid_claims": [
        *("token_invalid_claims", "token_insufficient_scope", "tool_missing_id", "tool_missing_version")
    ],
    "verification_error": ["provider_unavailable", "network_error", "timeout", "unexpected_error"],
}


@pytest.mark.parametrize(("kind", "code"), [(kind, code) for kind, codes in TYPES.items() for code in codes])
def test_diagnostics(kind: str, code: str) -> None:
    """R080: its members, its five kinds."""
    problem = NotVerified(EtdiCode(code), "Words", details={"missingPermissions": ["a"]})
    failure = msgspec.to_builtins(failure_of(tool(), problem, now=1_747_496_745.123))
    assert failure["verified"] is False
    assert failure["error"] == "Words"
    assert failure["details"] == {"missingPermissions": ["a"]}
    assert failure["diagnostics"] == {
        "tool": "bank.pay",
        "provider": "idp",
        "errorType": kind,
        "timestamp": "2025-05-17T15:45:45.123Z",
    }


def test_a_tool_without_an_id_is_told_by_its_name() -> None:
    """And without a provider, without one."""
    failure = failure_of(tool(id=None), NotVerified(EtdiCode.TOOL_MISSING_ID), now=0)
    assert failure.diagnostics.tool == "pay"

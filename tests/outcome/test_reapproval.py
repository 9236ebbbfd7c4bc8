"""The ETDI design's own words for a tool that may not be called."""

from typing import Any

import pytest

from gateway.catalog.drift import Drift
from gateway.outcome.reapproval import UNVERIFIED, etdi_refusal
from gateway.policy.decision import Outcome, Reason, denied
from tests.support.walking import a_tool, an_approval, an_asked

ASKED = an_asked(
    tool=a_tool(version="2.0.0", provider="trusted-tools-inc"), approval=an_approval(version="1.0.0")
)


def reasons(code: str) -> tuple[Reason, ...]:
    """One that forbids."""
    return denied(code, "Why.", "What helps.").reasons


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (Drift.TOKEN_INVALID, "Tool verification failed: INVALID_TOKEN"),
        (Drift.SIGNATURE_INVALID, "Tool verification failed: INVALID_SIGNATURE"),
        (UNVERIFIED, "Tool verification failed: INVALID_TOKEN"),
        (Drift.NOT_APPROVED, "Tool requires re-approval: NOT_APPROVED"),
        (Drift.APPROVAL_EXPIRED, "Tool requires re-approval: APPROVAL_EXPIRED"),
        (Drift.APPROVAL_REVOKED, "Tool requires re-approval: APPROVAL_REVOKED"),
        (Drift.VERSION_CHANGED, "Tool requires re-approval: VERSION_CHANGED"),
        (Drift.PROVIDER_CHANGED, "Tool requires re-approval: PROVIDER_CHANGED"),
        (Drift.PERMISSIONS_CHANGED, "Tool requires re-approval: PERMISSIONS_CHANGED"),
        (Drift.DEFINITION_CHANGED, "Tool requires re-approval: DEFINITION_CHANGED"),
    ],
)
def test_the_texts_of_the_design(code: str, text: str) -> None:
    """LLD-B 10.2, with the reasons of LLD-A 3.5."""
    found = etdi_refusal(ASKED, reasons(code))
    assert found is not None
    assert found.text == text


def test_every_drift_has_its_words() -> None:
    """And says a new approval would help exactly where it would (R094)."""
    for code in Drift:
        found = etdi_refusal(ASKED, reasons(code))
        assert found is not None
        assert ("re-approval" in found.text) == code.requires_reapproval


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (
            Drift.TOKEN_INVALID,
            {
                "code": -32600,
                "message": "Invalid OAuth token",
                "data": {
                    "etdiError": "token_invalid",
                    "toolId": "pay_bill",
                    "providerId": "trusted-tools-inc",
                    "details": "Why.",
                },
            },
        ),
        (
            Drift.VERSION_CHANGED,
            {
                "code": -32600,
                "message": "Tool requires re-approval",
                "data": {
                    "etdiError": "version_changed",
                    "toolId": "pay_bill",
                    "currentVersion": "1.0.0",
                    "newVersion": "2.0.0",
                    "details": "Why.",
                },
            },
        ),
    ],
)
def test_the_errors_of_the_design(code: str, error: dict[str, Any]) -> None:
    """LLD-B 13.1, member by member (R168)."""
    found = etdi_refusal(ASKED, reasons(code))
    assert found is not None
    assert found.error == error


def test_what_is_not_about_the_tool_has_no_such_words() -> None:
    """Nor has a reason that forbids nothing; of several the first counts."""
    assert etdi_refusal(ASKED, reasons("money.over_limit")) is None
    allowed = Reason(code=Drift.NOT_APPROVED, outcome=Outcome.ALLOW, message="", remedy="")
    assert etdi_refusal(ASKED, (allowed,)) is None
    found = etdi_refusal(ASKED, (*reasons("money.over_limit"), *reasons(Drift.NOT_APPROVED)))
    assert found is not None
    assert found.text.endswith("NOT_APPROVED")

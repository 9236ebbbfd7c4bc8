"""The badge: its truth table (R133), with C37's correction."""

from __future__ import annotations

import pytest

from gateway.inspector.analysis import ToolAnalysis
from gateway.inspector.badge import badge_of
from gateway.inspector.finding import Finding, Severity
from gateway.inspector.oauth import OAuthAnalysis
from gateway.inspector.permissions import PermissionAnalysis


def finding(severity: Severity) -> Finding:
    """Of that severity."""
    return Finding(code="X", severity=severity, message="m", remedy="r")


HIGH, LOW = (finding(Severity.HIGH),), (finding(Severity.LOW),)
VALID = OAuthAnalysis(token_valid=True, token_checked=True)
INVALID = OAuthAnalysis(token_checked=True)
UNCHECKED = OAuthAnalysis()


@pytest.mark.parametrize(
    ("findings", "nested", "token", "badge"),
    [
        ((), (), VALID, "secure"),
        ((), (), INVALID, "error"),  # not "unknown" (C37)
        ((), (), UNCHECKED, "warning"),
        ((), (), None, "unknown"),
        (LOW, (), VALID, "warning"),
        (LOW, (), INVALID, "error"),
        (LOW, (), UNCHECKED, "warning"),
        (LOW, (), None, "warning"),
        (HIGH, (), VALID, "error"),
        (HIGH, (), None, "error"),
        ((), LOW, VALID, "warning"),
        ((), HIGH, VALID, "error"),  # a nested HIGH counts (C37)
    ],
)
def test_the_truth_table(
    findings: tuple[Finding, ...], nested: tuple[Finding, ...], token: OAuthAnalysis | None, badge: str
) -> None:
    """Findings of the structure, of the permissions, and the token."""
    analysis = ToolAnalysis(
        id=None,
        name="t",
        version=None,
        provider_id=None,
        provider_name=None,
        security_findings=findings,
        permission_analysis=PermissionAnalysis(findings=nested),
        oauth_analysis=token,
    )
    assert badge_of(analysis, has_oauth=True) == badge


def test_findings_of_the_token_count() -> None:
    """The source looked at those of the structure only."""
    analysis = ToolAnalysis(
        id=None,
        name="t",
        version=None,
        provider_id=None,
        provider_name=None,
        oauth_analysis=OAuthAnalysis(token_valid=True, token_checked=True, findings=HIGH),
    )
    assert badge_of(analysis, has_oauth=True) == "error"


@pytest.mark.parametrize(("has_oauth", "badge"), [(True, "unknown"), (False, "error")])
def test_without_an_analysis(has_oauth: bool, badge: str) -> None:  # noqa: FBT001 - a row
    """Nothing is known of it; without OAuth nothing can be."""
    assert badge_of(None, has_oauth=has_oauth) == badge

"""One word for a tool's state (LLD-A 5.2, R133, C37). Pure.

===========================================  =======
any HIGH, nested ones too                    error
a token that was checked and is not valid    error
other findings                               warning
a token that nobody checked                  warning
no findings, and a valid token               secure
no findings, no token looked at              unknown
no analysis, no OAuth                        error
no analysis, OAuth                           unknown
===========================================  =======

The source's own rule called an invalid token without another finding "unknown", and a tool without any token "secure".
"""

from __future__ import annotations

from enum import StrEnum

from gateway.inspector.analysis import ToolAnalysis
from gateway.inspector.finding import Severity, worst


class Badge(StrEnum):
    """What a person sees at a glance."""

    SECURE = "secure"
    WARNING = "warning"
    ERROR = "error"
    UNKNOWN = "unknown"


def badge_of(analysis: ToolAnalysis | None, *, has_oauth: bool) -> Badge:
    """``has_oauth``: the definition has an OAuth part; it counts where there is no analysis."""
    if analysis is None:
        return Badge.UNKNOWN if has_oauth else Badge.ERROR
    token, findings = analysis.oauth_analysis, analysis.findings
    if worst(findings) is Severity.HIGH or (
        token is not None and token.token_checked and not token.token_valid
    ):
        return Badge.ERROR
    if findings or (token is not None and not token.token_valid):
        return Badge.WARNING
    return Badge.UNKNOWN if token is None else Badge.SECURE

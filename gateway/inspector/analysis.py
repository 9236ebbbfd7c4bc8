"""One definition -> what its ETDI block is worth (``analyzeTool``, LLD-A 5.1, R127-R130).

Never raises for what a definition says. Asks nobody but the verifier that is handed
in, and that only with ``detailed_analysis``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from gateway.catalog.block import EMPTY, EtdiBlock, read_block
from gateway.catalog.definition import Definition, read_definition
from gateway.catalog.permissions import blocks_of
from gateway.catalog.tool import EtdiStatus
from gateway.catalog.verification import DefinitionVerifier, Verdict
from gateway.etdi.errors import TRANSIENT
from gateway.inspector.etdi_codes import ETDI_CODES
from gateway.inspector.finding import Finding, excerpt, found
from gateway.inspector.oauth import OAuthAnalysis, analyze_token, checked
from gateway.inspector.permissions import PermissionAnalysis, analyze_permissions

_STATUS: Final = ("etdiStatus", "verificationStatus", "_verificationDetails")
"""Members by which a server would say that it was verified (R068)."""
_UNCHECKABLE: Final = frozenset(one.value for one in TRANSIENT)


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """``validate_tokens``: look into tokens at all. ``detailed_analysis``: have them verified, too."""

    validate_tokens: bool = True
    detailed_analysis: bool = True


class ToolAnalysis(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """R127. Texts are the definition's own, made visible; None where it does not say."""

    id: str | None
    name: str
    version: str | None
    provider_id: str | None
    provider_name: str | None
    security_findings: tuple[Finding, ...] = ()
    permission_analysis: PermissionAnalysis = PermissionAnalysis()
    oauth_analysis: OAuthAnalysis | None = None

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All, the nested ones too (C37)."""
        nested = () if self.oauth_analysis is None else self.oauth_analysis.findings
        return (*self.security_findings, *nested, *self.permission_analysis.findings)


async def analyze_tool(
    wire: Mapping[str, Any],
    *,
    now: float,
    options: Options = Options(),  # noqa: B008 - frozen
    verifier: DefinitionVerifier | None = None,
    server: str = "inspected",
) -> ToolAnalysis:
    """``verifier`` None: nobody is trusted here, so that no token can be valid. ``now``: unix seconds."""
    definition, block, problems = _read(wire)
    analysis = ToolAnalysis(
        id=_shown(block.id),
        name=_shown(wire.get("name")) or "(no name)",
        version=_shown(block.version),
        provider_id=None if block.provider is None else _shown(block.provider.id),
        provider_name=None if block.provider is None else _shown(block.provider.name),
        permission_analysis=analyze_permissions([one.name for one in block.permissions]),
    )
    if definition is None:
        return msgspec.structs.replace(analysis, security_findings=tuple(problems))
    problems += _structure(wire, block)
    oauth = block.oauth
    token_analysis: OAuthAnalysis | None = None
    if oauth is not None and oauth.token and oauth.provider and options.validate_tokens:
        token_analysis = analyze_token(oauth.token, definition, now=now)
        if options.detailed_analysis:
            verdict = None if verifier is None else (await verifier.verify(server, [definition]))[0]
            token_analysis = _with_verdict(token_analysis, verdict)
    return msgspec.structs.replace(analysis, security_findings=tuple(problems), oauth_analysis=token_analysis)


def _read(wire: Mapping[str, Any]) -> tuple[Definition | None, EtdiBlock, list[Finding]]:
    try:
        definition = read_definition(wire)
    except (ValueError, TypeError, OverflowError) as problem:
        # TypeError and OverflowError: values that no JSON of ours holds, from a file that another program wrote.
        because = excerpt(str(problem)) if isinstance(problem, ValueError) else "values that are no JSON"
        return None, _block_or_empty(wire), [found(ETDI_CODES, "INVALID_DEFINITION", because=because)]
    return definition, definition.block, []


def _block_or_empty(wire: Mapping[str, Any]) -> EtdiBlock:
    try:
        return read_block(wire)
    except (ValueError, TypeError, RecursionError):
        return EMPTY


def _structure(wire: Mapping[str, Any], block: EtdiBlock) -> list[Finding]:
    places = blocks_of(wire)
    said = sorted({member for one in places for member in _STATUS if member in one})
    findings = [found(ETDI_CODES, "SELF_DECLARED_STATUS", members=said)] if said else []
    if block.oauth is None:
        secured = block.signature is not None or any(isinstance(one.get("security"), dict) for one in places)
        return [*findings, found(ETDI_CODES, "MISSING_OAUTH" if secured else "MISSING_SECURITY")]
    wrong = {
        "MISSING_TOKEN": not block.oauth.token,
        "MISSING_PROVIDER": not block.oauth.provider,
        "MISSING_ID": block.id is None,
        "MISSING_VERSION": block.version is None,
        "MISSING_TOOL_PROVIDER": block.provider is None,
    }
    return findings + [found(ETDI_CODES, code) for code, is_so in wrong.items() if is_so]


def _with_verdict(analysis: OAuthAnalysis, verdict: Verdict | None) -> OAuthAnalysis:
    if analysis.claims == "none":
        return analysis  # undecodable: there is nothing to verify, and it was said
    if verdict is None:
        finding = found(ETDI_CODES, "VALIDATION_ERROR", because="no issuer is trusted here")
        return msgspec.structs.replace(analysis, findings=(*analysis.findings, finding))
    etdi = verdict.etdi
    if etdi.status is EtdiStatus.VERIFIED and etdi.error is None:
        return checked(analysis, valid=True)
    because = verdict.failure.error if verdict.failure is not None else etdi.error
    if etdi.error in _UNCHECKABLE:
        finding = found(ETDI_CODES, "VALIDATION_ERROR", because=because, error=etdi.error)
        return msgspec.structs.replace(analysis, findings=(*analysis.findings, finding))
    return checked(
        analysis, valid=False, finding=found(ETDI_CODES, "TOKEN_INVALID", because=because, error=etdi.error)
    )


def _shown(value: object) -> str | None:
    return excerpt(value) if isinstance(value, str) else None

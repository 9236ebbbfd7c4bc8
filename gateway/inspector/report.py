"""Everything that was found about the tools of one or several servers. Values, and how they are made."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Literal

import msgspec

from gateway.catalog.verification import DefinitionVerifier
from gateway.etdi.chain import TrustChain
from gateway.etdi.trust import Trust
from gateway.inspector.analysis import Options, ToolAnalysis, analyze_tool
from gateway.inspector.badge import Badge, badge_of
from gateway.inspector.chain import verify_trust_chain
from gateway.inspector.content import inspect_listing
from gateway.inspector.finding import Finding, Severity, excerpt, worst, worst_first
from gateway.inspector.names import Known, KnownNames
from gateway.inspector.source import Source

Part = Literal["etdi", "content"]
PARTS: Final[tuple[Part, ...]] = ("etdi", "content")


class ToolReport(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One tool. ``analysis``, ``badge`` and ``chain`` are None where ETDI was not asked about."""

    server: str
    name: str
    badge: Badge | None = None
    analysis: ToolAnalysis | None = None
    chain: TrustChain | None = None
    content: tuple[Finding, ...] = ()

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All, the worst first."""
        etdi = () if self.analysis is None else self.analysis.findings
        return worst_first((*self.content, *etdi))


class Inspected(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One source, as far as it is reported."""

    label: str
    kind: str
    tools: int
    uri: str | None = None


class Report(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """``counts``: findings by severity. ``worst`` None: nothing was found."""

    sources: tuple[Inspected, ...]
    tools: tuple[ToolReport, ...]
    counts: dict[str, int]
    worst: Severity | None


async def report_on(
    sources: Sequence[Source],
    *,
    parts: Iterable[Part] = PARTS,
    trust: Trust | None = None,
    verifier: DefinitionVerifier | None = None,
    reference: Iterable[Known] = (),
    clock: Callable[[], float] = time.time,
) -> Report:
    """``reference``: tools that are known anyway, such as PayPal's; names like theirs are pointed out."""
    wanted, known = frozenset(parts), tuple(reference)
    now, labels = clock(), _labels(sources)
    tools: list[ToolReport] = []
    for index, source in enumerate(sources):
        label = labels[index]
        others = [
            Known(server=labels[place], name=wire["name"])
            for place, other in enumerate(sources)
            if place != index
            for wire in other.wires
            if isinstance(wire.get("name"), str)
        ]
        contents: Sequence[tuple[Finding, ...]] = [()] * len(source.wires)
        if "content" in wanted:
            contents = inspect_listing(source.wires, KnownNames([*known, *others]))
        for wire, content in zip(source.wires, contents, strict=True):
            name = wire.get("name")
            made = ToolReport(
                server=label, name=excerpt(name) if isinstance(name, str) else "(no name)", content=content
            )
            if "etdi" in wanted:
                made = await with_etdi(
                    made, wire, now=now, trust=trust or Trust(), verifier=verifier, server=source.label
                )
            tools.append(made)
    inspected = tuple(
        Inspected(label=labels[index], kind=one.kind, tools=len(one.wires), uri=one.uri)
        for index, one in enumerate(sources)
    )
    return _summed(inspected, tuple(tools))


async def with_etdi(
    report: ToolReport,
    wire: Mapping[str, Any],
    *,
    now: float,
    trust: Trust,
    verifier: DefinitionVerifier | None,
    server: str,
) -> ToolReport:
    """The same, with what the definition's ETDI block is worth. ``server`` is what the verifier knows it by."""
    analysis = await analyze_tool(wire, now=now, options=Options(), verifier=verifier, server=server)
    chain = await verify_trust_chain(wire, trust, verifier=verifier, server=server)
    return msgspec.structs.replace(
        report, analysis=analysis, badge=badge_of(analysis, has_oauth=True), chain=chain
    )


def narrowed(report: Report, tools: tuple[ToolReport, ...]) -> Report:
    """The report about some of its tools."""
    return _summed(report.sources, tools)


def _summed(sources: tuple[Inspected, ...], tools: tuple[ToolReport, ...]) -> Report:
    findings = [finding for tool in tools for finding in tool.findings]
    counts = {str(one): sum(finding.severity is one for finding in findings) for one in Severity}
    return Report(sources=sources, tools=tools, counts=counts, worst=worst(findings))


def _labels(sources: Sequence[Source]) -> list[str]:
    """One for each: two files may have one name."""
    made: list[str] = []
    for one in sources:
        label = excerpt(one.label)
        made.append(label if label not in made else f"{label} ({len(made) + 1})")
    return made

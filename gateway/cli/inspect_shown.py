"""A report as people read it on a terminal, or in a pipe. Everything that a server wrote is escaped and visible."""

from __future__ import annotations

from collections.abc import Iterable

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from gateway.inspector.finding import Finding, Severity
from gateway.inspector.report import Report, ToolReport

MAX_NAMED = 12
"""Tools that are named under one finding that many of them share."""
_STYLES = {Severity.HIGH: "bold red", Severity.MEDIUM: "yellow", Severity.LOW: "cyan"}
_BADGES = {"secure": "green", "warning": "yellow", "error": "red", "unknown": "dim"}


def show(console: Console, report: Report) -> None:
    """Servers, then findings by code, the worst first, then the sum."""
    for one in report.sources:
        console.print(
            f"[bold]{escape(one.label)}[/]  {one.kind}, {one.tools} tools",
            highlight=False,
            soft_wrap=True,
            emoji=False,
        )
    for code, shared in _by_code(report.tools):
        finding = shared[0][1]
        style = _STYLES[finding.severity]
        console.print(
            f"\n[{style}]{finding.severity:<6}[/] [bold]{code}[/]  {escape(finding.message.split(': ')[0])}",
            highlight=False,
            soft_wrap=True,
            emoji=False,
        )
        for line in _lines(shared):
            console.print(f"       {escape(line)}", highlight=False, soft_wrap=True, emoji=False)
        console.print(
            f"       [dim]{escape(finding.remedy)}[/]", highlight=False, soft_wrap=True, emoji=False
        )
    sums = ", ".join(f"{count} {severity}" for severity, count in report.counts.items())
    console.print(f"\n{len(report.tools)} tools: {sums}", highlight=False)


def show_tool(console: Console, tool: ToolReport) -> None:
    """Everything about one tool: who made it, its token, its permissions, the chain of trust (R132)."""
    title = Text(f"{tool.server} / {tool.name}")
    table = Table(show_header=False, box=box.SIMPLE_HEAD, title=title)
    for name, value in _rows(tool):
        # Without emoji: `tool:bank:pay` is a scope, and no picture of a bank.
        table.add_row(Text.from_markup(name, emoji=False), Text.from_markup(value, emoji=False))
    console.print(table)


def _rows(tool: ToolReport) -> Iterable[tuple[str, str]]:
    analysis, chain = tool.analysis, tool.chain
    if tool.badge is not None:
        yield "state", f"[{_BADGES[tool.badge]}]{tool.badge}[/]"
    if analysis is not None:
        yield "id", escape(analysis.id or "none")
        yield "version", escape(analysis.version or "none")
        provider = f"{analysis.provider_id or 'none'} {analysis.provider_name or ''}".strip()
        yield "provider", escape(provider)
        permissions = analysis.permission_analysis
        broad = ", some of them broad" if permissions.excessive_permissions else ""
        yield "permissions", f"{permissions.count}{broad}"
        token = analysis.oauth_analysis
        yield (
            "token",
            "none looked at" if token is None else f"valid: {_yes(token.token_valid)}; claims {token.claims}",
        )
        if token is not None:
            expired = any(one.code == "TOKEN_EXPIRED" for one in token.findings)
            yield "expires", f"{token.token_expiry or 'never said'}{' [red]EXPIRED[/]' if expired else ''}"
            yield "issuer", escape(token.issuer or "none")
            yield "audience", escape(", ".join(token.audience) or "none")
            yield "for tool", escape(f"{token.tool_id or 'none'} {token.tool_version or ''}".strip())
            yield "scopes", escape(" ".join(token.scopes) or "none")
    if chain is not None:
        yield "trust", chain.overall_trust
        yield "  provider", f"trusted: {_yes(chain.provider.trusted)}"
        if chain.oauth is not None:
            link = chain.oauth
            yield (
                "  issuer",
                f"trusted: {_yes(link.provider_trusted)}; the named one: {_yes(link.issuer_valid)}",
            )
            yield (
                "  signature",
                f"valid: {_yes(link.signature_valid)}{'' if link.error is None else f' ({escape(link.error)})'}",
            )
    for finding in tool.findings:
        yield (
            f"[{_STYLES[finding.severity]}]{finding.severity}[/]",
            escape(f"{finding.code}: {_said(finding)}"),
        )


def _by_code(tools: Iterable[ToolReport]) -> list[tuple[str, list[tuple[ToolReport, Finding]]]]:
    grouped: dict[tuple[Severity, str], list[tuple[ToolReport, Finding]]] = {}
    for tool in tools:
        for finding in tool.findings:
            grouped.setdefault((finding.severity, finding.code), []).append((tool, finding))
    order = list(Severity)
    return [(key[1], found) for key, found in sorted(grouped.items(), key=lambda one: order.index(one[0][0]))]


def _lines(shared: list[tuple[ToolReport, Finding]]) -> Iterable[str]:
    plain = [tool.name for tool, finding in shared if not finding.details and ": " not in finding.message]
    if plain:
        more = f" and {len(plain) - MAX_NAMED} more" if len(plain) > MAX_NAMED else ""
        yield ", ".join(plain[:MAX_NAMED]) + more
    telling = [(tool, one) for tool, one in shared if one.details or ": " in one.message]
    for tool, finding in telling[:MAX_NAMED]:
        yield f"{tool.name}{_where(finding)}: {_said(finding)}"
    if len(telling) > MAX_NAMED:
        yield f"and {len(telling) - MAX_NAMED} more"


def _where(finding: Finding) -> str:
    where = finding.details.get("where")
    return f" {where}" if where else ""


def _said(finding: Finding) -> str:
    because = finding.message.partition(": ")[2]
    details = [
        str(value) if name == "text" else f"{name} {value}"
        for name, value in finding.details.items()
        if name != "where" and value is not None
    ]
    return "; ".join(one for one in (because, *details) if one) or finding.message


def _yes(value: bool) -> str:  # noqa: FBT001 - one word
    return "yes" if value else "no"

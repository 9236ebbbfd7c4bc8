"""``countersign inspect``: what a server's tool definitions say, and what they hide."""

from __future__ import annotations

import shlex
import time
from contextlib import AsyncExitStack
from pathlib import Path

import click
import msgspec

from gateway.catalog.verification import DefinitionVerifier
from gateway.cli.common import DEFAULT_CONFIG, config_option, json_option, settings_of, terminal
from gateway.cli.inspect_shown import show, show_tool
from gateway.etdi.degradation import DegradationRules
from gateway.etdi.trust import Trust
from gateway.inspector.finding import Severity, excerpt
from gateway.inspector.names import Known
from gateway.inspector.report import PARTS, Part, Report, narrowed, report_on
from gateway.inspector.sarif import sarif_of
from gateway.inspector.source import DEADLINE_S, Source, from_command, from_file, from_url
from gateway.origins import tool_audience_of, trust_of, verifier_of
from gateway.parts import policy_folder_of
from gateway.policy.classes import Classes
from gateway.serving import run
from gateway.settings import Settings
from gateway.settings.client import token_from
from gateway.settings.environment import inherited
from gateway.upstream.paypal.definitions import TOOLS


@click.command("inspect")
@click.argument("urls", metavar="[URL]...", nargs=-1)
@click.option(
    "--command", "commands", multiple=True, help="A server that speaks on its pipes, as one would type it."
)
@click.option(
    "--file",
    "files",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="JSON: a list of definitions, {tools: [...]}, or one definition.",
)
@click.option("--token-env", help="The variable with a bearer token for the URL.")
@click.option(
    "--env", "names", multiple=True, help="A variable of yours that --command is given, by its name."
)
@click.option("--only", type=click.Choice(PARTS), help="ETDI alone, or what the definitions say alone.")
@click.option("--tool", "wanted", help="Everything about one tool.")
@click.option(
    "--timeout",
    "deadline_s",
    type=click.FloatRange(min=0.1, max=600),
    default=DEADLINE_S,
    show_default=True,
    help="Seconds for one server.",
)
@click.option("--sarif", "as_sarif", is_flag=True, help="Print SARIF 2.1.0 for code scanning.")
@json_option
@config_option
def inspect(
    urls: tuple[str, ...],
    commands: tuple[str, ...],
    files: tuple[Path, ...],
    token_env: str | None,
    names: tuple[str, ...],
    only: Part | None,
    wanted: str | None,
    deadline_s: float,
    as_sarif: bool,  # noqa: FBT001 - click
    as_json: bool,  # noqa: FBT001 - click
    config: Path | None,
) -> None:
    """Read the tools of MCP servers, and say what is wrong with their definitions. Nothing is called or blocked.

    Several servers are compared with each other. Tokens are verified where --config names trusted issuers.
    Exit 0: nothing HIGH; 1: something HIGH; 2: it cannot be inspected.
    """
    _usable(urls, commands, files, token_env=token_env, both=as_sarif and as_json)
    token = token_from(token_env) if token_env is not None else None
    passed = {name: _variable(name) for name in names}
    argvs = [_words(command) for command in commands]
    settings = settings_of(config) if config is not None or DEFAULT_CONFIG.exists() else None

    async def read_and_report() -> Report:
        sources = [await from_url(url, token=token, deadline_s=deadline_s) for url in urls]
        sources += [
            await from_command(argv, environ=inherited(), passed=passed, deadline_s=deadline_s)
            for argv in argvs
        ]
        sources += [from_file(path) for path in files]
        return await _reported(sources, (only,) if only is not None else PARTS, settings)

    report = run(read_and_report())
    if wanted is not None:
        report = _narrowed(report, wanted)
    if as_json or as_sarif:
        click.echo(msgspec.json.encode(sarif_of(report) if as_sarif else report).decode())
    elif wanted is not None:
        for one in report.tools:
            show_tool(terminal(), one)
    else:
        show(terminal(), report)
    if report.worst is Severity.HIGH:
        raise click.exceptions.Exit(1)


def _usable(
    urls: tuple[str, ...],
    commands: tuple[str, ...],
    files: tuple[Path, ...],
    *,
    token_env: str | None,
    both: bool,
) -> None:
    if not urls and not commands and not files:
        raise click.UsageError("give a URL, --command or --file")
    if token_env is not None and len(urls) != 1:
        raise click.UsageError("--token-env goes with one URL")
    if both:
        raise click.UsageError("--json or --sarif, not both")


def _narrowed(report: Report, wanted: str) -> Report:
    tools = tuple(one for one in report.tools if one.name == excerpt(wanted))
    if not tools:
        raise click.UsageError("there is no tool of that name")
    return narrowed(report, tools)


async def _reported(sources: list[Source], parts: tuple[Part, ...], everything: Settings | None) -> Report:
    reference = [Known(server="PayPal", name=name, reference=True) for name in TOOLS]
    async with AsyncExitStack() as stack:
        trust: Trust | None = None
        verifier: DefinitionVerifier | None = None
        if everything is not None and "etdi" in parts:
            trust = trust_of(everything.etdi, audience=tool_audience_of(everything))
            if trust and everything.etdi.oauth_enabled:
                # Whatever may degrade in service, an inspection says how it is.
                rules = msgspec.structs.replace(everything.etdi, degradation=DegradationRules())
                strict = msgspec.structs.replace(everything, etdi=rules)
                verifier = await verifier_of(strict, Classes.load(policy_folder_of(everything)), stack)
        return await report_on(
            sources, parts=parts, trust=trust, verifier=verifier, reference=reference, clock=time.time
        )


def _words(command: str) -> list[str]:
    try:
        words = shlex.split(command)
    except ValueError as problem:
        raise click.UsageError(f"--command: {problem}") from None
    if not words:
        raise click.UsageError("--command is empty")
    return words


def _variable(name: str) -> str:
    value = inherited().get(name)
    if value is None:
        raise click.UsageError(f"--env {name}: is not set")
    return value

"""The command ``countersign``. One module per subject; exit codes: 0 done, 1 no (found wrong), 2 unusable input."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from gateway.cli import bundle_live as _bundle_live  # noqa: F401 - joins its group
from gateway.cli import idp_backup as _idp_backup  # noqa: F401 - joins its group
from gateway.cli import idp_credentials as _idp_credentials  # noqa: F401 - joins its group
from gateway.cli import tools_request as _tools_request  # noqa: F401 - joins its group
from gateway.cli.audit import audit
from gateway.cli.budgets import budgets
from gateway.cli.bundle import bundle
from gateway.cli.check import check
from gateway.cli.connect import connect
from gateway.cli.console import console
from gateway.cli.demo import demo
from gateway.cli.etdi import etdi
from gateway.cli.hosts import hosts
from gateway.cli.idp import idp
from gateway.cli.init import init
from gateway.cli.inspect import inspect
from gateway.cli.kill import kill
from gateway.cli.policy import policy
from gateway.cli.receipt import receipt
from gateway.cli.serve import paypal, serve, simulator
from gateway.cli.settings import settings
from gateway.cli.token import token
from gateway.cli.tools import tools
from gateway.cli.transactions import transactions
from gateway.cli.trust import trust
from gateway.cli.trust_store import trust_store
from gateway.errors import CountersignError
from gateway.outcome.view import visible
from gateway.version import VERSION

UNUSABLE = 2
"""Exit code where the input, or this machine, cannot be worked with."""


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(VERSION, prog_name="countersign")
def cli() -> None:
    """A policy gateway between MCP clients and PayPal: an agent cannot move money on one signature."""


for command in (
    demo,
    serve,
    check,
    policy,
    bundle,
    token,
    connect,
    hosts,
    console,
    tools,
    trust,
    trust_store,
    transactions,
    budgets,
    audit,
    receipt,
    kill,
    etdi,
    inspect,
    idp,
    init,
    settings,
    paypal,
    simulator,
):
    cli.add_command(command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point; ``arguments`` are those of the command line unless given. Always raises ``SystemExit``.

    An error of ours is one line on stderr, never a traceback.
    """
    sys.exit(_exit_code(arguments))


def _exit_code(arguments: Sequence[str] | None) -> int:
    try:
        # Outside its standalone mode click *returns* the code of an Exit, and what a command returned otherwise.
        code = cli.main(args=arguments, prog_name="countersign", standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("stopped", err=True)
        return 130
    except click.ClickException as problem:
        problem.show()
        return problem.exit_code
    except CountersignError as problem:
        click.echo(f"countersign: {_plain(problem.message)}", err=True)
        return UNUSABLE
    except OSError as problem:
        where = f"{problem.filename}: " if problem.filename else ""
        click.echo(f"countersign: {_plain(f'{where}{problem.strerror or problem}')}", err=True)
        return UNUSABLE
    return code if isinstance(code, int) else 0


def _plain(message: str) -> str:
    """It may quote what a stranger wrote, a file in a bundle or a server: nothing of that may move the cursor."""
    return "\n".join(visible(line) for line in message.split("\n"))

"""The command ``countersign``. One module per subject; exit codes: 0 done, 1 no (found wrong), 2 unusable input."""

from __future__ import annotations

import sys

import click

from gateway.cli.audit import audit
from gateway.cli.check import check
from gateway.cli.console import console
from gateway.cli.demo import demo
from gateway.cli.hosts import hosts
from gateway.cli.serve import paypal, serve, simulator
from gateway.cli.settings import settings
from gateway.cli.token import token
from gateway.cli.tools import tools
from gateway.errors import CountersignError
from gateway.version import VERSION


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(VERSION, prog_name="countersign")
def cli() -> None:
    """A policy gateway between MCP clients and PayPal: an agent cannot move money on one signature."""


for command in (demo, serve, check, token, hosts, console, tools, audit, settings, paypal, simulator):
    cli.add_command(command)


def main() -> None:
    """Entry point. An error of ours is one line on stderr, never a traceback."""
    try:
        cli.main(standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("stopped", err=True)
        sys.exit(130)
    except click.ClickException as problem:
        problem.show()
        sys.exit(problem.exit_code)
    except CountersignError as problem:
        click.echo(f"countersign: {problem.message}", err=True)
        sys.exit(2)
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)

"""``countersign demo``: the whole product in a minute, on this machine, against a simulated PayPal."""

from __future__ import annotations

import asyncio
import logging
import tempfile
from pathlib import Path

import click
import msgspec

from gateway.cli.common import json_option, terminal
from gateway.cli.hosts import snippets
from gateway.demo.run import Stage, login_link, open_stage, play
from gateway.demo.table import Row, plain, print_table
from gateway.serving import run

DEFAULT_PORT = 3000


@click.command()
@click.option("--serve", is_flag=True, help="Keep everything running afterwards, for a host of your own.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=None,
    help="The gateway's port. Default: 3000 with --serve, else free.",
)
@json_option
def demo(serve: bool, port: int | None, as_json: bool) -> None:  # noqa: FBT001 - click
    """Play a scripted agent against a simulated PayPal and show what the gateway did with each call."""
    logging.basicConfig(level=logging.ERROR, format="%(message)s")
    # What became of an edit of the policy is what somebody who edits it waits for.
    logging.getLogger("countersign").setLevel(logging.WARNING)
    with tempfile.TemporaryDirectory(prefix="countersign-demo-") as folder:
        rows = run(_demo(Path(folder), serve=serve, port=port, as_json=as_json))
    if not all(row.as_promised for row in rows):
        raise click.exceptions.Exit(1)


async def _demo(folder: Path, *, serve: bool, port: int | None, as_json: bool) -> list[Row]:
    console = terminal()
    chosen = port if port is not None else (DEFAULT_PORT if serve else 0)
    if not as_json:
        console.print("Starting a simulated PayPal and the gateway (embedded policy engine, SQLite) …")
    async with open_stage(folder, port=chosen) as (stage, gateway):

        def report(row: Row) -> None:
            if not as_json:
                console.print(f"  {row.step.title}: {row.ending.status}", highlight=False)

        rows = await play(stage, await login_link(gateway, stage), report=report)
        if as_json:
            click.echo(msgspec.json.encode(plain(rows)).decode())
        else:
            console.print()
            print_table(console, rows)
            _ending(stage, serve=serve)
        if serve:
            click.echo(
                f"Console (one-time link): {await login_link(gateway, stage)}\nCtrl-C stops it.", err=True
            )
            await asyncio.Event().wait()
        return rows


def _ending(stage: Stage, *, serve: bool) -> None:
    url = f"{stage.gateway_url}/mcp" if serve else f"http://127.0.0.1:{DEFAULT_PORT}/mcp"
    if serve:
        click.echo("Point a host of your own at it: this keeps running at")
    else:
        click.echo("Point a host of your own at it: `countersign demo --serve` keeps this running at")
    click.echo(
        f"\n  {url}\n\nand these go into the host's settings file (the token is the demo's, and unsafe):\n"
    )
    for name, snippet in snippets(url, stage.token).items():
        click.echo(f"{name}\n{snippet}\n")

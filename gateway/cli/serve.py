"""``countersign serve``, and the two parts that can run alone: the PayPal MCP server and the PayPal simulator."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from contextlib import suppress
from pathlib import Path

import click

from gateway.app import open_gateway
from gateway.cli.common import config_option, settings_of
from gateway.parts import paypal_server
from gateway.serving import run, serving, settled
from gateway.settings import Settings
from gateway.settings.checks import is_address
from gateway.settings.sources import load_paypal_settings
from gateway.state.open import masked
from gateway.upstream.paypal.simulator.serve import serve_simulator
from gateway.upstream.paypal.stdio import serve_stdio

LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"


@click.command()
@config_option
@click.option("--listen", help="host:port; overrides the settings.")
def serve(config: Path | None, listen: str | None) -> None:
    """Run the gateway until it is told to stop."""
    logging.basicConfig(level=logging.WARNING, format=LOG_FORMAT)
    run(_serve(settings_of(config, listen=listen)))


async def _serve(settings: Settings) -> None:
    told = asyncio.Event()
    with suppress(NotImplementedError):  # Windows knows no SIGTERM
        # uvicorn's own handling ends the process as soon as it has stopped serving: the audit would be left without
        # its last checkpoint, and the store without being closed.
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told.set)
    async with (
        open_gateway(settings) as gateway,
        serving(gateway, host=settings.host, port=settings.port) as port,
    ):
        engine = settings.policy.opa_url if settings.policy.engine == "opa" else "embedded"
        click.echo(
            f"countersign at {settings.public_url}/mcp  port: {port}  policy: {engine}  "
            f"state: {masked(settings.state.url)}  audit: {settings.audit.path}",
            err=True,
        )
        settled()
        await told.wait()


@click.command()
@click.option("--stdio", is_flag=True, required=True, help="Speak MCP on standard input and output.")
def paypal(stdio: bool) -> None:  # noqa: ARG001, FBT001 - click
    """Run the PayPal MCP server alone, WITHOUT the gateway: no policy, no handshake, no audit."""
    settings = load_paypal_settings()
    click.echo("countersign: this server is not behind the gateway; nothing judges its calls.", err=True)
    run(serve_stdio(paypal_server(settings), sys.stdin.buffer, sys.stdout.buffer))


@click.command()
@click.option("--listen", default="127.0.0.1:8900", show_default=True, help="host:port")
@click.option(
    "--unsafe-anywhere",
    is_flag=True,
    help="Bind beyond loopback, in a private network: it asks for no password.",
)
def simulator(listen: str, unsafe_anywhere: bool) -> None:  # noqa: FBT001 - click
    """Run the PayPal simulator (client id simulator-client, secret simulator-secret). Nothing it holds is real."""
    host, _, port = listen.rpartition(":")
    if not is_address(listen):
        raise click.UsageError("--listen is host:port")
    try:
        run(_simulate(listen, host.strip("[]"), int(port), unsafe_anywhere=unsafe_anywhere))
    except ValueError as problem:
        raise click.UsageError(f"--listen: {problem}") from None


async def _simulate(listen: str, host: str, port: int, *, unsafe_anywhere: bool) -> None:
    started: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    started.add_done_callback(lambda _: click.echo(f"PayPal simulator at http://{listen}", err=True))
    await serve_simulator(host, port, started=started, unsafe_anywhere=unsafe_anywhere)

"""``countersign serve``, and the two parts that can run alone: the PayPal MCP server and the PayPal simulator."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import click
import msgspec

from gateway.app import open_gateway
from gateway.cli.common import config_option, settings_of
from gateway.parts import paypal_server
from gateway.serving import run, server_for
from gateway.settings import Settings
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
    settings = settings_of(config)
    if listen is not None:
        settings = msgspec.structs.replace(settings, listen=listen)
    run(_serve(settings))


async def _serve(settings: Settings) -> None:
    async with open_gateway(settings) as gateway:
        server = server_for(gateway, host=settings.host, port=settings.port)
        engine = settings.policy.opa_url if settings.policy.engine == "opa" else "embedded"
        click.echo(
            f"countersign at {settings.public_url}/mcp  policy: {engine}  state: {masked(settings.state.url)}  "
            f"audit: {settings.audit.path}",
            err=True,
        )
        await server.serve()


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
    "--unsafe-anywhere", is_flag=True, help="Bind beyond loopback, in a private network: it asks for no password."
)
def simulator(listen: str, unsafe_anywhere: bool) -> None:  # noqa: FBT001 - click
    """Run the PayPal simulator (client id simulator-client, secret simulator-secret). Nothing it holds is real."""
    host, _, port = listen.rpartition(":")
    if not host or not port.isdecimal():
        raise click.UsageError("--listen is host:port")
    click.echo(f"PayPal simulator at http://{listen}", err=True)
    try:
        run(serve_simulator(host, int(port), unsafe_anywhere=unsafe_anywhere))
    except ValueError as problem:
        raise click.UsageError(f"--listen: {problem}") from None

"""``python -m gateway.cli.pins``: write the release's pins of the built-in tools. For whoever makes a release."""

from __future__ import annotations

import time

import click

from gateway.catalog.pins import PINS_FILE, encode_pins, make_pins
from gateway.upstream.paypal.definitions import TOOLS


@click.command()
@click.option("--released", type=int, default=None, help="Unix seconds; default: now.")
def main(released: int | None) -> None:
    """Pin the definitions as they are in this checkout. Read the diff before you commit it."""
    at = int(time.time()) if released is None else released
    pins = make_pins("paypal", [tool.wire for tool in TOOLS.values()], released=at)
    PINS_FILE.write_bytes(encode_pins(pins))
    click.echo(f"{len(pins.tools)} definitions pinned in {PINS_FILE.name}")


if __name__ == "__main__":
    main()

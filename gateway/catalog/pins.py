"""The pins of a release: which definitions ship with it, as a file that was reviewed and committed.

The pins are *not* computed from the definitions at start: a definition that was changed on the installed machine
would then pin itself. ``python -m gateway.cli.pins`` writes the file anew for a release; a test holds it against
the definitions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from gateway.catalog.approvals import Pins
from gateway.catalog.definition import Definition, read_definition
from gateway.catalog.tool import Approval

PINS_FILE = Path(__file__).with_name("release_pins.json")


class ReleasePins(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One server's pins. ``released`` is unix seconds."""

    server: str
    released: int
    tools: dict[str, Approval]


def read_pins(path: Path = PINS_FILE) -> Pins:
    """The pins as the catalog wants them. :raises msgspec.ValidationError: the file was damaged."""
    pins = msgspec.json.decode(path.read_bytes(), type=ReleasePins)
    return {(pins.server, name): approval for name, approval in pins.tools.items()}


def make_pins(server: str, wires: Iterable[Mapping[str, Any]], *, released: int) -> ReleasePins:
    """Pins for these definitions, sorted by name."""
    definitions = sorted((read_definition(wire) for wire in wires), key=lambda one: one.name)
    return ReleasePins(
        server=server,
        released=released,
        tools={one.name: _pin(one, released) for one in definitions},
    )


def _pin(one: Definition, released: int) -> Approval:
    return Approval(
        version=one.version,
        definition_hash=one.definition_hash,
        provider=one.provider,
        requested=one.permissions,
        approved=one.permissions,
        by="release",
        at=released,
    )


def encode_pins(pins: ReleasePins) -> bytes:
    """The file's bytes: readable, so that a review sees what changed."""
    return msgspec.json.format(msgspec.json.encode(pins, order="deterministic"), indent=1) + b"\n"

"""What stands in a walk file: one whole call, phase by phase, and what must come of each. Pure data."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import msgspec

FOLDER = Path(__file__).parent


class Recorded(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One audit record, in the order it was written. ``outcome`` is the policy's, None if it was never asked."""

    status: str
    outcome: str | None
    reasons: tuple[str, ...] = ()
    error: str | None = None


class Phase(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing that happens, and its consequence.

    ``call`` sends the tool call; ``again`` sends the same once more as the host of that era would (modern: with the
    newest ``requestState``; legacy: just the same); ``replay`` presents the *first* token once more; ``approve`` and
    ``refuse`` are a person at the console. ``arguments`` of a later phase replace the walk's own. ``paypal`` is
    every write that PayPal saw during the phase, ``reached`` how often the foreign server was called.
    """

    do: Literal["call", "again", "replay", "approve", "refuse"]
    by: str = "approver-one"
    arguments: dict[str, Any] | None = None
    status: str | None = None
    codes: tuple[str, ...] = ()
    paypal: tuple[str, ...] = ()
    reached: int = 0
    records: tuple[Recorded, ...] = ()


class Walk(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One file. It is walked once in each of ``eras``, with a caller and a PayPal of its own each time."""

    says: str
    tool: str
    arguments: dict[str, Any]
    phases: tuple[Phase, ...]
    server: str = ""
    eras: tuple[Literal["modern", "legacy"], ...] = ("modern", "legacy")


def read(path: Path) -> Walk:
    """:raises msgspec.ValidationError: a member is missing, misspelt or of the wrong type."""
    return msgspec.yaml.decode(path.read_bytes(), type=Walk)


def all_walks() -> list[tuple[str, str, Walk]]:
    """(name of the file, era, what stands in it), sorted."""
    walks = [(path.stem, read(path)) for path in sorted(FOLDER.glob("*.yaml"))]
    return [(name, era, walk) for name, walk in walks for era in walk.eras]

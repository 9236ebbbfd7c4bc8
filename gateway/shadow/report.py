"""What the shadow saw, as a file: written whole by the gateway, read by ``countersign policy shadow``.

Each gateway needs a file of its own. It is 0600, and holds of a question what the decision log would hold.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal

import msgspec

from gateway.shadow.comparing import Direction
from gateway.workbench.judging import Judged

VERSION = 1
State = Literal["watching", "held", "refused"]


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One tool in one class: how often it was asked about, and how often the answers differed, by direction."""

    server: str
    tool: str
    data_class: int | None
    asked: int
    diverged: dict[Direction, int]


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One question that was answered differently. ``time``: unix seconds; ``arguments``: what is left of them."""

    time: float
    server: str
    tool: str
    data_class: int | None
    direction: Direction
    before: Judged
    after: Judged
    arguments: Literal["kept", "masked", "hashed"]
    question: dict[str, Any]


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """When the candidate of that revision was held, and over what."""

    at: float
    candidate: str
    live: str
    asked: int
    diverged: int


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The whole. ``since``, ``updated``: unix seconds; ``lost``: sampled questions for which there was no room.

    Counts are of one live revision and one candidate's, and begin again with another. ``rate`` is ``diverged / asked``.
    """

    v: int = VERSION
    state: State
    error: str | None = None
    live: str = ""
    candidate: str = ""
    engine: str = ""
    since: float
    updated: float
    sample: int
    asked: int = 0
    diverged: int = 0
    lost: int = 0
    rate: float = 0.0
    hold_above: float
    hold_after: int
    held: Hold | None = None
    rows: tuple[Row, ...] = ()
    samples: tuple[Sample, ...] = ()


def write_report(path: Path, report: Report) -> None:
    """Replace the file at once: a reader sees the old report or the new one. :raises OSError:"""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.new")
    # No link is followed, here or by the renaming: the file is made where the operator said.
    fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(msgspec.json.encode(report))
    new.replace(path)


def read_report(path: Path) -> Report:
    """:raises OSError: :raises ValueError: the file is not of this format."""
    try:
        report = msgspec.json.decode(path.read_bytes(), type=Report)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if report.v != VERSION:
        raise ValueError(f"version {report.v}, this is {VERSION}")
    return report

"""What verifying an audit file comes to."""

from __future__ import annotations

import msgspec

MAX_PROBLEMS = 100
"""More are counted, not kept: a hostile file must not fill the memory."""


class Problem(msgspec.Struct, frozen=True):
    """What is wrong, in one sentence, and where (1 is the first line of the file)."""

    line: int
    what: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.what}"


class Anchor(msgspec.Struct, frozen=True, kw_only=True):
    """A place in a chain, noted outside the file: ``head`` is the hash of the line with that ``seq``."""

    chain: str
    seq: int
    head: str


class Verification(msgspec.Struct, frozen=True, kw_only=True):
    """``ok`` is: no problem. ``covered`` is the last line that a good signature vouches for, 0 for none.

    ``notes`` are the file's own accounts of crashes and lost records: not tampering, but worth a look.
    ``open_calls`` went upstream and have no closing record (a crash, or a call under way): their outcome is
    unknown.
    """

    ok: bool
    problems: tuple[Problem, ...]
    problem_count: int
    notes: tuple[Problem, ...]
    lines: int
    records: int
    checkpoints: int
    chain: str | None
    seq: int | None
    head: str
    covered: int
    closed: bool
    open_calls: tuple[str, ...]

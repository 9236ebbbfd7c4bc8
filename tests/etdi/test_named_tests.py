"""docs/etdi-tests.md names files that are there, and that test something."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMED = sorted(set(re.findall(r"`(tests/[a-z_/0-9]+\.py)`", (ROOT / "docs" / "etdi-tests.md").read_text())))


@pytest.mark.parametrize("path", NAMED)
def test_it_is_there(path: str) -> None:
    """A measurement has a test that runs it."""
    named = ROOT / path
    if named.parent.name == "bench":
        named = named.with_name(f"test_{named.name}")
    assert "def test_" in named.read_text()


def test_every_line_of_the_table_names_one() -> None:
    """Eight parts of the design."""
    rows = [
        row for row in (ROOT / "docs" / "etdi-tests.md").read_text().splitlines() if row.startswith("| 1")
    ]
    assert len(rows) == 8
    assert all("`tests/" in row for row in rows)

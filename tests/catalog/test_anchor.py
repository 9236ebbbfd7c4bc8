"""The anchor: what was decided last is known outside the state."""

import logging
from pathlib import Path

import pytest

from gateway.catalog.anchor import Anchor, Mark
from gateway.catalog.seal import Seal

SEAL = Seal(b"k" * 32)
ONE, TWO = Mark(1, "a" * 64), Mark(2, "b" * 64)


def test_a_mark_is_seen_by_another_process(tmp_path: Path) -> None:
    """Without asking it: the file says so. Never backwards."""
    path = tmp_path / "sub" / "anchor"
    here, there = Anchor(path, SEAL), Anchor(path, SEAL)
    assert there.mark("x") is None
    here.advance("x", ONE, durable=True)
    assert there.mark("x") == ONE
    there.advance("x", TWO, durable=False)
    assert here.mark("x") == TWO
    here.advance("x", ONE, durable=True)
    assert here.mark("x") == there.mark("x") == TWO
    assert here.mark("y") is None
    assert path.stat().st_mode & 0o777 == 0o600


def test_it_outlives_the_process(tmp_path: Path) -> None:
    """The last line of each name counts."""
    path = tmp_path / "anchor"
    for mark in (ONE, TWO):
        Anchor(path, SEAL).advance("x", mark, durable=True)
    assert Anchor(path, SEAL).mark("x") == TWO


@pytest.mark.parametrize(
    "line",
    [
        b"x 9 " + b"c" * 64 + b" " + b"0" * 64,
        b"x nine " + b"c" * 64 + b" " + b"0" * 64,
        b"x 9 " + b"c" * 64,
        b"\xff\xfe \xff \xff \xff",
        b"",
        b"x 9 " + b"c" * 64 + b" \xe9",
    ],
)
def test_a_line_that_is_not_ours_counts_for_nothing(
    tmp_path: Path, line: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """Attack: a high number written by hand would void a good approval. It is said aloud."""
    path = tmp_path / "anchor"
    Anchor(path, SEAL).advance("x", ONE, durable=True)
    path.write_bytes(line + b"\n" + path.read_bytes())
    with caplog.at_level(logging.ERROR):
        assert Anchor(path, SEAL).mark("x") == ONE
    assert "not ours" in caplog.text


def test_a_line_under_another_name_is_not_ours(tmp_path: Path) -> None:
    """A line of one tool does not move another."""
    path = tmp_path / "anchor"
    Anchor(path, SEAL).advance("x", TWO, durable=True)
    path.write_bytes(path.read_bytes().replace(b"x ", b"y ", 1))
    assert Anchor(path, SEAL).mark("y") is None


def test_half_a_line_is_read_when_it_is_whole(tmp_path: Path) -> None:
    """Another process is writing it just now."""
    path = tmp_path / "anchor"
    Anchor(path, SEAL).advance("x", TWO, durable=True)
    whole = path.read_bytes()
    path.write_bytes(whole[:20])
    reader = Anchor(path, SEAL)
    assert reader.mark("x") is None
    path.write_bytes(whole)
    assert reader.mark("x") == TWO


def test_a_file_that_is_cut_short_makes_nobody_forget(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A running gateway has seen the later mark, and says that something happened to the file."""
    path = tmp_path / "anchor"
    anchor = Anchor(path, SEAL)
    anchor.advance("x", ONE, durable=True)
    early = path.read_bytes()
    anchor.advance("x", TWO, durable=True)
    assert anchor.mark("x") == TWO
    path.write_bytes(early)
    with caplog.at_level(logging.ERROR):
        assert anchor.mark("x") == TWO
    assert "cut short" in caplog.text
    path.unlink()
    assert anchor.mark("x") == TWO

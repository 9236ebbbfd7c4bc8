"""The versions of a server's tools outlive it, and nothing makes a tool begin again."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from gateway.authoring.errors import HistoryUnusable, UnknownTool
from gateway.authoring.history import VersionHistory
from gateway.authoring.versions import Change, Shape
from tests.support.clock import ManualClock

SHAPE = Shape(permissions=("a:b",), schemas="s" * 64, rest="r" * 64)
MAJOR = msgspec.structs.replace(SHAPE, permissions=("a:b", "c:d"))
PATCH = msgspec.structs.replace(SHAPE, rest="q" * 64)


def test_versions_are_counted_across_restarts(tmp_path: Path) -> None:
    """From what the tool was, and not from what its author says."""
    path, clock = tmp_path / "versions.json", ManualClock(1000.0)
    assert VersionHistory(path, clock=clock).version("t", SHAPE, first="1.2.0") == "1.2.0"
    again = VersionHistory(path, clock=clock)
    assert again.version("t", SHAPE, first="9.0.0") == "1.2.0"
    assert again.version("t", PATCH, first="1.0.0") == "1.2.1"
    assert VersionHistory(path, clock=clock).version("t", MAJOR, first="1.0.0") == "2.0.0"
    found = VersionHistory(path).of("t")
    assert [(one.version, one.change, one.at) for one in found] == [
        ("1.2.0", Change.NONE, 1000),
        ("1.2.1", Change.PATCH, 1000),
        ("2.0.0", Change.MAJOR, 1000),
    ]


def test_going_back_is_a_new_version(tmp_path: Path) -> None:
    """Attack: a roll-back to a definition with a known hole must not look like the version that was fixed."""
    history = VersionHistory(tmp_path / "versions.json")
    history.version("t", SHAPE, first="1.0.0")
    history.version("t", MAJOR, first="1.0.0")
    assert history.version("t", SHAPE, first="1.0.0") == "3.0.0"


def test_what_another_process_counted_is_not_counted_again(tmp_path: Path) -> None:
    """Attack: two builds that are both 1.0.1, of which one was approved."""
    ours, theirs = (VersionHistory(tmp_path / "versions.json") for _ in range(2))
    assert ours.version("t", SHAPE, first="1.0.0") == "1.0.0"
    assert theirs.version("t", PATCH, first="1.0.0") == "1.0.1"
    other = msgspec.structs.replace(SHAPE, rest="p" * 64)
    assert ours.version("t", other, first="1.0.0") == "1.0.2"
    (tmp_path / "versions.json").unlink()
    assert theirs.version("t", MAJOR, first="1.0.0") == "2.0.0", "and nothing begins again while it runs"


def test_tools_are_counted_apart(tmp_path: Path) -> None:
    """Whatever their ids are."""
    history = VersionHistory(tmp_path / "versions.json")
    ids = ["../x", "a/b", "A/b", "x" * 256, "a\x00b"]
    for tool_id in ids:
        history.version(tool_id, SHAPE, first="1.0.0")
    history.version("a/b", MAJOR, first="1.0.0")
    again = VersionHistory(tmp_path / "versions.json")
    assert [again.current(tool_id) for tool_id in ids] == ["1.0.0", "2.0.0", "1.0.0", "1.0.0", "1.0.0"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["versions.json"]


def test_an_unknown_tool_is_named(tmp_path: Path) -> None:
    """In the source's words (R104)."""
    history = VersionHistory(tmp_path / "versions.json")
    with pytest.raises(UnknownTool, match=r"^Tool not found: t$"):
        history.of("t")
    assert history.current("t") is None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'{"format":1}',
        b'{"format":1,"tools":{"t":[]}}',
        b"[" * 100_000,
        b'{"format":1,"tools":{},"more":1}',
    ],
)
def test_a_file_that_is_no_history_is_refused(content: bytes, tmp_path: Path) -> None:
    """Attack: a damaged file that lets every tool be 1.0.0 again. It stays as it is."""
    path = tmp_path / "versions.json"
    path.write_bytes(content)
    with pytest.raises(HistoryUnusable, match="no history"):
        VersionHistory(path)
    assert path.read_bytes() == content


def test_versions_that_fall_are_refused(tmp_path: Path) -> None:
    """Attack: an edit that gives a tool a lower version."""
    path = tmp_path / "versions.json"
    history = VersionHistory(path)
    history.version("t", SHAPE, first="1.0.0")
    history.version("t", MAJOR, first="1.0.0")
    document = json.loads(path.read_bytes())
    document["tools"]["t"][1]["version"] = "1.0.0"
    path.write_text(json.dumps(document))
    with pytest.raises(HistoryUnusable):
        VersionHistory(path)


def test_many_changes_are_one_write(tmp_path: Path) -> None:
    """All of them, or none where they cannot be written."""
    path = tmp_path / "versions.json"
    history = VersionHistory(path)
    with history.together():
        assert [history.version(name, SHAPE, first="1.0.0") for name in ("a", "b")] == ["1.0.0", "1.0.0"]
        assert not path.exists()
    assert VersionHistory(path).current("b") == "1.0.0"
    lost = VersionHistory(tmp_path / "none" / "versions.json")
    with pytest.raises(HistoryUnusable), lost.together():
        lost.version("a", SHAPE, first="1.0.0")
    assert lost.current("a") is None


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    """And nothing is remembered that was not written."""
    history = VersionHistory(tmp_path / "none" / "versions.json")
    with pytest.raises(HistoryUnusable, match="cannot be written"):
        history.version("t", SHAPE, first="1.0.0")
    assert history.current("t") is None

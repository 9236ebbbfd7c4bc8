"""The report is replaced at once, for its owner alone, and read strictly."""

import stat
from pathlib import Path

import msgspec
import pytest

from gateway.shadow.comparing import compare
from gateway.shadow.report import read_report, write_report
from tests.shadow.conftest import asked, said, tally


def test_what_was_written_is_read(tmp_path: Path) -> None:
    """Samples and rows included; the folder is made."""
    counts = tally()
    counts.begin("live-1", "candidate-1", "opa")
    counts.add(asked(amount="1.00"), compare(said("deny"), said("allow")))
    path = tmp_path / "deep" / "shadow.json"
    write_report(path, counts.report(1))
    assert read_report(path) == counts.report(1)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in path.parent.iterdir()] == ["shadow.json"]


def test_no_link_is_followed(tmp_path: Path) -> None:
    """Attack: who may write into the folder puts a link where the new file is made."""
    target = tmp_path / "precious"
    target.write_text("as it was")
    (tmp_path / "shadow.json.new").symlink_to(target)
    with pytest.raises(OSError, match="symbolic links"):
        write_report(tmp_path / "shadow.json", tally().report(0))
    assert target.read_text() == "as it was"


@pytest.mark.parametrize("text", [b"", b"[]", b"\xff", b'{"v": 1}', b"[" * 100_000])
def test_what_is_no_report_is_said(tmp_path: Path, text: bytes) -> None:
    """Never anything but ValueError."""
    path = tmp_path / "shadow.json"
    path.write_bytes(text)
    with pytest.raises(ValueError):
        read_report(path)


def test_another_version_is_not_guessed_at(tmp_path: Path) -> None:
    """A later gateway may mean something else by the same words."""
    path = tmp_path / "shadow.json"
    write_report(path, msgspec.structs.replace(tally().report(0), v=2))
    with pytest.raises(ValueError, match="version 2"):
        read_report(path)

"""The log is read as it was written."""

from pathlib import Path

import msgspec

from gateway.decisions.entry import Recorded
from gateway.workbench.recorded import Reading


def line(time: float) -> bytes:
    """One line."""
    one = Recorded(time=time, arguments="kept", question={}, answer=None, revision="r", engine="opa")
    return msgspec.json.encode(one) + b"\n"


def test_all_files_oldest_first_and_only_since(tmp_path: Path) -> None:
    """What was turned over is read as well."""
    path = tmp_path / "d.jsonl"
    path.write_bytes(line(3) + line(4))
    (tmp_path / "d.jsonl.1").write_bytes(line(2))
    (tmp_path / "d.jsonl.2").write_bytes(line(1))
    assert [one.time for one in Reading(path)] == [1, 2, 3, 4]
    assert [one.time for one in Reading(path, since=3)] == [3, 4]


def test_what_is_no_line_is_counted(tmp_path: Path) -> None:
    """A line that was cut, one of another version, one that is something else."""
    path = tmp_path / "d.jsonl"
    other = line(1).replace(b'"v":1', b'"v":2')
    path.write_bytes(line(1)[:20] + b"\n" + other + b"[]\n\xff\n" + line(2))
    reading = Reading(path)
    assert [one.time for one in reading] == [2]
    assert reading.unreadable == 4

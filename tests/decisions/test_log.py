"""The log holds what was asked, turns over by size, and never holds up a call."""

import os
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.decisions.entry import Kept, Recorded
from gateway.decisions.log import MAX_WAITING, MAX_WAITING_BYTES, DecisionLog, files_of
from gateway.policy.engine import Evaluation

KEEP = Kept(keep=True, masked={"pay": ["/note"]})
ANSWER = {"outcome": "deny", "reasons": []}


def asked(note: str = "n", **more: Any) -> bytes:
    """A question as it is put."""
    return msgspec.json.encode(
        {"call": {"server": "bank"}, "tool": {"name": "pay"}, "arguments": {"note": note, **more}}
    )


def answered(result: Any = ANSWER) -> Evaluation:
    """Its answer."""
    raw = None if result is None else msgspec.Raw(msgspec.json.encode(result))
    return Evaluation(result=raw, decision_id="d1", revision="r1", engine="opa")


def opened(path: Path, *, max_bytes: int = 1_000_000, keep_files: int = 2) -> DecisionLog:
    """A log in a file."""
    return DecisionLog(path, KEEP, max_bytes=max_bytes, keep_files=keep_files, now=lambda: 12.3456)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """In a folder that is not there yet."""
    return tmp_path / "log" / "decisions.jsonl"


def lines(path: Path) -> Iterator[Recorded]:
    """What the file holds."""
    for line in path.read_bytes().splitlines():
        yield msgspec.json.decode(line, type=Recorded)


def test_what_was_asked_is_there_with_its_answer(path: Path) -> None:
    """Masked, with the policy's revision; an undefined answer is none. The file is for its owner."""
    log = opened(path)
    log.record(asked(), answered())
    log.record(asked(amount="1.00"), answered(None))
    log.close()
    first, second = lines(path)
    assert (first.time, first.arguments, first.answer, first.revision) == (12.346, "masked", ANSWER, "r1")
    assert (first.decision_id, first.engine) == ("d1", "opa")
    assert second.answer is None
    assert b'"n"' not in path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_it_turns_over_and_keeps_so_many_files(path: Path) -> None:
    """The newest is the path itself; the oldest goes."""
    for number in range(5):
        log = opened(path, max_bytes=300, keep_files=2)
        log.record(asked(number=number), answered())
        log.close()
    files = files_of(path)
    assert [file.name for file in files] == ["decisions.jsonl.2", "decisions.jsonl.1", "decisions.jsonl"]
    numbers = [one.question["arguments"]["number"] for file in files for one in lines(file)]
    assert numbers == [2, 3, 4]


def test_a_second_start_goes_on_where_the_first_ended(path: Path) -> None:
    """Nothing is overwritten."""
    for _ in range(2):
        log = opened(path)
        log.record(asked(), answered())
        log.close()
    assert len(list(lines(path))) == 2


def test_a_flood_is_counted_and_not_waited_for(path: Path) -> None:
    """More than may wait at once: what is left out is known."""
    log = opened(path)
    document, answer = asked(), answered()
    for _ in range(MAX_WAITING * 3):
        log.record(document, answer)
    log.close()
    assert len(list(lines(path))) + log.lost == MAX_WAITING * 3
    log.record(document, answer)
    assert log.lost >= 1


def test_large_questions_do_not_fill_the_memory_while_a_disk_hangs(path: Path) -> None:
    """Attack: a caller whose arguments are as large as may be, again and again. What waits is bounded by its bytes."""
    path.parent.mkdir()
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # nobody takes anything out: the writer stands still
    log = opened(path)
    document, answer = asked(pad="x" * 512 * 1024), answered()
    for _ in range(MAX_WAITING):
        log.record(document, answer)
    assert log.lost >= MAX_WAITING - MAX_WAITING_BYTES // len(document)
    os.set_blocking(reader, True)
    drained = threading.Thread(target=_drained, args=(reader,))
    drained.start()
    log.close()
    drained.join()
    os.close(reader)


def _drained(reader: int) -> None:
    while os.read(reader, 1 << 20):
        pass


def test_a_disk_that_is_full_loses_lines_and_nothing_else(path: Path) -> None:
    """`/dev/full` takes no byte: the log counts, the caller hears nothing."""
    path.parent.mkdir()
    log = opened(path)
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, log._fd)
    os.close(full)
    log.record(asked(), answered())
    log.close()
    assert log.lost == 1


def test_a_link_in_its_place_is_not_followed(path: Path, tmp_path: Path) -> None:
    """Attack: somebody who may write the folder lets the gateway write another file."""
    path.parent.mkdir()
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match=r"symbolic|Too many levels"):
        opened(path)

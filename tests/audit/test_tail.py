"""Finding the end of a chain in a file, for one writer."""

import os
from pathlib import Path

import pytest

from gateway.audit.chain import hash_line
from gateway.audit.tail import (
    MAX_FILES,
    TAIL_BYTES,
    TORN_GENESIS_BYTES,
    NotAChainError,
    candidates,
    open_locked,
)
from tests.support.audit import CHAIN_ID, a_file, a_record, lines_of


def test_names_beside_each_other() -> None:
    """Numbered before the suffix, so that patterns for the suffix still find them."""
    found = candidates(Path("/var/audit.jsonl"))

    assert [path.name for path in found[:3]] == ["audit.jsonl", "audit.1.jsonl", "audit.2.jsonl"]
    assert len(found) == MAX_FILES + 1


def test_the_end_of_a_long_file_is_found(tmp_path: Path) -> None:
    """Only its tail is read, beginning in the middle of a line; the chain's id comes from its head."""
    content = a_file([a_record(str(n), tool="x" * 250) for n in range(3000)])
    assert len(content) > TAIL_BYTES
    path = tmp_path / "audit.jsonl"
    path.write_bytes(content + b"torn")
    opened = open_locked(path)
    assert opened is not None
    os.close(opened.fd)

    assert (opened.chain.id, opened.chain.seq) == (CHAIN_ID, 3001)
    assert opened.chain.head == hash_line(lines_of(content)[-1][:-1])
    assert (opened.rest, opened.newline) == (b"torn", True)


def test_a_locked_file_is_left_to_its_writer(tmp_path: Path) -> None:
    """Until that writer is gone."""
    first = open_locked(tmp_path / "audit.jsonl")
    assert first is not None
    assert open_locked(tmp_path / "audit.jsonl") is None
    os.close(first.fd)
    again = open_locked(tmp_path / "audit.jsonl")
    assert again is not None
    os.close(again.fd)


@pytest.mark.parametrize("size", [1, TORN_GENESIS_BYTES])
def test_a_short_file_without_a_line_is_a_first_write_cut_short(tmp_path: Path, size: int) -> None:
    """It is ours to close off."""
    (tmp_path / "audit.jsonl").write_bytes(b"{" * size)
    opened = open_locked(tmp_path / "audit.jsonl")
    assert opened is not None
    os.close(opened.fd)

    assert (opened.chain.seq, opened.rest, opened.newline) == (0, b"{" * size, True)


def test_a_longer_one_is_somebody_elses(tmp_path: Path) -> None:
    """Nothing is appended to it."""
    (tmp_path / "audit.jsonl").write_bytes(b"{" * (TORN_GENESIS_BYTES + 1))

    with pytest.raises(NotAChainError):
        open_locked(tmp_path / "audit.jsonl")

"""What stands in the state is believed only if we wrote it, there, and last."""

import logging
from pathlib import Path

import msgspec
import pytest

from gateway.catalog.anchor import Anchor
from gateway.catalog.approval_reading import Known, Reading
from gateway.catalog.approval_record import Actor, ApprovalRecord, event_of, following
from gateway.catalog.seal import Flaw, Seal
from gateway.catalog.tool import Approval
from tests.support.walking import an_approval

KEY, OTHER = "a" * 64, "b" * 64


def a_record(number: int, approval: Approval | None = None) -> ApprovalRecord:
    """After that many decisions."""
    event = event_of("approved", Actor(name="ann"), number, approval)
    return following(None, server="s", tool="t", number=number, approval=approval, events=(event,))


@pytest.fixture
def reading(tmp_path: Path) -> Reading:
    """With a seal and an anchor."""
    seal = Seal(b"k" * 32)
    return Reading(seal, Anchor(tmp_path / "anchor", seal))


def known(reading: Reading, value: bytes | None, key: str = KEY) -> Known:
    """As `Approvals` asks."""
    return reading.known(key, reading.mark(key), value)


def written(reading: Reading, number: int) -> bytes:
    """A record that was stored."""
    record = a_record(number, an_approval())
    value = reading.closed(KEY, record)
    reading.written(KEY, record, value)
    return value


def test_what_we_wrote_is_read(reading: Reading) -> None:
    """The last one, and nothing where nothing was ever decided."""
    assert known(reading, None) == Known()
    value = written(reading, 1)
    assert known(reading, value).record == a_record(1, an_approval())
    assert reading.next_number(KEY, known(reading, value)) == 2


def test_an_older_one_is_not(reading: Reading, caplog: pytest.LogCaptureFixture) -> None:
    """Attack: the revocation is replaced by the approval before it. Said aloud, once."""
    first = written(reading, 1)
    second = written(reading, 2)
    assert known(reading, second).record is not None
    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            assert known(reading, first) == Known(flaw=Flaw.ROLLED_BACK)
    assert caplog.text.count("VOID") == 1
    assert known(reading, second).record is not None


def test_a_removed_one_is_not_nothing(reading: Reading) -> None:
    """Attack: a revocation is deleted, so that the release's pin holds again."""
    written(reading, 1)
    assert known(reading, None) == Known(flaw=Flaw.REMOVED)


def test_a_restart_knows_it_too(reading: Reading, tmp_path: Path) -> None:
    """By the anchor's file; without it there is nothing to compare with."""
    first, second = written(reading, 1), written(reading, 2)
    seal = Seal(b"k" * 32)
    again = Reading(seal, Anchor(tmp_path / "anchor", seal))
    assert known(again, first).flaw is Flaw.ROLLED_BACK
    assert known(again, second).record is not None
    elsewhere = Reading(seal, Anchor(tmp_path / "other", seal))
    assert known(elsewhere, first).record is not None


def test_a_newer_one_of_another_host_is_taken_and_remembered(reading: Reading, tmp_path: Path) -> None:
    """The state is shared; the anchor is this host's own."""
    first = written(reading, 1)
    seal = Seal(b"k" * 32)
    there = Reading(seal, Anchor(tmp_path / "there", seal))
    second = there.closed(KEY, a_record(2))
    assert known(reading, second).record == a_record(2)
    assert known(reading, first).flaw is Flaw.ROLLED_BACK


def test_two_of_one_number_are_one_too_many(reading: Reading) -> None:
    """Only one of them was stored by a decision."""
    written(reading, 1)
    other = reading.closed(KEY, a_record(1))
    assert known(reading, other).flaw is Flaw.ROLLED_BACK


def test_the_record_of_another_tool_is_not_this_ones(reading: Reading) -> None:
    """Attack: approval of A copied to B (C22)."""
    assert known(reading, written(reading, 1), OTHER).flaw is Flaw.EDITED


def test_a_decision_in_between_is_no_rollback(reading: Reading) -> None:
    """Read before, decided meanwhile, judged afterwards: what was read is what was there."""
    first = written(reading, 1)
    mark = reading.mark(KEY)
    written(reading, 2)
    assert reading.known(KEY, mark, first).record is not None


@pytest.mark.parametrize("value", [b"", b"{", b"\xff", b"[" * 5000, b'{"v":1}', b'{"v":2,"number":1}'])
def test_what_cannot_be_read_is_void(value: bytes) -> None:
    """Also where nothing is sealed."""
    assert known(Reading(None, None), value).flaw is Flaw.UNREADABLE


def test_without_a_seal_records_are_plain(reading: Reading) -> None:
    """And a sealed one is of a gateway with another configuration."""
    plain = Reading(None, None)
    value = plain.closed(KEY, a_record(1))
    assert msgspec.json.decode(value)["number"] == 1
    assert known(plain, value).record == a_record(1)
    assert known(plain, reading.closed(KEY, a_record(1))).flaw is Flaw.OTHER_KEY
    assert known(reading, value).flaw is Flaw.NOT_SEALED


def test_an_anchor_that_cannot_be_written_stops_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A revocation must take effect on a full disk too; that a rollback may go unseen is said aloud."""
    (tmp_path / "file").write_text("")
    seal = Seal(b"k" * 32)
    reading = Reading(seal, Anchor(tmp_path / "file" / "anchor", seal))
    with caplog.at_level(logging.ERROR):
        first = written(reading, 1)
    assert "cannot be written" in caplog.text
    written(reading, 2)
    assert known(reading, first).flaw is Flaw.ROLLED_BACK

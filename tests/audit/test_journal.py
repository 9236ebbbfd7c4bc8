"""What a writer says about itself: the beginning, crashes, lost records, checkpoints."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.audit.chain import Chain, Checkpoint, Gap, Genesis, Recovered, read_line
from gateway.audit.checkpoint import Signer
from gateway.audit.journal import Journal, read_tail
from gateway.audit.record import AuditRecord
from gateway.audit.verify import verify_lines
from tests.support.audit import CHAIN_ID, Clock, a_file, a_key, a_record, a_signer, lines_of


def kinds(content: bytes) -> list[str]:
    """What each line is."""
    found = [read_line(raw[:-1]) for raw in lines_of(content)]
    return ["-" if line is None else type(line.body).__name__ for line in found]


def a_journal(signer: Signer | None = None, content: bytes = b"") -> Journal:
    """A writer that goes on after `content`."""
    line, rest, newline = read_tail(content)
    chain = Chain(CHAIN_ID) if line is None else Chain(CHAIN_ID, line.seq + 1, line.hash)
    return Journal(chain, signer=signer, clock=Clock(), rest=rest, newline=newline)


def write(journal: Journal, *records: AuditRecord) -> bytes:
    """All of it reaches the file."""
    parts = []
    for record in records:
        parts.append(journal.plan(record))
        journal.written()
    return b"".join(parts)


def test_a_file_begins_with_a_genesis_line() -> None:
    """In the same write as the first record: a file with no record has no line."""
    assert kinds(write(a_journal(), a_record(), a_record())) == ["Genesis", "AuditRecord", "AuditRecord"]
    assert kinds(a_journal().plan_close()) == ["Genesis"]


def test_checkpoints_come_at_once_then_after_every_n_lines_and_at_the_end() -> None:
    """So that even a young file is vouched for, and its end is."""
    journal = a_journal(a_signer(every=3))
    written = write(journal, *(a_record() for _ in range(7)))
    assert kinds(written) == [
        *("Genesis", "AuditRecord", "Checkpoint"),
        *("AuditRecord", "AuditRecord", "AuditRecord", "Checkpoint"),
        *("AuditRecord", "AuditRecord", "AuditRecord", "Checkpoint"),
    ]
    closing = journal.plan_close()
    found = read_line(closing[:-1])
    assert found is not None
    assert isinstance(found.body, Checkpoint)
    assert found.body.final


def test_a_continued_file_is_one_chain() -> None:
    """A restart is not visible but for the checkpoint that is due at once."""
    first = a_file([a_record("a")], a_signer())
    second = write(a_journal(a_signer(), first), a_record("b"))

    assert kinds(second) == ["AuditRecord", "Checkpoint"]
    assert verify_lines(lines_of(first + second), [a_key().public_key()]).ok


@pytest.mark.parametrize("signer", [None, a_signer()], ids=["plain", "signed"])
def test_a_crash_at_any_byte_is_accounted_for(signer: Signer | None) -> None:
    """Whatever part of a write reached the file, the next start continues it, loses nothing, and it
    verifies."""
    whole = a_file([a_record("a"), a_record("b")], signer, close=False)
    keys = [a_key().public_key()] if signer else []
    for cut in range(len(whole) + 1):
        crashed = whole[:cut]
        content = crashed + write(a_journal(signer, crashed), a_record("c"))
        found = verify_lines(lines_of(content), keys)

        assert found.ok, (cut, found.problems)
        assert content.startswith(crashed)
        assert b'"call_id":"c"' in content
        assert found.records >= 1 + crashed.count(b'"record":{') - 1


def test_a_crash_while_accounting_for_a_crash_is_accounted_for() -> None:
    """Two torn writes behind each other, at any two places."""
    whole = a_file([a_record("a")], close=False)
    torn_once = whole + b'{"seq":2,"prev":"ab'
    account = write(a_journal(None, torn_once), a_record("b"))
    for cut in range(len(account) + 1):
        crashed = torn_once + account[:cut]
        content = crashed + write(a_journal(None, crashed), a_record("c"))
        found = verify_lines(lines_of(content))

        assert found.ok, (cut, found.problems)
        assert found.notes


def test_a_line_that_lacks_only_its_newline_is_kept_as_a_line() -> None:
    """It is whole; calling it torn would repeat its sequence number."""
    crashed = a_file([a_record("a")])[:-1]
    content = crashed + write(a_journal(None, crashed), a_record("b"))

    assert kinds(content) == ["Genesis", "AuditRecord", "AuditRecord"]
    assert verify_lines(lines_of(content)).ok


def test_a_crash_in_the_very_first_write_is_named_by_the_genesis_line() -> None:
    """There is no line yet that a `recovered` line could follow."""
    crashed = a_file([a_record()])[:20]
    content = crashed + write(a_journal(None, crashed), a_record())
    genesis = read_line(lines_of(content)[1][:-1])

    assert kinds(content) == ["-", "Genesis", "AuditRecord"]
    assert genesis is not None
    assert isinstance(genesis.body, Genesis)
    assert genesis.body.torn is not None
    assert genesis.body.torn.bytes == 20


def test_refused_records_are_counted_in_a_gap_line() -> None:
    """How many, since when; once."""
    journal = a_journal()
    write(journal, a_record())
    journal.refused()
    journal.refused()
    journal.unsynced()
    written = write(journal, a_record(), a_record())
    gap = read_line(lines_of(written)[0][:-1])

    assert kinds(written) == ["Gap", "AuditRecord", "AuditRecord"]
    assert gap is not None
    assert isinstance(gap.body, Gap)
    assert (gap.body.lost, gap.body.unsynced) == (2, 1)


@settings(max_examples=150)
@example([0.9999999999999999, 0.25], False)
@example([0.9999999999999999, 0.01, 0.5], True)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12), st.booleans())
def test_any_sequence_of_short_writes_verifies(parts: list[float], signed: bool) -> None:  # noqa: FBT001
    """A disk that fills and empties again: each write reaches the file in part, and the file accounts for
    it all."""
    signer = a_signer(every=2) if signed else None
    journal, content = a_journal(signer), b""
    for part in parts:
        planned = journal.plan(a_record())
        done = planned[: int(len(planned) * part)]
        content += done
        if len(done) == len(planned):
            journal.written()
        else:
            journal.interrupted(done)
    content += write(journal, a_record("last"))
    found = verify_lines(lines_of(content), [a_key().public_key()] if signed else [])

    assert found.ok, found.problems
    lost = sum(part < 1 for part in parts)
    told = [line.body for raw in lines_of(content) if (line := read_line(raw[:-1])) is not None]
    assert sum(body.lost for body in told if isinstance(body, Gap)) == lost
    assert bool(found.notes) == bool(lost)
    assert any(isinstance(body, Recovered) for body in told) or found.ok


def test_reading_a_tail_that_has_no_line() -> None:
    """It is all rest."""
    assert read_tail(b"") == (None, b"", False)
    assert read_tail(b"x\ny\n") == (None, b"x\ny", False)
    assert read_tail(b"x\ny") == (None, b"x\ny", True)

"""Whoever changes an audit file is found out, and the line is named."""

import asyncio
import hashlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.audit.chain import MAX_LINE_BYTES, Chain, Recovered, hash_line, read_line, torn
from gateway.audit.checkpoint import Signer
from gateway.audit.file_sink import FileSink
from gateway.audit.record import Status
from gateway.audit.verification import Anchor, Verification
from gateway.audit.verify import verify_file, verify_lines
from tests.support.audit import CHAIN_ID, a_file, a_key, a_record, a_signer, lines_of

RECORDS = [a_record(f"call-{n}", tool="create_refund", reasons=("money.limit",)) for n in range(6)]
PLAIN = a_file(RECORDS)
SIGNED = a_file(RECORDS, a_signer(every=3))
KEY = a_key().public_key()


def verified(content: bytes) -> Verification:
    """With the key of `SIGNED`."""
    return verify_lines(lines_of(content), [KEY])


def test_an_untouched_file_is_ok() -> None:
    """All records, covered by a signature to the end, closed."""
    found = verified(SIGNED)

    assert found.ok
    assert found.problems == ()
    assert (found.records, found.checkpoints, found.lines, found.covered) == (6, 3, 10, 10)
    assert found.closed
    assert found.chain == CHAIN_ID
    assert found.head == hash_line(lines_of(SIGNED)[-1][:-1])


def test_a_file_without_a_key_is_ok_but_not_vouched_for() -> None:
    """The chain holds; nobody signed."""
    found = verify_lines(lines_of(PLAIN))

    assert (found.ok, found.records, found.covered, found.closed) == (True, 6, 0, False)


@settings(max_examples=200)
@given(at=st.integers(0, len(SIGNED) - 1), bit=st.integers(0, 7))
def test_one_flipped_bit_is_found(at: int, bit: int) -> None:
    """Any bit of any byte of any line, newlines included."""
    changed = bytearray(SIGNED)
    changed[at] ^= 1 << bit

    assert not verified(bytes(changed)).ok


def test_every_flipped_low_bit_is_found() -> None:
    """Not a sample: every byte of the file (digits stay digits, hex stays hex)."""
    unseen = []
    for at in range(len(SIGNED)):
        changed = bytearray(SIGNED)
        changed[at] ^= 1
        if verified(bytes(changed)).ok:
            unseen.append(at)

    assert unseen == []


@settings(max_examples=200)
@given(at=st.integers(0, len(PLAIN) - 1), bit=st.integers(0, 7))
def test_without_a_key_every_line_but_the_last_is_protected(at: int, bit: int) -> None:
    """The last line has no successor that names it: that is what a key, or an anchor, is for."""
    changed = bytearray(PLAIN)
    changed[at] ^= 1 << bit
    last = len(PLAIN) - len(lines_of(PLAIN)[-1])
    anchor = Anchor(chain=CHAIN_ID, seq=6, head=hash_line(lines_of(PLAIN)[-1][:-1]))

    assert at >= last or not verify_lines(lines_of(bytes(changed))).ok
    assert not verify_lines(lines_of(bytes(changed)), anchor=anchor).ok


@pytest.mark.parametrize("at", range(9))
def test_a_deleted_line_is_found(at: int) -> None:
    """Any but the last; see the test of the anchor for that."""
    lines = lines_of(SIGNED)
    del lines[at]
    found = verify_lines(lines, [KEY])

    assert not found.ok
    assert found.problems[0].line == at + 1


@pytest.mark.parametrize("at", range(10))
def test_a_duplicated_line_is_found(at: int) -> None:
    """Also the last, and the genesis line."""
    lines = lines_of(SIGNED)
    lines.insert(at, lines[at])
    found = verify_lines(lines, [KEY])

    assert not found.ok
    assert found.problems[0].line == at + 2


@given(st.permutations(range(10)))
def test_reordered_lines_are_found(order: list[int]) -> None:
    """Any order but the true one."""
    lines = lines_of(SIGNED)

    assert verify_lines([lines[n] for n in order], [KEY]).ok == (order == sorted(order))


@pytest.mark.parametrize("kept", range(10))
def test_a_cut_is_found_by_an_anchor(kept: int) -> None:
    """A file cannot prove that it was longer; a head noted elsewhere can."""
    lines = lines_of(SIGNED)
    whole = verify_lines(lines, [KEY])
    assert whole.seq is not None
    anchor = Anchor(chain=CHAIN_ID, seq=whole.seq, head=whole.head)
    assert verify_lines(lines, [KEY], anchor=anchor).ok

    found = verify_lines(lines[:kept], [KEY], anchor=anchor)
    assert not found.ok
    assert not found.closed


def test_an_anchor_of_another_chain_is_found() -> None:
    """A fresh file put in the place of the old one."""
    found = verify_lines(lines_of(PLAIN), anchor=Anchor(chain="d" * 32, seq=0, head="0" * 64))

    assert not found.ok
    assert any("not the noted" in problem.what for problem in found.problems)


def rewritten(drop: int | None = None) -> bytes:
    """What an attacker without the key writes: one record changed, all hashes made right, signatures
    copied."""
    chain, parts = Chain(CHAIN_ID), []
    for number, raw in enumerate(lines_of(SIGNED)):
        line = read_line(raw[:-1])
        assert line is not None
        body = a_record("call-0", tool="list_invoices") if number == 1 else line.body
        if number != drop:
            written, chain = chain.next(body)
            parts.append(written)
    return b"".join(parts)


def test_a_rewritten_chain_is_found_by_the_signature_only() -> None:
    """Which is why the checkpoints are signed."""
    assert verify_lines(lines_of(rewritten())).ok
    found = verified(rewritten())

    assert not found.ok
    assert "signature" in found.problems[0].what
    assert found.covered == 0


def test_stripped_checkpoints_are_found() -> None:
    """With a key, a file that nobody signed is not ok, nor one in which signing stopped."""
    assert not verify_lines(lines_of(PLAIN), [KEY]).ok
    chain, parts = Chain(CHAIN_ID), []
    for raw in lines_of(a_file([a_record(f"c{n}") for n in range(40)], a_signer(every=3))):
        line = read_line(raw[:-1])
        assert line is not None
        if b'"checkpoint"' not in raw or line.seq == 2:
            written, chain = chain.next(line.body)
            parts.append(written)
    found = verify_lines(parts, [KEY])

    assert found.covered == 3
    assert ["overdue" in problem.what for problem in found.problems] == [True]


def test_another_key_is_not_believed() -> None:
    """An attacker's own key signs an attacker's own file; several keys are accepted for rotation."""
    forged = a_file(RECORDS, a_signer(2, every=3))

    assert not verified(forged).ok
    assert verify_lines(lines_of(forged), [KEY, a_key(2).public_key()]).ok


def test_a_key_can_be_rotated(tmp_path: Path) -> None:
    """The first half by the old key, the second by the new: both are needed, in either order of trust."""
    path = tmp_path / "audit.jsonl"
    old, new = a_key(2).public_key(), KEY
    for signer in (a_signer(2), a_signer(1)):
        asyncio.run(_one_run(path, signer))

    assert verify_file(path, new, retired_keys=[old]).ok
    assert not verify_file(path, new).ok
    assert not verify_file(path, old).ok
    assert verify_file(path).ok


async def _one_run(path: Path, signer: Signer) -> None:
    sink = FileSink(path, signer=signer)
    await sink.append(a_record(), durable=False)
    await sink.aclose()


def test_problems_name_the_changed_line() -> None:
    """One sentence, with the number of the line that is not what it was."""
    lines = lines_of(PLAIN)
    lines[3] = lines[3].replace(b"create_refund", b"create_rebund")
    found = verify_lines(lines)

    assert [str(problem) for problem in found.problems] == [
        "line 4: not the line that line 5 was written after: it was changed"
    ]


def test_torn_lines_need_an_account() -> None:
    """Bytes that are no line are a problem, unless the next line names exactly them."""
    lines = lines_of(PLAIN)
    last = read_line(lines[-1][:-1])
    assert last is not None
    chain = Chain(CHAIN_ID, last.seq + 1, last.hash)
    garbage = b'{"seq":7,"pr\n\0\xff'
    good = chain.next(Recovered(time="t", torn=torn(garbage)))[0]
    other = chain.next(Recovered(time="t", torn=torn(garbage + b"x")))[0]

    found = verify_lines(lines_of(PLAIN + garbage + b"\n" + good))
    assert found.ok
    assert [note.line for note in found.notes] == [8]
    assert not verify_lines(lines_of(PLAIN + garbage + b"\n" + other)).ok
    assert not verify_lines(lines_of(PLAIN + garbage + b"\n")).ok
    assert not verify_lines(lines_of(PLAIN + garbage)).ok
    assert not verify_lines(lines_of(PLAIN + good)).ok
    assert not verify_lines(lines_of(PLAIN + b"\n" + good)).ok


def test_nothing_is_not_a_log() -> None:
    """An emptied file is the simplest cut."""
    assert not verify_lines([]).ok
    assert not verify_lines([b"\n"]).ok


def test_calls_without_a_closing_record_are_named() -> None:
    """After a crash somebody has to ask the target what became of them."""
    content = a_file(
        [
            a_record("one", status=Status.OPENED),
            a_record("two", status=Status.OPENED),
            a_record("one", status=Status.EXECUTED),
        ]
    )

    assert verify_lines(lines_of(content)).open_calls == ("two",)


def test_a_line_without_an_end_is_read_in_pieces(tmp_path: Path) -> None:
    """A hostile file is not read into memory; its lines are still counted right and its bytes hashed
    right."""
    path = tmp_path / "audit.jsonl"
    garbage = b"x" * (3 * MAX_LINE_BYTES + 17)
    last = read_line(lines_of(PLAIN)[-1][:-1])
    assert last is not None
    named = Recovered(time="t", torn=torn(garbage))
    good = Chain(CHAIN_ID, last.seq + 1, last.hash).next(named)[0]
    path.write_bytes(PLAIN + garbage + b"\n" + good)
    found = verify_file(path)

    assert found.ok
    assert (found.lines, found.notes[0].line) == (9, 8)
    assert named.torn.sha256 == hashlib.sha256(garbage).hexdigest()


def test_many_problems_are_counted_and_not_kept() -> None:
    """A hostile file must not fill the memory."""
    lines = lines_of(a_file([a_record()])) * 300
    found = verify_lines(lines)

    assert len(found.problems) == 100
    assert found.problem_count == 299

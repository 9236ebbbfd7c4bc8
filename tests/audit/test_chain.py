"""Lines are read exactly as they are written, or not at all."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.audit.chain import (
    MAX_LINE_BYTES,
    NO_HASH,
    Body,
    Chain,
    Gap,
    Genesis,
    Recovered,
    hash_line,
    read_line,
    torn,
)
from tests.support.audit import CHAIN_ID, a_record

BODIES: list[Body] = [
    Genesis(chain=CHAIN_ID, time="t"),
    Genesis(chain=CHAIN_ID, time="t", torn=torn(b"{")),
    a_record(),
    a_record(tool='"}\n\\', reasons=("a.b",)),
    Recovered(time="t", torn=torn(b"\0\xff")),
    Gap(time="t", since="s", lost=3, unsynced=1),
]


@pytest.mark.parametrize("body", BODIES, ids=lambda body: type(body).__name__)
def test_what_is_written_is_read(body: Body) -> None:
    """Each kind of line, and the hash of the next."""
    written, after = Chain(CHAIN_ID, 7, "a" * 64).next(body)
    line = read_line(written[:-1])

    assert line is not None
    assert (line.seq, line.prev, line.body) == (7, "a" * 64, body)
    assert after == Chain(CHAIN_ID, 8, hash_line(written[:-1]))
    assert line.hash == after.head
    assert written.count(b"\n") == 1
    assert json.loads(written)["seq"] == 7


def test_a_chain_begins_with_nothing() -> None:
    """Sequence number 0 and a hash of zeros."""
    written, _ = Chain(CHAIN_ID).next(BODIES[0])

    assert written.startswith(b'{"seq":0,"prev":"' + NO_HASH.encode() + b'","genesis":{')


GOOD = Chain(CHAIN_ID, 7, "a" * 64).next(a_record())[0][:-1]
OTHER_SPELLINGS = {
    "a blank": GOOD.replace(b'"seq":7', b'"seq": 7'),
    "a leading zero": GOOD.replace(b'"seq":7', b'"seq":07'),
    "upper case": GOOD.replace(b"a" * 64, b"A" * 64),
    "an escape": GOOD.replace(b'"call-0"', b'"call\\u002d0"'),
    "a member twice": GOOD.replace(b'"v":1', b'"v":1,"v":1'),
    "a member more": GOOD.replace(b'"v":1', b'"v":1,"arguments":{}'),
    "another order": GOOD.replace(b'"v":1,"call_id":"call-0"', b'"call_id":"call-0","v":1'),
    "a missing member": GOOD.replace(b'"call_id":"call-0",', b""),
    "another kind": GOOD.replace(b'"record"', b'"gap"'),
    "an unknown kind": GOOD.replace(b'"record"', b'"note"'),
    "two kinds": GOOD[:-1] + b',"gap":{}}',
    "a carriage return": GOOD + b"\r",
    "nothing": b"",
    "not UTF-8": GOOD.replace(b"call-0", b"call-\xff"),
    "too long": GOOD.replace(b"call-0", b"x" * MAX_LINE_BYTES),
}


@pytest.mark.parametrize("raw", OTHER_SPELLINGS.values(), ids=OTHER_SPELLINGS.keys())
def test_other_spellings_are_no_lines(raw: bytes) -> None:
    """Otherwise two readers could read two things, or a byte change unseen."""
    assert raw != GOOD
    assert read_line(GOOD) is not None
    assert read_line(raw) is None


@settings(max_examples=200)
@given(
    st.binary(max_size=300)
    | st.tuples(st.integers(0, len(GOOD)), st.binary(max_size=9)).map(lambda cut: GOOD[: cut[0]] + cut[1])
)
def test_garbage_is_no_line(raw: bytes) -> None:
    """Whatever the bytes, reading never raises."""
    line = read_line(raw)

    assert line is None or Chain(CHAIN_ID, line.seq, line.prev).next(line.body)[0] == raw + b"\n"

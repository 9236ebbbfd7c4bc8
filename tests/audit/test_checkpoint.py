"""A checkpoint vouches for one place in one chain, by one key."""

from typing import Any

import msgspec
import pytest

from gateway.audit.chain import Chain, Checkpoint, Line, read_line
from gateway.audit.checkpoint import Signer, is_signed, key_id
from tests.support.audit import CHAIN_ID, a_key, a_signer

HERE = Chain(CHAIN_ID, 7, "a" * 64)


def a_checkpoint() -> tuple[Line, Checkpoint]:
    """A good one."""
    line = read_line(HERE.next(a_signer().checkpoint(HERE, time="t", final=False))[0][:-1])
    assert line is not None
    assert isinstance(line.body, Checkpoint)
    return line, line.body


def test_a_good_checkpoint_is_signed() -> None:
    """By its key, for its place."""
    line, checkpoint = a_checkpoint()

    assert checkpoint.key_id == key_id(a_key().public_key())
    assert is_signed(line, checkpoint, chain_id=CHAIN_ID, key=a_key().public_key())


def test_another_key_did_not_sign_it() -> None:
    """Whatever the checkpoint says about its key."""
    line, checkpoint = a_checkpoint()

    assert not is_signed(line, checkpoint, chain_id=CHAIN_ID, key=a_key(2).public_key())


@pytest.mark.parametrize(
    "change",
    [
        {"time": "u"},
        {"every": 1_000_000},
        {"final": True},
        {"key_id": "0" * 16},
        {"signature": ""},
        {"signature": "00" * 64},
        {"signature": "not hex"},
    ],
)
def test_no_member_can_be_changed(change: dict[str, Any]) -> None:
    """Neither the promise of another checkpoint nor whether the file was closed."""
    line, checkpoint = a_checkpoint()
    changed = msgspec.structs.replace(checkpoint, **change)

    assert not is_signed(line, changed, chain_id=CHAIN_ID, key=a_key().public_key())


def test_it_holds_at_its_place_only() -> None:
    """Another chain, another sequence number, another past."""
    line, checkpoint = a_checkpoint()
    key = a_key().public_key()

    assert not is_signed(line, checkpoint, chain_id="d" * 32, key=key)
    for change in ({"seq": 8}, {"prev": "b" * 64}):
        moved = msgspec.structs.replace(line, **change)
        assert not is_signed(moved, checkpoint, chain_id=CHAIN_ID, key=key)


def test_a_signature_has_one_spelling() -> None:
    """Upper case hex is the same number, and would be a byte changed unseen."""
    line, checkpoint = a_checkpoint()
    shouted = msgspec.structs.replace(checkpoint, signature=checkpoint.signature.upper())

    assert not is_signed(line, shouted, chain_id=CHAIN_ID, key=a_key().public_key())


def test_checkpoints_after_no_lines_are_refused() -> None:
    """A checkpoint after every zero lines would never stop."""
    with pytest.raises(ValueError, match="one line"):
        Signer(a_key(), every=0)

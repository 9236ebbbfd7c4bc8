"""A record holds names, codes and hashes; nothing that arrives from outside can be anything else in it."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.audit.record import (
    MAX_NAME_CHARS,
    AuditRecord,
    Outcome,
    clip,
    clip_or_none,
    code_of,
    outcome_of,
    timestamp,
)
from tests.support.audit import a_record


@given(st.text())
def test_any_name_can_be_recorded(name: str) -> None:
    """Lone surrogates included: a name that cannot be encoded must not be a way to act without a log."""
    clipped = clip(name)

    assert len(clipped.encode()) <= 10 * MAX_NAME_CHARS
    encoded = msgspec.json.encode(a_record(tool=clipped))
    assert msgspec.json.decode(encoded, type=AuditRecord).tool == clipped
    assert b"\n" not in encoded


def test_ordinary_names_are_unchanged() -> None:
    """Also those that are not English, and those exactly at the bound."""
    for name in ("create_refund", "Zoë", "支付", "x" * MAX_NAME_CHARS):
        assert clip(name) == name
    assert clip_or_none(None) is None


def test_long_names_are_cut_visibly() -> None:
    """A megabyte of tool name leaves a name that ends in an ellipsis."""
    assert clip("x" * 1_000_000) == "x" * (MAX_NAME_CHARS - 1) + "…"


@pytest.mark.parametrize("code", ["internal", "state.unavailable", "handshake.token_unknown", "a.b2"])
def test_codes_are_kept(code: str) -> None:
    """The words of errors.py and of the policies."""
    assert code_of(code, "other") == code


@pytest.mark.parametrize(
    "value",
    [
        "",
        "Bearer abc",
        "a.b.c",
        "A.b",
        "a b",
        "a.b\n",
        "4111111111111111",
        "a." + "b" * 65,
        404,
        None,
        ("a",),
    ],
)
def test_what_is_no_code_is_not_recorded(value: object) -> None:
    """Free text may quote a caller's secret; numbers and other types come from foreign exceptions."""
    assert code_of(value, "internal") == "internal"


def test_unknown_outcomes_are_errors() -> None:
    """What the policy may not say is not recorded as if it had."""
    assert [outcome_of(word) for word in ("allow", "deny", "Allow", "")] == [
        Outcome.ALLOW,
        Outcome.DENY,
        Outcome.ERROR,
        Outcome.ERROR,
    ]


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1_795_224_000.0009, "2026-11-21T01:20:00.000Z"),
        (1_795_224_000.999999, "2026-11-21T01:20:00.999Z"),
    ],
)
def test_times_are_utc_to_the_millisecond(seconds: float, shown: str) -> None:
    """Cut, not rounded: a record never lies in the future."""
    assert timestamp(seconds) == shown

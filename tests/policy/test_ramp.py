"""Everybody has a number that stays, and the numbers are spread evenly."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from gateway.policy.ramp import PARTS, ramp_of


def test_a_number_is_the_same_for_ever() -> None:
    """An upgrade that moved callers would change who is enforced upon."""
    assert [ramp_of("https://idp.example", f"agent-{number}") for number in range(5)] == [73, 62, 1, 33, 80]


def test_names_do_not_run_into_each_other() -> None:
    """Issuer and subject are two names."""
    assert len({ramp_of("a" * cut, "a" * (40 - cut)) for cut in range(40)}) > 1


def test_every_part_has_its_share() -> None:
    """Of ten thousand callers about a hundred each."""
    counts = Counter(ramp_of("https://idp.example", f"agent-{number}") for number in range(10_000))
    assert set(counts) == set(range(PARTS))
    assert all(50 < count < 160 for count in counts.values())


@given(st.text(), st.text())
def test_any_name_has_one(issuer: str, subject: str) -> None:
    """Of hosts' and issuers' own making."""
    assert 0 <= ramp_of(issuer, subject) < PARTS

"""What changed is counted in the right direction."""

from typing import Any

import pytest

from gateway.workbench.flips import EXAMPLES, Pair, by_meaning, compared, direction_of
from gateway.workbench.judging import Judged

DENY = Judged(outcome="deny", asks=(("money.over_limit", "deny"),))
ALLOW = Judged(outcome="allow", asks=(("consent.given", "allow"),))
ONE, TWO = (Judged(outcome="confirm", asks=(), quorum=number) for number in (1, 2))


def pair(before: Judged, after: Judged, *, tool: str = "pay", who: str = "a", whole: bool = True) -> Pair:
    """One question with both answers."""
    question: dict[str, Any] = {"call": {"id": "c"}, "tool": {"name": tool}, "caller": {"subject": who}}
    return Pair(question=question, before=before, after=after, whole=whole, data_class=2)


@pytest.mark.parametrize(
    ("before", "after", "wanted"),
    [
        (DENY, ALLOW, "laxer"),
        (ALLOW, DENY, "stricter"),
        (TWO, ONE, "laxer"),
        (ONE, TWO, "stricter"),
        (Judged(outcome="nonsense"), DENY, "other reasons"),
        (Judged(outcome="nonsense"), ALLOW, "laxer"),
        (DENY, Judged(outcome="deny"), "other reasons"),
        (Judged(outcome="handshake"), ONE, "laxer"),
    ],
)
def test_direction(before: Judged, after: Judged, wanted: str) -> None:
    """An outcome that the gateway does not know is denied, so it ranks with deny."""
    assert direction_of(before, after) == wanted


def test_flips_are_grouped_and_counted_the_laxer_first() -> None:
    """By tool, caller and what changed; with some examples of each."""
    pairs = [pair(DENY, ALLOW)] * 5 + [pair(ALLOW, DENY, who="b")] * 9 + [pair(ALLOW, ALLOW)] * 3
    found = compared(pairs)
    assert (found.asked, found.same, found.of("laxer"), found.of("stricter")) == (17, 3, 5, 9)
    laxer, stricter = found.flips
    assert (laxer.direction, laxer.count, laxer.gone, laxer.new) == (
        "laxer",
        5,
        ("money.over_limit",),
        ("consent.given",),
    )
    assert (stricter.caller, stricter.data_class, len(stricter.examples)) == ("b", 2, EXAMPLES)


def test_what_was_not_kept_is_not_judged() -> None:
    """Masked arguments break patterns that the real ones fitted: that is no flip. What else changed is one."""
    spoilt = Judged(outcome="deny", asks=(("arguments.pattern_mismatch", "deny"), ("consent.given", "allow")))
    found = compared([pair(ALLOW, spoilt, whole=False)])
    assert (found.same, found.partial) == (1, 1)
    assert compared([pair(ALLOW, spoilt)]).of("stricter") == 1
    worse = Judged(
        outcome="deny", asks=(("arguments.pattern_mismatch", "deny"), ("money.over_limit", "deny"))
    )
    assert compared([pair(ALLOW, worse, whole=False)]).of("stricter") == 1


def test_tools_that_change_alike_are_one_line() -> None:
    """For questions that nobody asked yet."""
    found = compared([pair(DENY, ALLOW, tool="b"), pair(DENY, ALLOW, tool="a", who="x")])
    (line,) = by_meaning(found.flips)
    assert (line.tool, line.caller, line.count) == ("a, b", "a, x", 2)

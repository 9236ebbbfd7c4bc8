"""What is counted, what is kept, and when a candidate is held."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.shadow.comparing import compare
from gateway.shadow.report import Hold
from gateway.shadow.tally import MAX_ROWS, MAX_SAMPLES, SAMPLES_OF_A_KIND, Tally
from tests.shadow.conftest import asked, said, tally

SAME = compare(said("allow"), said("allow"))
LAXER = compare(said("deny"), said("allow"))
STRICTER = compare(said("allow"), said("deny"))


def begun(**how: float) -> Tally:
    """A tally between two revisions."""
    fresh = tally(**how)  # type: ignore[arg-type]
    fresh.begin("live-1", "candidate-1", "opa")
    return fresh


def test_counts_by_tool_class_and_direction() -> None:
    """With the share of all, the tool that differs most first, and both revisions."""
    counts = begun()
    for tool, found in (("read", SAME), ("read", SAME), ("pay", LAXER), ("pay", STRICTER), ("pay", LAXER)):
        counts.add(asked(tool), found)
    report = counts.report(lost=7)
    assert (report.state, report.asked, report.diverged, report.rate, report.lost) == (
        "watching",
        5,
        3,
        0.6,
        7,
    )
    assert (report.live, report.candidate, report.engine) == ("live-1", "candidate-1", "opa")
    assert [(row.server, row.tool, row.data_class, row.asked, row.diverged) for row in report.rows] == [
        ("bank", "pay", 3, 3, {"laxer": 2, "stricter": 1}),
        ("bank", "read", 3, 2, {}),
    ]


def test_samples_are_masked_as_the_decision_log_is() -> None:
    """The operator's word about a note holds here, too; of a large question no argument is kept."""
    counts = begun()
    counts.add(asked(note="to be masked", amount="1.00"), LAXER)
    counts.add(asked(note="x" * 20_000, amount="1.00"), LAXER)
    first, second = counts.report(0).samples
    assert (first.arguments, first.question["arguments"]) == (
        "masked",
        {"note": "[masked]", "amount": "1.00"},
    )
    assert (second.arguments, second.question["arguments"]) == (
        "hashed",
        {"note": "[masked]", "amount": "[masked]"},
    )
    assert b"to be masked" not in msgspec.json.encode(counts.report(0))


def test_a_few_samples_of_each_kind_and_room_for_what_is_laxer() -> None:
    """A flood of harmless differences does not hide the one that matters."""
    counts = begun()
    for number in range(MAX_SAMPLES):
        for _ in range(SAMPLES_OF_A_KIND + 1):
            counts.add(asked(f"tool-{number}"), STRICTER)
    assert len(counts.report(0).samples) == MAX_SAMPLES
    counts.add(asked("late"), STRICTER)
    counts.add(asked("pay"), LAXER)
    samples = counts.report(0).samples
    assert len(samples) == MAX_SAMPLES
    assert [one.tool for one in samples if one.direction == "laxer"] == ["pay"]
    assert "late" not in {one.tool for one in samples}


def test_any_number_of_tools_is_counted_in_so_many_rows() -> None:
    """A server names its tools: it could name a new one in every listing."""
    counts = begun()
    for number in range(MAX_ROWS + 20):
        counts.add(asked(f"tool-{number}"), SAME)
    report = counts.report(0)
    assert (len(report.rows), report.rows[0].tool, report.rows[0].asked) == (MAX_ROWS + 1, "(others)", 20)


def test_held_above_the_share_of_the_last_questions() -> None:
    """Not before there are enough, not at the share itself; and once."""
    counts = begun(hold_above=0.5, hold_after=4)
    assert [counts.add(asked(), one) for one in (LAXER, LAXER, SAME, SAME)] == [None] * 4
    assert counts.held is None
    assert [counts.add(asked(), one) for one in (SAME, LAXER, LAXER)] == [None] * 3
    held = counts.add(asked(), LAXER)
    assert held == Hold(at=1e9, candidate="candidate-1", live="live-1", asked=4, diverged=3)
    assert counts.add(asked(), LAXER) is None
    assert counts.report(0).state == "held"


def test_a_good_past_does_not_dilute_what_goes_wrong_now() -> None:
    """Ten thousand good answers, then four bad ones."""
    counts = begun(hold_above=0.5, hold_after=4)
    for _ in range(10_000):
        counts.add(asked(), SAME)
    for _ in range(3):
        counts.add(asked(), LAXER)
    assert counts.held is not None


def test_another_candidate_ends_the_hold_and_another_live_policy_does_not() -> None:
    """Counts begin again with either."""
    counts = begun(hold_above=0.0, hold_after=1)
    counts.add(asked(), LAXER)
    counts.begin("live-2", "candidate-1", "opa")
    assert (counts.held is not None, counts.report(0).asked) == (True, 0)
    counts.begin("live-2", "", "")  # it does not answer
    assert counts.held is not None
    counts.begin("live-2", "candidate-2", "opa")
    assert counts.held is None


def test_a_hold_from_before_holds() -> None:
    """Until another candidate answers."""
    before = Hold(at=1.0, candidate="candidate-1", live="live-0", asked=1, diverged=1)
    counts = tally(held=before)
    counts.begin("live-1", "candidate-1", "opa")
    assert counts.report(0).held == before


def test_a_question_that_is_none_is_refused_and_not_counted() -> None:
    """Nothing of it would be known."""
    counts = begun()
    with pytest.raises(ValueError, match="truncated"):
        counts.add(b"{", LAXER)
    assert counts.report(0).asked == 0


@given(st.lists(st.booleans(), max_size=60), st.integers(1, 20), st.floats(0, 1))
def test_the_hold_is_what_the_window_says(differs: list[bool], after: int, above: float) -> None:
    """Whatever the order: held exactly if some window of that length holds more than the share."""
    counts = begun(hold_above=above, hold_after=after)
    for one in differs:
        counts.add(asked(), LAXER if one else SAME)
    windows = [differs[end - after : end] for end in range(after, len(differs) + 1)]
    assert (counts.held is not None) == any(sum(window) > above * after for window in windows)

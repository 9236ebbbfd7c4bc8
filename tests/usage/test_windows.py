"""The estimate lies between what certainly counts and what may count, at every moment and with every clock."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.policy.question import Often, Within
from gateway.usage.windows import WINDOWS, Tallies, Tally, Window

DAY = 20_778
"""Days since 1970 at which these tests begin, at midnight."""
MIDNIGHT = DAY * 86_400
steps = st.lists(st.tuples(st.integers(0, 900), st.integers(0, 5)), max_size=60)
"""Seconds that pass, and calls that come then."""


def count(window: Window, now: int, number: int = 1) -> None:
    """So many more at this time."""
    window.turn(now)
    window.current.here += number


def estimated(window: Window, now: int) -> int:
    """At this time."""
    window.turn(now)
    return window.estimate(now)


@given(steps, st.sampled_from([600, 3600]))
def test_between_this_window_and_both(taken: list[tuple[int, int]], seconds: int) -> None:
    """Never below what this window of the clock holds, never above what it and the one before hold."""
    window, now, counted = Window(seconds, MIDNIGHT), MIDNIGHT, []
    for passed, number in taken:
        now += passed
        counted += [now] * number
        count(window, now, number)
        this = sum(one // seconds == now // seconds for one in counted)
        both = sum(one // seconds >= now // seconds - 1 for one in counted)
        assert this <= window.estimate(now) <= both


@given(steps)
def test_what_is_even_is_estimated_within_one_step(taken: list[tuple[int, int]]) -> None:
    """One call each ten seconds: sixty within ten minutes, wherever they begin."""
    begin = MIDNIGHT + sum(passed for passed, _ in taken)
    window = Window(600, begin)
    for number in range(200):
        now = begin + 10 * number
        count(window, now)
        if number >= 120:
            assert 59 <= window.estimate(now) <= 61


def test_an_hour_and_a_quarter() -> None:
    """Forty in the hour before count three quarters; in the hour after they are gone."""
    window = Window(3600, MIDNIGHT)
    count(window, MIDNIGHT + 3599, 40)
    assert [estimated(window, MIDNIGHT + 3600 + passed) for passed in (0, 900, 3599, 3600)] == [40, 30, 1, 0]


def test_twice_a_limit_does_not_fit_into_one_window() -> None:
    """The worst that can be done about an edge: all of it just before, and what fits as it slides."""
    window, limit, sent = Window(600, MIDNIGHT), 100, []
    for now in range(MIDNIGHT + 599, MIDNIGHT + 1199):
        while estimated(window, now) < limit:
            count(window, now)
            sent.append(now)
    assert limit < len(sent) < 2 * limit


@given(st.integers(1, 600), st.integers(1, 50))
def test_a_clock_that_is_set_back_a_little_loses_nothing(back: int, number: int) -> None:
    """What was counted stays counted, once, before and after the clock has caught up."""
    window = Window(600, MIDNIGHT)
    count(window, MIDNIGHT, number)
    assert estimated(window, MIDNIGHT - back) == number
    count(window, MIDNIGHT - back)
    assert estimated(window, MIDNIGHT + 1) == number + 1


def test_a_clock_that_was_years_ahead_is_forgotten_when_it_is_right_again() -> None:
    """Or what it counted would count until then."""
    window = Window(600, MIDNIGHT)
    count(window, MIDNIGHT + 400 * 86_400, 99)
    assert estimated(window, MIDNIGHT) == 0
    count(window, MIDNIGHT)
    assert estimated(window, MIDNIGHT) == 1


@given(st.lists(st.integers(-100_000, 100_000), max_size=30))
def test_whatever_the_clock_does_no_number_is_negative_or_above_all(jumps: list[int]) -> None:
    """Forward and back by any amount."""
    tallies, now = Tallies(MIDNIGHT), MIDNIGHT
    for number, jump in enumerate(jumps):
        now += jump
        tallies.turn(now)
        for window in tallies.calls:
            window.current.here += 1
        often = tallies.often(now)
        for seen in (often.calls.ten_minutes, often.calls.hour, often.calls.day):
            assert 1 <= seen <= number + 1
        assert often.failures == Within()


def test_the_windows_of_the_policy() -> None:
    """Each by its own length; the shortest divides the others, which is why one look tells whether any turned."""
    assert tuple(WINDOWS) == Within.__struct_fields__
    assert all(seconds % 600 == 0 for seconds in WINDOWS.values())
    tallies = Tallies(MIDNIGHT)
    for window in (*tallies.calls, *tallies.failures):
        window.current.here = 12
    after = {600: Within(12, 12, 12), 1200: Within(0, 12, 12), 7200: Within(0, 0, 12), 2 * 86_400: Within()}
    for passed, wanted in after.items():
        tallies.turn(MIDNIGHT + passed)
        assert tallies.often(MIDNIGHT + passed) == Often(calls=wanted, failures=wanted)


def test_a_call_that_has_begun_is_not_counted_before_itself() -> None:
    """One less of the calls, and never less than none; failures are as they are."""
    tallies = Tallies(MIDNIGHT)
    for window in (*tallies.calls[1:], *tallies.failures):
        window.current.here = 1
    assert tallies.often(MIDNIGHT, less=1) == Often(calls=Within(), failures=Within(1, 1, 1))


@pytest.mark.parametrize(("total", "elsewhere"), [(9, 5), (4, 0), (1, 0), (-1, 0)])
def test_what_the_store_has_is_ours_and_that_of_others(total: int, elsewhere: int) -> None:
    """A store that lost its numbers takes away none of ours."""
    tally = Tally()
    tally.here = 6
    tally.told(4, total)
    assert (tally.owed, tally.elsewhere, tally.here, tally.heard) == (2, elsewhere, 6, True)

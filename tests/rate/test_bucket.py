"""Buckets: a burst at once, then as fast as they refill, each key for itself, in bounded memory."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.rate.bucket import Buckets
from tests.support.clock import ManualClock


def test_a_burst_then_a_rate() -> None:
    """Ten at once, then one a second; whoever waits as told is let in."""
    clock = ManualClock(0)
    buckets = Buckets(60, 10, monotonic=clock)
    assert [buckets.take("a") for _ in range(10)] == [0.0] * 10
    wait = buckets.take("a")
    assert 0 < wait <= 1
    assert buckets.take("a") == wait  # asking does not lengthen it
    clock.advance(wait)
    assert buckets.take("a") == 0.0
    assert buckets.take("a") > 0
    clock.advance(3600)
    assert [buckets.take("a") for _ in range(10)] == [0.0] * 10
    assert buckets.take("a") > 0


def test_one_key_is_nothing_to_another() -> None:
    """Other users are unaffected."""
    buckets = Buckets(1, 1, monotonic=ManualClock(0))
    assert buckets.take("a") == 0.0
    assert buckets.take("a") > 0
    assert buckets.take("b") == 0.0


def test_keys_without_end_are_forgotten() -> None:
    """Those that are full first; nobody is refused for want of room."""
    clock = ManualClock(0)
    buckets = Buckets(60, 2, monotonic=clock, max_keys=100)
    for n in range(1000):
        assert buckets.take(f"k{n}") == 0.0
    assert buckets.kept <= 100
    clock.advance(10)
    buckets.take("last")
    assert buckets.take("k999") == 0.0


@pytest.mark.parametrize(("rate", "burst"), [(0, 1), (-1, 1), (1, 0)])
def test_a_bucket_that_never_fills_is_a_mistake(rate: int, burst: int) -> None:
    """A limit of nothing is no limit, and is not built."""
    with pytest.raises(ValueError, match="bucket"):
        Buckets(rate, burst, monotonic=ManualClock())


@given(st.integers(1, 600), st.integers(1, 20), st.lists(st.floats(0, 5), max_size=100))
def test_never_more_than_promised(rate: int, burst: int, pauses: list[float]) -> None:
    """However the requests are spread: the burst and what was refilled since."""
    clock = ManualClock(0)
    buckets = Buckets(rate, burst, monotonic=clock)
    passed = 0
    for pause in pauses:
        clock.advance(pause)
        passed += buckets.take("a") == 0.0
    assert passed <= burst + clock.now * rate / 60 + 1e-6

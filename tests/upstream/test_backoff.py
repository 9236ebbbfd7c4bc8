"""When a server that died may be started again."""

from gateway.upstream.backoff import FIRST_DELAY_S, LAST_DELAY_S, STEADY_S, Backoff


def test_the_first_restart_is_immediate_and_each_further_one_later() -> None:
    """Up to a bound, however often."""
    backoff = Backoff()
    assert backoff.wait_s(0) == 0
    waits = []
    for _ in range(2_000):
        backoff.failed(100, lived_s=0)
        waits.append(backoff.wait_s(100))
    assert waits[:4] == [0, FIRST_DELAY_S, 2 * FIRST_DELAY_S, 4 * FIRST_DELAY_S]
    assert max(waits) == waits[-1] == LAST_DELAY_S
    assert backoff.wait_s(100 + LAST_DELAY_S) == 0


def test_one_that_ran_for_long_begins_anew() -> None:
    """It did not fail at once."""
    backoff = Backoff()
    for _ in range(5):
        backoff.failed(100, lived_s=0)
    backoff.failed(200, lived_s=STEADY_S)
    assert backoff.wait_s(200) == 0

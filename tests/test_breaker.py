"""The circuit breaker is a table of states; time is an argument."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.breaker import Breaker, Rules, abandoned, admit, failed, succeeded

RULES = Rules(threshold=3, open_s=10)


def _opened(at: float = 0) -> Breaker:
    state = Breaker()
    for _ in range(3):
        state = failed(state, RULES, at)
    return state


def test_opens_at_the_threshold() -> None:
    """Two failures are borne, the third one opens."""
    state = failed(failed(Breaker(), RULES, 0), RULES, 0)
    assert admit(state, RULES, 0)[1]
    assert not admit(failed(state, RULES, 0), RULES, 0)[1]


def test_a_success_in_between_starts_the_count_again() -> None:
    """Only failures in a row count."""
    state = succeeded(failed(failed(Breaker(), RULES, 0), RULES, 0))
    assert admit(failed(state, RULES, 0), RULES, 0)[1]


def test_one_probe_after_the_pause() -> None:
    """After `open_s` one caller may try, the others are still refused."""
    state, early = admit(_opened(), RULES, 9.9)
    state, probe = admit(state, RULES, 10)
    _, second = admit(state, RULES, 10)
    assert (early, probe, second) == (False, True, False)


def test_the_probe_decides() -> None:
    """Success closes; failure opens for another pause."""
    probing, _ = admit(_opened(), RULES, 10)
    assert succeeded(probing) == Breaker()
    again = failed(probing, RULES, 11)
    assert not admit(again, RULES, 20)[1]
    assert admit(again, RULES, 21)[1]


def test_an_abandoned_probe_is_not_lost() -> None:
    """A caller that went away during its probe leaves the probe to the next one."""
    probing, _ = admit(_opened(), RULES, 10)
    assert admit(abandoned(probing), RULES, 10)[1]


def test_late_failures_do_not_lengthen_the_pause() -> None:
    """Questions asked before it opened and failing after do not move the time."""
    state = failed(_opened(at=0), RULES, 9)
    assert admit(state, RULES, 10)[1]


@given(st.lists(st.sampled_from(["ask", "ok", "fail", "gone", "wait"]), max_size=60))
def test_it_always_recovers(events: list[str]) -> None:
    """Whatever happened, after a pause with nobody asking the next caller is let through."""
    state, now = Breaker(), 0.0
    for event in events:
        match event:
            case "ask":
                state, _ = admit(state, RULES, now)
            case "ok":
                state = succeeded(state)
            case "fail":
                state = failed(state, RULES, now)
            case "gone":
                state = abandoned(state)
            case _:
                now += 3
    assert admit(abandoned(state), RULES, now + 10)[1]

"""Waits grow from the first one on, and what cannot get better is not asked again."""

from __future__ import annotations

import msgspec
import pytest

from gateway.etdi.errors import EtdiCode, NotVerified
from gateway.etdi.retry import NEVER, RetryRules, retried

RULES = RetryRules(max_retries=4, initial_delay_s=0.1, max_delay_s=0.5, backoff_factor=2)


class Asked:
    """Fails some times, then answers."""

    def __init__(self, *codes: str) -> None:
        self.codes = list(codes)
        self.times = 0

    async def __call__(self) -> str:
        """The answer."""
        self.times += 1
        if self.codes:
            raise NotVerified(EtdiCode(self.codes.pop(0)))
        return "answer"


class Slept:
    """A sleep that takes no time."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    async def __call__(self, seconds: float) -> None:
        """Noted."""
        self.waits.append(seconds)


def test_the_waits() -> None:
    """The first is the initial one (C52), the last ones are capped."""
    assert list(RULES.delays()) == [0.1, 0.2, 0.4, 0.5]
    assert list(NEVER.delays()) == []


@pytest.mark.parametrize("code", ["provider_unavailable", "network_error", "timeout"])
async def test_what_may_pass_is_asked_again(code: str) -> None:
    """Until it answers."""
    asked, slept = Asked(code, code), Slept()
    assert await retried(asked, RULES, sleep=slept) == "answer"
    assert (asked.times, slept.waits) == (3, [0.1, 0.2])


async def test_retries_end() -> None:
    """With the last error."""
    asked, slept = Asked(*["timeout"] * 9), Slept()
    with pytest.raises(NotVerified) as problem:
        await retried(asked, RULES, sleep=slept)
    assert problem.value.code == "timeout"
    assert (asked.times, slept.waits) == (5, [0.1, 0.2, 0.4, 0.5])


@pytest.mark.parametrize(
    "code", [one for one in EtdiCode if one not in ("provider_unavailable", "network_error", "timeout")]
)
async def test_what_stays_wrong_is_raised_at_once(code: EtdiCode) -> None:
    """Unless the operator lists it."""
    asked, slept = Asked(code), Slept()
    with pytest.raises(NotVerified):
        await retried(asked, RULES, sleep=slept)
    assert slept.waits == []
    listed = msgspec.structs.replace(RULES, retryable=(code,))
    assert await retried(Asked(code), listed, sleep=slept) == "answer"
    assert slept.waits == [0.1]

"""What every engine promises."""

import pytest

from gateway.errors import PolicyUnavailable
from gateway.policy.embedded import Embedded
from gateway.policy.engine import Engine, Failure, unavailable
from gateway.policy.opa import OpaSidecar


@pytest.mark.parametrize("failure", Failure)
def test_failures_have_stable_codes(failure: Failure) -> None:
    """Each failure is PolicyUnavailable, and its code is its name under `policy.`."""
    error = unavailable(failure, "No answer.")
    assert isinstance(error, PolicyUnavailable)
    assert (error.code, error.message) == (f"policy.{failure}", "No answer.")


def test_both_engines_are_engines() -> None:
    """The type checker proves that either can stand where an engine is wanted."""
    engines: list[type[Engine]] = [OpaSidecar, Embedded]
    assert len(engines) == 2

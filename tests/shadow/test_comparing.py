"""Two answers to one question: which way they differ, as the gateway would have heard them."""

import msgspec
import pytest

from gateway.policy.engine import Evaluation
from gateway.shadow.comparing import Direction, compare, unanswered
from gateway.workbench.judging import Judged
from tests.shadow.conftest import said

ONE, TWO = (
    said("confirm", confirm={"by": ["human"], "quorum": quorum, "ttl_seconds": 60}) for quorum in (1, 2)
)


@pytest.mark.parametrize(
    ("live", "candidate", "wanted"),
    [
        (said("allow"), said("allow", revision="another"), None),
        (said("deny"), said("allow"), "laxer"),
        (said("handshake"), said("deny"), "stricter"),
        (TWO, ONE, "laxer"),
        (said("deny"), said("deny", "test.other"), "other reasons"),
        (said("allow", redact=["/email"]), said("allow"), "other obligations"),
        (said("handshake", handshake={"ttl_seconds": 30}), said("handshake"), "other obligations"),
    ],
)
def test_direction(live: Evaluation, candidate: Evaluation, wanted: Direction | None) -> None:
    """An answer that is no longer masked is no laxer outcome; it is not the same answer either."""
    assert compare(live, candidate).direction == wanted


@pytest.mark.parametrize("result", [None, b"[]", b'{"outcome": "allow"}', said("allow", unknown={}).result])
def test_what_the_gateway_would_not_understand_is_the_deny_that_it_would_become(result: bytes | None) -> None:
    """Undefined, no object, no reasons, an unknown obligation: a candidate like that stops calls that run today."""
    raw = None if result is None else msgspec.Raw(result)
    found = compare(said("allow"), Evaluation(result=raw, revision="c", engine="opa"))
    assert (found.direction, found.after.outcome, found.data_class) == ("stricter", "deny", 3)
    assert found.after.codes in {("policy.undefined",), ("policy.malformed_answer",)}


def test_no_answer_is_a_direction_of_its_own() -> None:
    """Also where the live policy denies: the candidate did not."""
    found = unanswered(said("deny"), "policy.timeout")
    assert found.direction == "no answer"
    assert found.after == Judged(outcome="deny", asks=(("policy.timeout", "deny"),))

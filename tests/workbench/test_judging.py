"""Many questions at once have the answers that one question has, in their order, on both engines."""

from pathlib import Path
from typing import Any

import pytest

from gateway.policy.engine import PolicyRefused
from gateway.workbench.judging import CHUNK, UNDEFINED, EmbeddedJudge, Judged, OpaJudge, answer_of, judge_of
from gateway.workbench.matrix import matrix
from gateway.workbench.pack import read_pack
from gateway.workbench.paypal import PAYPAL
from tests.workbench.conftest import edited


@pytest.fixture
def questions(folder: Path) -> list[dict[str, Any]]:
    """Some hundred of every kind."""
    data = read_pack(folder).data
    return list(matrix(data, data, {"paypal": PAYPAL}))[::9]


def test_both_engines_agree_in_order(
    folder: Path, tmp_path: Path, opa_binary: Path, questions: list[dict[str, Any]]
) -> None:
    """A question that is none is denied in its place, and moves nobody else's answer."""
    asked = [*questions[:50], {}, *questions[50:]]
    by_opa = list(OpaJudge(folder, str(opa_binary), tmp_path).judged(asked))
    by_embedded = list(EmbeddedJudge(folder).judged(asked))
    assert by_opa == by_embedded
    assert by_opa[50] == Judged(outcome="deny", asks=(("request.malformed", "deny"),))
    assert {one.outcome for one in by_opa} == {"deny", "handshake", "confirm", "allow"}
    assert max(one.quorum for one in by_opa) == 2


def test_more_than_one_process_keeps_the_order(
    folder: Path, tmp_path: Path, opa_binary: Path, questions: list[dict[str, Any]]
) -> None:
    """Chunks are judged side by side, and answered one after the other."""
    repeated = [questions[number % 7] for number in range(CHUNK * 2 + 5)]
    judge = OpaJudge(folder, str(opa_binary), tmp_path)
    few = list(judge.judged(questions[:7]))
    assert list(judge.judged(repeated)) == [few[number % 7] for number in range(len(repeated))]


def test_a_policy_that_does_not_compile_is_refused(folder: Path, tmp_path: Path, opa_binary: Path) -> None:
    """By both, with a word of why: no question is answered by half a policy."""
    edited(folder / "money" / "money.rego", "package gateway.money", "package gateway.money\n\nx if {")
    with pytest.raises(PolicyRefused, match="OPA could not judge"):
        list(judge_of(folder, str(opa_binary), tmp_path).judged([{}]))
    with pytest.raises(PolicyRefused):
        judge_of(folder, None, tmp_path)


def test_a_policy_that_is_silent_denies(folder: Path, tmp_path: Path, opa_binary: Path) -> None:
    """An undefined answer is UNDEFINED, as the gateway takes it."""
    edited(
        folder / "decision" / "decision.rego",
        "\nanswer := {",
        "\nanswer := another if input.never\n\nanother := {",
    )
    assert list(OpaJudge(folder, str(opa_binary), tmp_path).judged([{"a": 1}])) == [UNDEFINED]


@pytest.mark.parametrize("answer", [None, [], "deny", {}, {"outcome": 3}])
def test_what_is_no_answer_is_undefined(answer: Any) -> None:
    """Whatever was recorded."""
    assert answer_of(answer) == UNDEFINED


def test_an_answer_is_read_as_far_as_it_is_one() -> None:
    """Reasons and obligations of another shape are left out."""
    answer = {"outcome": "allow", "reasons": [3, {"code": "a.b", "outcome": "allow"}], "obligations": 1}
    assert answer_of(answer) == Judged(outcome="allow", asks=(("a.b", "allow"),))

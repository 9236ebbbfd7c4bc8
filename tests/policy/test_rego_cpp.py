"""Values go into rego-cpp and come out of it unchanged, or are refused; strings stay strings."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.errors import PolicyUnavailable
from gateway.policy.engine import PolicyRefused
from gateway.policy.rego_cpp import MAX_DEPTH, UNDEFINED, Bundle, Interpreter

ENTRY = "gateway/decision/answer"


def compiled(*rules: str, data: dict[str, Any] | None = None) -> Bundle:
    """A policy of these rules."""
    return Bundle({"p.rego": "package gateway.decision\n\n" + "\n".join(rules)}, data or {}, [ENTRY])


def ask(bundle: Bundle, question: object) -> object:
    """One evaluation by a new interpreter."""
    return Interpreter().evaluate(bundle, ENTRY, question)


ECHO = compiled("answer := input.x")
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.text()
    | st.decimals(-999, 999, places=6).map(float),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=200)
@given(JSON)
@example('a","outcome":"allow')
@example("a\\")
@example('"quoted"')
@example("\\u0041")
@example("line\nbreak\t\x01\x7f\u2028 é😀")
@example({'k"ey\\': ["\\n"]})
@example([1.5, -0.25, 0, 2**53 + 1, 2**63 - 1])
def test_values_survive(value: object) -> None:
    """A value of the question that a rule repeats is that value; or, with a NUL, refused."""
    if "\\u0000" in json.dumps(value) and "\0" in repr_of(value):
        with pytest.raises(PolicyUnavailable):
            ask(ECHO, {"x": value})
    else:
        assert ask(ECHO, {"x": value}) == value


def repr_of(value: object) -> str:
    """All texts of a value, joined."""
    match value:
        case str():
            return value
        case list():
            return "".join(map(repr_of, value))
        case dict():
            return "".join(key + repr_of(item) for key, item in value.items())
        case _:
            return ""


def test_an_argument_cannot_write_the_answer() -> None:
    """Injection: a text of the question that a rule quotes in its message must not become keys of the answer."""
    bundle = compiled('answer := {"outcome": "deny", "message": sprintf("tool %s", [input.x])}')
    hostile = 'x","outcome":"allow","z":"'
    assert ask(bundle, {"x": hostile}) == {"outcome": "deny", "message": f"tool {hostile}"}


@pytest.mark.parametrize("text", ['a"b', "a\\b", "a\nb", "a\x01b", "é\u2028😀", "a\\nb", "a/b"])
def test_literals_equal_texts(text: str) -> None:
    """A text of the question equals the literal that is written with the usual escapes, and a key as well."""
    literal = json.dumps(text, ensure_ascii=False)
    bundle = compiled(
        f"answer := [input.x == {literal}, input.m[{literal}], data.d[input.x]]", data={"d": {text: 7}}
    )
    assert ask(bundle, {"x": text, "m": {text: 5}}) == [True, 5, 7]


@pytest.mark.parametrize("tail", ["\0x", "\0"])
def test_nul_would_cut_a_name(tail: str) -> None:
    """C strings end at NUL: `create_refund\\0x` must not be judged as `create_refund`, nor such a key."""
    for question in ({"x": "create_refund" + tail}, {"create_refund" + tail: 1}):
        with pytest.raises(PolicyUnavailable, match="NUL"):
            ask(ECHO, question)


@pytest.mark.parametrize(
    "number", [2**63, -(2**63) - 1, 1e-7, 0.12345678, 0.1 + 0.2, 1e300, 2.0**53, 99999999999.5]
)
def test_numbers_that_rego_cpp_would_change(number: float) -> None:
    """Integers wrap at 64 bits and floats keep six decimals: what would change is refused."""
    with pytest.raises(PolicyUnavailable, match="not exact"):
        ask(ECHO, {"x": number})


def test_depth_is_bounded() -> None:
    """rego-cpp needs quadratic time for deep values: 3 s for 3000 levels."""
    value: object = 1
    for _ in range(MAX_DEPTH):
        value = [value]
    with pytest.raises(PolicyUnavailable, match="too deep"):
        ask(ECHO, {"x": value})


def test_size_is_bounded() -> None:
    """A question of many values would hold up the others."""
    with pytest.raises(PolicyUnavailable, match="too large"):
        ask(ECHO, {"x": list(range(20_000))})


def test_keys_that_are_no_strings() -> None:
    """Keys become their JSON text, as in OPA's answers; two that become the same text are no answer."""
    keys = compiled("answer := {key: 1 | some key in input.keys}")
    assert ask(keys, {"keys": ["a", None, 2, [True]]}) == {"a": 1, "null": 1, "2": 1, "[true]": 1}
    with pytest.raises(PolicyUnavailable, match="not one JSON value"):
        ask(keys, {"keys": ["2", 2]})


def test_undefined_is_not_an_answer() -> None:
    """A rule without a value is told apart from null."""
    assert ask(ECHO, {}) is UNDEFINED
    assert ask(ECHO, {"x": None}) is None


@pytest.mark.parametrize(
    "rule",
    [
        "answer := 1 / input.zero",
        'answer := to_number("zz")',
        'answer := 1 if not startswith(input.zero, "a")',
        "answer := 1 if input.zero == 0\nanswer := 2 if input.zero == 0",
        "answer := f(1)\nf(x) := 1 if x\nf(x) := 2 if x",
    ],
)
def test_errors_are_no_answer(rule: str) -> None:
    """A failing built-in is not undefined (its negation would be true), a conflict has no value."""
    with pytest.raises(PolicyUnavailable, match="failed on this question"):
        ask(compiled(rule), {"zero": 0})


@pytest.mark.parametrize("rule", ["answer := {1: 2}[input.x] if {", "answer := }", "answer := `a"])
def test_syntax_errors(rule: str) -> None:
    """What does not parse is refused at once."""
    with pytest.raises(PolicyRefused, match="does not compile"):
        compiled(rule)


def test_recursion_at_evaluation_is_no_answer() -> None:
    """Even past the plan's check, a recursive rule ends in an error, not in a value or a crash."""
    with pytest.raises(PolicyUnavailable):
        ask(compiled("answer := b", "b := answer"), {})


def test_shared_interpreters_race() -> None:
    """Each thread has its own interpreter over one shared bundle, and never sees another's question."""
    local = threading.local()

    def own(number: int) -> bool:
        if not hasattr(local, "interpreter"):
            local.interpreter = Interpreter()
        question = {"x": {"number": number, "text": f"question {number}"}}
        return bool(local.interpreter.evaluate(ECHO, ENTRY, question) == question["x"])

    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(own, range(2000)))


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ('answer if contains(input.é "a")', "p.rego:5: Invalid sequence"),
        ("answer if {", "p.rego:5: this is unclosed"),
        ("answer iff true", "p.rego:5: Invalid literal"),
    ],
)
def test_what_does_not_compile_is_said_with_its_line(rule: str, said: str) -> None:
    """Characters of several bytes before it do not move the line; the engine's own tree is nobody's to read."""
    with pytest.raises(PolicyRefused) as refused:
        compiled("# é😀", "", rule)
    assert refused.value.message.startswith(f"the policy does not compile: {said}")
    assert "(error" not in refused.value.message

"""Patterns over arguments: what is refused and why, that both engines match what is not alike, and in linear time."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gateway.policy.embedded import Embedded
from gateway.policy.engine import Entrypoint, PolicyRefused
from gateway.policy.loading import load_policy
from gateway.policy.opa import OpaSidecar
from gateway.policy.patterns import (
    MAX_UNBOUNDED_CHARS,
    PatternRefused,
    check_pattern,
    check_rule,
    check_rules,
)
from gateway.policy.rego_cpp import Bundle, Interpreter
from tests.support.backtracking import match
from tests.support.opa_process import OpaProcess
from tests.support.opa_program import Opa
from tests.support.policy_cases import CHECKS, POLICIES
from tests.support.policy_copies import copied, edit_data
from tests.support.questions import IN_ORDER

VECTORS: dict[str, Any] = yaml.safe_load(
    (Path(__file__).parent / "patterns.yaml").read_text(encoding="utf-8")
)
GOOD: list[str] = VECTORS["good"]
UNBOUNDED: list[str] = VECTORS["unbounded"]
BAD: list[tuple[str, str]] = [(why, one) for why, listed in VECTORS["bad"].items() for one in listed]
RULES: dict[str, dict[str, dict[str, Any]]] = yaml.safe_load(
    (POLICIES / "gateway/arguments/data.yaml").read_text(encoding="utf-8")
)["rules"]
SHIPPED = sorted(
    {rule["pattern"] for rules in RULES.values() for rule in rules.values() if "pattern" in rule}
)
TINY = ("a", "A", "0", "-", "@", '"', "\\", "\n", "\x01", "é", "😀")
HOSTILE = (*TINY, "a.", "A0", "ab", "a@", "https://a/", "https://a:")
"""What hostile texts are repetitions of."""
ENTRY = "gateway/decision/answer"
SLOW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize("pattern", GOOD)
def test_a_good_pattern(pattern: str) -> None:
    """Nothing is repeated without a limit."""
    assert check_pattern(pattern) is False


@pytest.mark.parametrize("pattern", UNBOUNDED)
def test_a_pattern_without_a_limit_wants_a_length(pattern: str) -> None:
    """The embedded engine needs stack for each character: 25 000 of them end the process."""
    for length in ({}, {"max_length": MAX_UNBOUNDED_CHARS + 1}, {"max_length": "9"}):
        with pytest.raises(PatternRefused, match="max_length"):
            check_rule({"pattern": pattern, **length})
    check_rule({"pattern": pattern, "max_length": MAX_UNBOUNDED_CHARS})


@pytest.mark.parametrize(("why", "pattern"), BAD)
def test_a_pattern_on_which_engines_differ_or_that_takes_long(why: str, pattern: str) -> None:
    """Refused, whatever the reason that is found first."""
    with pytest.raises(PatternRefused):
        check_pattern(pattern)


def test_the_rego_check_says_the_same(opa_binary: Path, tmp_path: Path) -> None:
    """``policies/checks`` and the loader refuse the same patterns."""
    patterns = [*GOOD, *UNBOUNDED, *(pattern for _, pattern in BAD)]
    program = tmp_path / "t.rego"
    program.write_text(
        "package t\n\nimport data.checks.patterns\n\n"
        'r := [patterns.problems({"pattern": one, "max_length": 9}) | some one in input]\n'
    )
    options = ("eval", "--format", "json", "--stdin-input", "--data", CHECKS, "--data", program, "data.t.r")
    answer = Opa(opa_binary).output(*options, stdin=json.dumps(patterns))
    problems = answer["result"][0]["expressions"][0]["value"]
    assert [one for one, found in zip(patterns, problems, strict=True) if not found] == [*GOOD, *UNBOUNDED]


def test_lengths_and_values() -> None:
    """rego-cpp counts escapes, so that a length alone would mean two things; values are compared."""
    with pytest.raises(PatternRefused, match="without a pattern"):
        check_rule({"max_length": 3})
    with pytest.raises(PatternRefused, match="no text"):
        check_rule({"pattern": 3})
    check_rule({"values": ["a", "é", '"']})


def test_what_ships() -> None:
    """Every pattern, and the file as a whole."""
    check_rules(RULES)
    assert len(SHIPPED) > 8


@pytest.mark.parametrize("pattern", ["^(a+)+$", "^[a-z]*$", "^[a-z]*[a-z]*b$", r"^\w{1,9}$"])
def test_the_embedded_engine_does_not_load_one(tmp_path: Path, pattern: str) -> None:
    """Nor does a reload take it: the policy that was there stays. The message names tool and pointer."""
    folder = copied(tmp_path)
    edit_data(folder, "arguments", rules={"create_refund": {"/capture_id": {"pattern": pattern}}})
    with pytest.raises(PolicyRefused, match="create_refund: /capture_id: "):
        load_policy(folder)


@pytest.mark.parametrize("rules", [None, [], {"t": None}, {"t": {"/a": None}}, {"t": {"/a": [1]}}])
def test_rules_that_are_none_are_for_the_policy_to_refuse(rules: object) -> None:
    """It says ``arguments.rules_unusable``."""
    check_rules(rules)


def hostile(size: int) -> list[str]:
    """Texts of about so many characters that nearly match."""
    starts = ("", "https://a/", "https://a", "a@", "A" * 9)
    return [
        start + one * (size // len(one)) + end
        for start in starts
        for one in HOSTILE
        for end in ("", "\n", "!")
    ]


@pytest.mark.parametrize("pattern", [*SHIPPED, *GOOD, *UNBOUNDED])
def test_hostile_text_takes_linear_time(pattern: str) -> None:
    """Twice the text, at most twice the steps of a matcher that backtracks; counted, not timed."""
    for short, long in zip(hostile(50_000), hostile(100_000), strict=True):
        few = match(pattern, short, limit=10**6)
        many = match(pattern, long, limit=10**6)
        assert many.steps <= 2 * few.steps + 2_000
        assert many.steps <= 3 * len(long) + 2_000


def test_the_steps_show_what_is_refused() -> None:
    """The control: the same count explodes for patterns with two ways."""
    assert match("^[a-z]*[a-z]*b$", "a" * 2_000, limit=10**6).steps == 10**6
    assert match("^" + "a?" * 24 + "a" * 24 + "$", "a" * 24, limit=10**6).steps == 10**6


@st.composite
def patterns(draw: st.DrawFn) -> str:
    """Patterns of our language, ambiguous ones included."""
    char = st.sampled_from(list("abcAZ019_-/:@ ~!#%&'=;,") + [f"\\{one}" for one in "^$.|?*+()[]{}-/"])
    simple = st.sampled_from(
        ["[a-z]", "[A-Z]", "[0-9]", "[A-Za-z0-9_-]", r"[!#-?A-\[\]-~]", "[.]", "[ab]", "[/?#]"]
    )
    repeated = st.sampled_from(["", "", "", "?", "*", "+", "{2}", "{0,3}", "{1,4}", "{2,}"])
    item = st.builds(str.__add__, char | simple, repeated)
    items = st.lists(item, min_size=1, max_size=4).map("".join)
    group = st.builds("({}){}".format, items, st.sampled_from(["", "?"]))
    return "^" + "".join(draw(st.lists(items | group, max_size=4))) + "$"


def near(pattern: str) -> st.SearchStrategy[str]:
    """Texts that match, nearly match, or do not."""
    noise = st.text(st.sampled_from('abzAZ059_-.@/: "\\\n\té😀\x7f'), max_size=6)
    matching = st.from_regex(re.compile(pattern, re.ASCII), fullmatch=True)
    return (
        matching | noise | st.builds(str.__add__, matching, noise) | st.builds(str.__add__, noise, matching)
    )


@SLOW
@given(st.data())
def test_both_engines_match_alike(
    opa_binary: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Patterns that are not refused, and whatever texts: RE2 and rego-cpp say the same, and so does our matcher."""
    cases = []
    for pattern in data.draw(st.lists(patterns(), min_size=1, max_size=12)):
        try:
            check_pattern(pattern)
        except PatternRefused:
            continue
        cases += [(pattern, text) for text in data.draw(st.lists(near(pattern), min_size=1, max_size=6))]
    cases = [(pattern, text) for pattern, text in cases if "\0" not in text]
    by_opa = matched_by_opa(opa_binary, tmp_path_factory, cases)
    assert matched_by_rego_cpp(cases) == by_opa
    assert [match(pattern, text, limit=10**5).matches for pattern, text in cases] == by_opa


def matched_by_opa(binary: Path, folders: pytest.TempPathFactory, cases: list[tuple[str, str]]) -> list[bool]:
    """Patterns from data, texts from the input, as in ``arguments.rego``."""
    folder = folders.mktemp("opa")
    (folder / "t.rego").write_text(
        "package t\n\nr := [regex.match(data.patterns[at], text) | some at, text in input]\n"
    )
    (folder / "data.json").write_text(json.dumps({"patterns": [pattern for pattern, _ in cases]}))
    options = ("eval", "--format", "json", "--stdin-input", "--data", folder, "data.t.r")
    answer = Opa(binary).output(*options, stdin=json.dumps([text for _, text in cases]))
    found: list[bool] = answer["result"][0]["expressions"][0]["value"]
    return found


def matched_by_rego_cpp(cases: list[tuple[str, str]]) -> list[object]:
    """The same in the embedded engine."""
    rules = "package gateway.decision\n\nanswer := regex.match(data.patterns[input.at], input.text)\n"
    table = {str(at): pattern for at, (pattern, _) in enumerate(cases)}
    bundle, interpreter = Bundle({"p.rego": rules}, {"patterns": table}, [ENTRY]), Interpreter()
    return [
        interpreter.evaluate(bundle, ENTRY, {"at": str(at), "text": text})
        for at, (_, text) in enumerate(cases)
    ]


@pytest.fixture(scope="module")
def engines(
    opa_binary: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[asyncio.Runner, Any, Any]]:
    """The shipped policy on both, as gateways run it."""
    folder = tmp_path_factory.mktemp("shipped")
    shutil.copytree(POLICIES / "gateway", folder / "gateway", ignore=shutil.ignore_patterns("*_test.rego"))
    (folder / "gateway" / ".manifest").rename(folder / ".manifest")
    with OpaProcess(opa_binary, folder, unix=folder / "opa.sock") as process, asyncio.Runner() as runner:
        opa = OpaSidecar.at(process.url, clock=time.monotonic, deadline_s=10)
        embedded = runner.run(Embedded.load(folder / "gateway", deadline_s=10))
        yield runner, opa, embedded
        runner.run(opa.aclose())
        runner.run(embedded.aclose())


def codes(engines: tuple[asyncio.Runner, Any, Any], tool: str, arguments: dict[str, Any]) -> list[list[str]]:
    """What each engine has against the arguments."""
    runner, *both = engines
    question = msgspec.json.decode(msgspec.json.encode(IN_ORDER))
    question["tool"]["name"], question["arguments"] = tool, arguments
    document = msgspec.json.encode(question)
    answers = [
        msgspec.json.decode(runner.run(one.evaluate(Entrypoint.DECISION, document)).result) for one in both
    ]
    assert {one["outcome"] for one in answers} in ({"deny"}, {"allow"}, {"handshake"}, {"confirm"})
    return [sorted(one["code"] for one in answer["reasons"]) for answer in answers]


def placed(pointer: str, value: object) -> dict[str, Any]:
    """Arguments with a value at a pointer."""
    made: Any = value
    for step in reversed(pointer.strip("/").split("/")):
        made = [made] if step == "*" else {step: made}
    assert isinstance(made, dict)
    return made


PLACES = sorted((tool, pointer) for tool, rules in RULES.items() for pointer in rules)


@pytest.mark.parametrize(("tool", "pointer"), PLACES)
def test_a_hundred_kilobytes_at_each_place(engines: Any, tool: str, pointer: str) -> None:
    """Both engines answer, alike, and refuse: no stack is used up and nothing runs away."""
    for one in HOSTILE:
        opa, embedded = codes(engines, tool, placed(pointer, one * (100_000 // len(one))))
        assert opa == embedded
        assert "arguments.pattern_mismatch" in embedded


@SLOW
@given(st.sampled_from(PLACES), st.data())
@example(("create_order", "/returnUrl"), None)
def test_hostile_arguments_get_one_answer(
    engines: Any, place: tuple[str, str], data: st.DataObject | None
) -> None:
    """Whatever stands at the places that have a pattern."""
    tool, pointer = place
    pattern = RULES[tool][pointer].get("pattern", "^a$")
    anything = (
        near(pattern) | st.text(max_size=20) | st.none() | st.booleans() | st.integers(0, 9) | st.just([1])
    )
    value = "https://a.example/\\" if data is None else data.draw(anything)
    if isinstance(value, str) and "\0" in value:
        return  # the embedded engine refuses the question: see test_rego_cpp.py
    opa, embedded = codes(engines, tool, placed(pointer, value))
    assert opa == embedded
    if isinstance(value, str):
        longest = RULES[tool][pointer].get("max_length", len(value))
        fits = re.fullmatch(pattern, value, re.ASCII) is not None and len(value) <= longest
        assert ("arguments.pattern_mismatch" not in opa) is fits

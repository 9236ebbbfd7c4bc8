"""rego-cpp's traps: what OPA refuses to compile, and rego-cpp runs as undefined. `not undefined` is true."""

import pytest

from gateway.policy.plan import complaints
from gateway.policy.rego_cpp import Bundle

ENTRY = "gateway/decision/answer"


def complain(*rules: str, has: frozenset[str] | None = None) -> list[str]:
    """The complaints about a policy of these rules."""
    bundle = Bundle({"p.rego": "package gateway.decision\n\n" + "\n".join(rules)}, {}, [ENTRY])
    return complaints(bundle.plan(), has_builtin=bundle.is_builtin if has is None else has.__contains__)


def test_a_sound_policy() -> None:
    """Comprehensions, functions, else, with, every, some and negation are nothing to complain about."""
    assert not complain(
        "import data.gateway.decision.inner",
        'answer := {"a": f(input.x), "b": b, "c": c} if { not input.y == 1; every v in input.z { v > 0 } }',
        "f(x) := y if { y := x + 1 } else := 0",
        "b contains k if { some k, v in input.m; v == [1, k][_] }",
        "c := {k: w | some k; w := input.m[k]; g with input.x as 1}",
        'g if regex.match("^[a-z]\\\\d\\"$", input.s)',
    )


def test_missing_builtin_is_undefined() -> None:
    """`not net.cidr_contains(...)` would always be true, and let everybody in."""
    found = complain('answer := 1 if not net.cidr_contains("10.0.0.0/8", input.ip)')
    assert found == ["the built-in `net.cidr_contains` is not available"]


def test_only_allowed_builtins() -> None:
    """A built-in outside the allow list is refused although rego-cpp has it."""
    assert complain("answer := time.now_ns()", has=frozenset()) == [
        "the built-in `time.now_ns` is not available"
    ]


@pytest.mark.parametrize(
    "call", ['time.parse_rfc3339_ns("x")', "crypto.sha256(input.x)", "substring(input.x, 0, 2)"]
)
def test_builtins_that_answer_otherwise(call: str) -> None:
    """A built-in that gives another answer than OPA's is refused."""
    (found,) = complain(f"answer := {call}")
    assert "does not answer as in OPA" in found


@pytest.mark.parametrize("call", ["foo(input.x)", "foo.bar(input.x)", "data.gateway.decision.nope(1)"])
def test_unknown_function(call: str) -> None:
    """A misspelt function is undefined when called, and its negation true."""
    found = complain(f"answer := 1 if not {call}")
    assert any("which does not exist" in sentence for sentence in found)


@pytest.mark.parametrize(
    "rules",
    [
        ("answer := b", "b := answer"),
        ("answer := f(1)", "f(x) := g(x) if x", "g(x) := f(x) if x"),
        ("answer := 1 if not b", "b if not c", "c if not b"),
    ],
)
def test_recursion(rules: tuple[str, ...]) -> None:
    """Rules that need themselves are refused; rego-cpp fails on them at some later question."""
    assert any("is recursive" in sentence for sentence in complain(*rules))


@pytest.mark.parametrize(
    "rule",
    [
        "answer := 1 if { not x == 1 }",
        "answer := x if { y > 1 }",
        "answer := [x | some x in input.a; w]",
        "answer := 1 if { every v in input.a { v == q } }",
    ],
)
def test_unsafe_variable(rule: str) -> None:
    """A variable that nothing binds makes the rule undefined, and a negation of it true."""
    assert complain(rule) == ["data.gateway.decision.answer uses a variable that nothing binds"]


def test_rego_cpp_loses_variables_of_every_in_not() -> None:
    """A correct rule that rego-cpp compiles wrongly: inside `not` the variable of `every` is bound by nothing."""
    rule = 'answer := 1 if { every p in input.a { not b(split(p, ":")) } }'
    assert complain(rule, 'b(parts) if parts[0] == "*"') == [
        "data.gateway.decision.answer uses a variable that nothing binds"
    ]


@pytest.mark.parametrize("literal", ['"\\u00e9"', '"a\\/b"', '"\\u0041"', '"x\\u0000"'])
def test_literals_are_compared_as_written(literal: str) -> None:
    """In rego-cpp the literal `\\u00e9` never equals an é of the question: such a literal is refused."""
    (found,) = complain(f"answer := 1 if not input.x == {literal}")
    assert "write the character itself" in found


@pytest.mark.parametrize("literal", ['"é"', '"a\\"b\\\\c\\n"', '`a\\d"b`', '""', '"/"'])
def test_faithful_literals(literal: str) -> None:
    """Plain characters, the usual escapes and raw strings are fine."""
    assert not complain(f"answer := 1 if not input.x == {literal}", f"b := startswith(input.x, {literal})")


def test_rules_chosen_by_a_computed_name() -> None:
    """Which would run cannot be told, so recursion and built-ins could hide there. A missing data file looks alike."""
    assert complain("answer := data.gateway.limits.currencies[input.x]") == [
        "`data.gateway.limits.currencies[x]` is in no data file, so a rule may be meant, and one that is chosen by a"
        " computed name cannot be checked"
    ]


def test_unknown_statements() -> None:
    """A statement this check does not know could do anything."""
    plan = {
        "static": {"strings": [], "builtin_funcs": []},
        "funcs": {"funcs": []},
        "plans": {"plans": [{"blocks": [{"stmts": [{"type": "NewStmt", "stmt": {}}]}]}]},
    }
    assert complaints(plan, has_builtin=lambda _: True) == ["the plan holds an unknown statement `NewStmt`"]

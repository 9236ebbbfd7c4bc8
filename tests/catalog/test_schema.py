"""Arguments against the upstream's own schema, which is hostile too."""

from typing import Any

import pytest

from gateway.catalog.schema import MAX_ERRORS, InputSchema
from gateway.upstream.paypal.definitions import TOOLS

UNUSABLE = ("the tool's own input schema is unusable; ask its provider",)


def errors(schema: dict[str, Any], arguments: dict[str, Any]) -> tuple[str, ...]:
    """What is wrong; empty where the arguments fit."""
    verdict = InputSchema(schema).judge(arguments)
    assert verdict.valid == (not verdict.errors)
    return verdict.errors


def test_what_fits_fits() -> None:
    """No errors, and the one verdict for all."""
    assert errors({"type": "object", "required": ["a"]}, {"a": 1}) == ()
    assert errors({}, {"anything": [1]}) == ()


def test_errors_name_places_and_rules_and_no_values() -> None:
    """A value may be a secret, or an instruction to whoever reads the error."""
    schema = {"properties": {"a/b~": {"type": "string", "enum": ["good-value"]}}}
    said = errors(schema, {"a/b~": 987654321})
    assert any(one.startswith("/a~1b~0: violates ") for one in said)
    assert "987654321" not in "".join(said)
    assert "good-value" not in "".join(said)


def test_each_member_that_is_missing_is_named() -> None:
    """Whoever mends the call learns what to add; several are several."""
    inner = {"type": "object", "required": ["c"]}
    schema = {"required": ["a", "b/"], "properties": {"in": inner}}
    assert errors(schema, {"in": {}}) == (
        "/a: violates required",
        "/b~1: violates required",
        "/in/c: violates in/required",
    )


def test_errors_are_few_and_short() -> None:
    """Also for ten thousand wrong members with long names."""
    said = errors(
        {"additionalProperties": {"type": "string"}}, {f"{i}" + "n" * 500: i for i in range(10_000)}
    )
    assert len(said) == MAX_ERRORS
    assert max(map(len, said)) < 250


@pytest.mark.parametrize("tool", TOOLS)
def test_our_own_schemas_are_usable(tool: str) -> None:
    """Each compiles and refuses what nobody declared."""
    said = errors(TOOLS[tool].wire["inputSchema"], {"no such member": 1})
    assert said
    assert said != UNUSABLE


def chain(length: int) -> dict[str, Any]:
    """A few lines that are 2^length steps: each part names the next one twice."""
    parts: dict[str, Any] = {"a0": {"type": "object"}}
    for i in range(1, length):
        parts[f"a{i}"] = {"allOf": [{"$ref": f"#/$defs/a{i - 1}"}, {"$ref": f"#/$defs/a{i - 1}"}]}
    return {"$defs": parts, "$ref": f"#/$defs/a{length - 1}"}


def with_other_roots(part: dict[str, Any], schema: str) -> dict[str, Any]:
    """The chain hidden in a part with a base of its own: from the whole's root the same pointers lead to nothing."""
    hidden = chain(45)
    harmless: dict[str, Any] = {key: {} for key in hidden["$defs"]}
    return {"$schema": schema, "$defs": harmless, "properties": {"a": {**hidden, **part}}}


DRAFT_4, DRAFT_7 = "http://json-schema.org/draft-04/schema#", "http://json-schema.org/draft-07/schema#"
DEEP: dict[str, Any] = {}
for _ in range(3000):
    DEEP = {"not": DEEP}
HOSTILE: dict[str, dict[str, Any]] = {
    "over the network": {"$ref": "http://127.0.0.1:1/schema"},
    "from a file": {"$ref": "file:///etc/passwd"},
    "relative to an id": {"$id": "http://h.example/a", "$ref": "b"},
    "a meta-schema of its own": {"$schema": "http://h.example/mine"},
    "a meta-schema that is none": {"$schema": 5},
    "not a schema": {"type": "nonsense"},
    "a broken pattern": {"pattern": "("},
    "2^45 steps": chain(45),
    "2^45 steps by percent": {**chain(45), "$ref": "#/%24defs/a44"},
    "an anchor": {"$anchor": "x", "allOf": [{"$ref": "#x"}]},
    "a dynamic reference": {"$dynamicAnchor": "x", "properties": {"a": {"$dynamicRef": "#x"}}},
    "an id inside": {"$defs": {"a": {"$id": "http://h.example/b"}}, "$ref": "#/$defs/a"},
    "2^45 steps behind an older id": with_other_roots({"id": "http://h.example/a"}, DRAFT_4),
    "2^45 steps behind an older draft": with_other_roots(
        {"$schema": DRAFT_4, "id": "http://h.example/a"}, DRAFT_7
    ),
    "depth": DEEP,
    "a dangling reference": {"$ref": "#/$defs/missing"},
}


@pytest.mark.parametrize("schema", HOSTILE.values(), ids=HOSTILE)
def test_what_cannot_be_judged_by_fits_nothing(schema: dict[str, Any]) -> None:
    """Neither fetched, nor followed, nor counted to the end."""
    assert errors(schema, {}) == UNUSABLE


def test_a_short_chain_is_still_judged_by() -> None:
    """References as such are fine."""
    assert errors(chain(5), {}) == ()


TREE = {
    "type": "object",
    "properties": {"leaf": {"type": "integer"}, "kids": {"type": "array", "items": {"$ref": "#"}}},
}


def test_a_recursive_schema_is_judged_by() -> None:
    """And tells where it went wrong."""
    assert errors(TREE, {"kids": [{"kids": [{"leaf": 1}]}]}) == ()
    assert errors(TREE, {"kids": [{"kids": [{"leaf": "x"}]}]}) == ("/kids/0/kids/0/leaf: violates leaf/type",)


def test_a_schema_that_meets_itself_twice_explains_nothing() -> None:
    """Each level would double the errors to be found: sixty levels are 2^60."""
    members = {"leaf": {"type": "integer"}, "a": {"allOf": [{"$ref": "#/$defs/b"}, {"$ref": "#/$defs/c"}]}}
    both = {"type": "object", "properties": members}
    schema = {"$defs": {"b": both, "c": {**both, "minProperties": 1}}, "$ref": "#/$defs/b"}
    nested: dict[str, Any] = {"leaf": "wrong"}
    for _ in range(60):
        nested = {"a": nested}
    assert errors(schema, nested) == ("/: violates the input schema",)


@pytest.mark.parametrize("pattern", ["^(a+)+$", "^(?=a)(a+)+\\1$", "^(a|a)*b$"])
def test_a_pattern_does_not_run_for_ever(pattern: str) -> None:
    """Whatever it says of this text, it says so soon."""
    assert errors({"properties": {"a": {"pattern": pattern}}}, {"a": "a" * 5000 + "!"})


def test_an_argument_that_is_called_id_is_one() -> None:
    """In every draft; only a text in that place names a base."""
    for draft in (DRAFT_4, DRAFT_7):
        schema = {"$schema": draft, "id": "http://h.example/a", "properties": {"id": {"type": "string"}}}
        assert errors(schema, {"id": "x"}) == ()
        assert errors(schema, {"id": 1}) == ("/id: violates id/type",)


def test_an_older_draft_is_read_as_such() -> None:
    """Where a schema says that it is one: its `items` may be a list."""
    schema = {
        "$schema": DRAFT_7,
        "properties": {"a": {"items": [{"type": "string"}]}},
    }
    assert errors(schema, {"a": ["x"]}) == ()
    assert errors(schema, {"a": [1]})
    assert errors({"properties": schema["properties"]}, {"a": ["x"]}) == UNUSABLE

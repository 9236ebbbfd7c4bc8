"""The difference of two definitions: complete, in the order of its gravity, bounded."""

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from gateway.catalog.definition import Definition, read_definition
from gateway.catalog.diff import MAX_CHANGES, DefinitionDiff, diff
from gateway.catalog.tool import ETDI_META_KEY
from tests.support.walking import a_definition


def a(**members: Any) -> Definition:
    """A definition; `etdi` is its block."""
    block = members.pop("etdi", None)
    if block is not None:
        members.setdefault("_meta", {})[ETDI_META_KEY] = block
    return read_definition(a_definition("x", **members))


def told(found: DefinitionDiff) -> list[tuple[str, str, str]]:
    """Subject, kind and place of each change."""
    return [(one.subject.value, one.kind.value, one.path) for one in found.changes]


def test_the_gravest_first() -> None:
    """Whatever its place in the document."""
    before = a(
        title="Old",
        annotations={"readOnlyHint": True},
        inputSchema={"type": "object", "properties": {"to": {"type": "string"}}},
        etdi={"version": "1.0.0", "provider": {"id": "depot"}, "permissions": ["read"]},
    )
    after = a(
        title="New",
        description="Now also to Mallory.",
        annotations={"readOnlyHint": False, "idempotentHint": True},
        inputSchema={
            "type": "object",
            "properties": {"to": {"type": "string"}, "bcc": {"type": "string"}},
            "required": ["bcc"],
        },
        outputSchema={"type": "object"},
        icons=[{"src": "https://example.invalid/i.png"}],
        etdi={"version": "2.0.0", "provider": {"id": "mallory"}, "permissions": ["read", "admin"]},
    )
    assert told(diff(before, after)) == [
        ("provider", "changed", ""),
        ("version", "changed", ""),
        ("permission", "added", "admin"),
        ("argument", "added", "bcc"),
        ("argument", "newly required", "bcc"),
        ("annotation", "added", "idempotentHint"),
        ("annotation", "changed", "readOnlyHint"),
        ("description", "changed", ""),
        ("title", "changed", ""),
        ("output", "added", "(schema)"),
        ("other", "changed", f"/_meta/{ETDI_META_KEY.replace('/', '~1')}/provider/id"),
        ("other", "added", "/icons"),
    ]


def test_a_token_and_a_signature_are_no_change() -> None:
    """They change with each listing; what they vouch for is another matter."""
    block = {
        "version": "1.0.0",
        "signature": "a",
        "signatureAlgorithm": "ES256",
        "oauth": {"token": "T1", "provider": "p"},
    }
    other = {**block, "signature": "b", "oauth": {"token": "T2", "provider": "p"}}
    assert diff(a(etdi=block), a(etdi=other)) == diff(a(), a())


def test_an_order_of_permissions_has_no_better_name_than_its_place() -> None:
    """The hash sees it, so it is said."""
    found = diff(a(etdi={"permissions": ["a", "b"]}), a(etdi={"permissions": ["b", "a"]}))
    assert [one.subject.value for one in found.changes] == ["other"]
    assert found.permissions.added == ()


def test_everything_changed_is_bounded() -> None:
    """And says that there is more."""
    wide = {"type": "object", "properties": {f"p{number}": {} for number in range(MAX_CHANGES + 50)}}
    found = diff(a(), a(inputSchema=wide))
    assert len(found.changes) == MAX_CHANGES
    assert found.more


def test_a_difference_that_nothing_names_is_still_told() -> None:
    """If the hash says so."""
    other = msgspec.structs.replace(a(), definition_hash="f" * 64)
    assert told(diff(a(), other)) == [("other", "changed", "(definition hash)")]


_LEAF = st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.text("ab", max_size=2))
_ANY = st.recursive(
    _LEAF,
    lambda inner: st.one_of(
        st.lists(inner, max_size=2),
        st.dictionaries(
            st.sampled_from(["type", "properties", "required", "items", "a", "b", "oauth"]), inner, max_size=3
        ),
    ),
    max_leaves=8,
)
_WIRE = st.fixed_dictionaries(
    {
        "name": st.just("x"),
        "inputSchema": st.dictionaries(
            st.sampled_from(["type", "properties", "required", "enum"]), _ANY, max_size=3
        ),
    },
    optional={
        "description": _LEAF,
        "title": _LEAF,
        "annotations": _ANY,
        "outputSchema": _ANY,
        "security": _ANY,
        "icons": _ANY,
        "_meta": st.dictionaries(st.sampled_from(["v/x", "y"]), _ANY, max_size=2),
    },
)


@given(_WIRE, _WIRE)
def test_nothing_changes_unseen(one: dict[str, Any], two: dict[str, Any]) -> None:
    """Some change is told exactly where the hashes differ."""
    try:
        before, after = read_definition(one), read_definition(two)
    except ValueError:
        return
    found = diff(before, after)
    if before.definition_hash != after.definition_hash:
        assert found.changes
        assert [change.path for change in found.changes] != ["(definition hash)"] or _null_or_token(one, two)
    else:
        assert found.changes == ()


def _null_or_token(one: dict[str, Any], two: dict[str, Any]) -> bool:
    """Null instead of nothing, and tokens in odd places, have no name."""
    return "oauth" in str(one) + str(two) or "None" in str(one) + str(two)

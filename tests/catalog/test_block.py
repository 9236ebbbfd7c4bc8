"""Whatever the spelling, a definition says one thing of itself, or it is refused."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.catalog.block import EMPTY, EtdiBlock, OAuth, Permission, Provider, Signature, read_block
from gateway.catalog.tool import ETDI_META_KEY

BASIC = {
    "name": "calculator:basic",
    "description": "Allows basic calculator operations",
    "implications": ["Can perform add, subtract, multiply, divide operations"],
    "scope": "tool:calculator:basic",
}
PARTS: dict[str, Any] = {
    "provider": {"id": "trusted-tools-inc", "name": "Trusted Tools Inc."},
    "permissions": ["calculator:basic"],
    "oauth": {"token": "eyJ", "provider": "auth0.com"},
}
SIGNED: dict[str, Any] = {"signature": "c2ln", "signatureAlgorithm": "ES256", "keyId": "key-1"}
NAMED: dict[str, Any] = {"id": "secure-calculator", "version": "1.0.0"}
MODEL = EtdiBlock(
    id="secure-calculator",
    version="1.0.0",
    provider=Provider(id="trusted-tools-inc", name="Trusted Tools Inc."),
    permissions=(Permission(name="calculator:basic"),),
    oauth=OAuth(token="eyJ", provider="auth0.com"),
    signature=Signature(value="c2ln", algorithm="ES256", key_id="key-1"),
)
TOOL: dict[str, Any] = {"name": "Secure Calculator", "inputSchema": {}}


def meta(parts: dict[str, Any]) -> dict[str, Any]:
    """In the block on the MCP wire."""
    return {"_meta": {ETDI_META_KEY: parts}}


SPELLINGS: dict[str, dict[str, Any]] = {
    "the block": meta({**NAMED, **PARTS, **SIGNED}),
    "the tool": {**NAMED, **PARTS, **SIGNED},
    "security of the tool (LLD-B 13.1)": {**NAMED, **SIGNED, "security": PARTS},
    "security of the block": meta({**NAMED, "security": {**PARTS, **SIGNED}}),
    "oauth alone below security (LLD-A 3.1)": {
        **NAMED,
        **SIGNED,
        "provider": PARTS["provider"],
        "permissions": PARTS["permissions"],
        "security": {"oauth": PARTS["oauth"]},
    },
    "idp for provider (LLD-B 3.1)": {
        **NAMED,
        **PARTS,
        **SIGNED,
        "oauth": {"token": "eyJ", "idp": "auth0.com"},
    },
    "twice the same": {**NAMED, **PARTS, **meta({**NAMED, **PARTS, **SIGNED})},
    "some here, some there": {**meta({**NAMED, **SIGNED}), "security": PARTS},
}


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS)
def test_every_spelling_is_one_model(spelling: dict[str, Any]) -> None:
    """And reading changes nothing of it."""
    wire = {**TOOL, **spelling}
    before = copy.deepcopy(wire)
    assert read_block(wire) == MODEL
    assert wire == before


def test_permissions_are_texts_or_objects() -> None:
    """Of one name they are one permission; the object says more."""
    expected = (
        Permission(
            name="calculator:basic",
            scope="tool:calculator:basic",
            description="Allows basic calculator operations",
            implications=("Can perform add, subtract, multiply, divide operations",),
        ),
    )
    assert read_block({**TOOL, "permissions": [BASIC]}).permissions == expected
    assert read_block({**TOOL, "permissions": [BASIC, BASIC]}).permissions == expected
    both = {**TOOL, "permissions": ["calculator:basic"], **meta({"permissions": [BASIC]})}
    assert read_block(both).permissions == expected
    names = read_block({**TOOL, "permissions": ["b", "a", "b"]}).permissions
    assert [one.name for one in names] == ["a", "b"]


@pytest.mark.parametrize("other", ["the tool", "security of the tool", "security of the block"])
@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("provider", {"id": "mallory"}),
        ("provider", {"id": "trusted-tools-inc", "name": "Mallory"}),
        ("provider", "mallory"),
        ("permissions", []),
        ("permissions", ["calculator:basic", "admin"]),
        ("permissions", ["admin"]),
        ("oauth", {"token": "another"}),
        ("oauth", {"provider": "okta.com"}),
        ("oauth", {"idp": "okta.com"}),
        ("signature", "YW5vdGhlcg=="),
        ("signatureAlgorithm", "RS256"),
        ("keyId", "key-2"),
        ("id", "insecure-calculator"),
        ("version", "1.0.1"),
    ],
)
def test_spellings_that_contradict_each_other_are_refused(other: str, member: str, value: Any) -> None:
    """Attack: approve one set, enforce another (C16)."""
    wire: dict[str, Any] = {**TOOL, **meta({**NAMED, **PARTS, **SIGNED})}
    if other == "the tool":
        wire[member] = value
    elif other == "security of the tool":
        wire["security"] = {"permissions": PARTS["permissions"], member: value}
    else:
        wire["_meta"][ETDI_META_KEY]["security"] = {member: value}
    with pytest.raises(ValueError, match="contradict"):
        read_block(wire)


def test_one_permission_described_in_two_ways_is_refused() -> None:
    """By scope or by words, in one list or in two spellings."""
    for other in ({**BASIC, "scope": "tool:admin"}, {**BASIC, "description": "Harmless"}):
        with pytest.raises(ValueError, match="differently"):
            read_block({**TOOL, "permissions": [BASIC, other]})
        with pytest.raises(ValueError, match="contradict"):
            read_block({**TOOL, "permissions": [BASIC], **meta({"permissions": [other]})})


@pytest.mark.parametrize(
    "version", ["0.0.0", "1.2.3", "10.20.30", "1.0.0-alpha.1", "1.0.0+build.5", "1.0.0-rc.1+x"]
)
def test_semantic_versions(version: str) -> None:
    """Semantic Versioning 2.0.0."""
    assert read_block({**TOOL, **meta({"version": version})}).version == version


@pytest.mark.parametrize(
    "version",
    [
        "",
        "1",
        "1.0",
        "v1.0.0",
        "1.0.0.0",
        "01.0.0",
        "1.0.0-",
        "1.0.0-01",
        " 1.0.0",
        "1.0.0\n",
        "1.\u0660.0",
        1,
        1.0,
        [],
    ],
)
def test_what_is_no_semantic_version_is_refused(version: Any) -> None:
    """R061."""
    with pytest.raises(ValueError, match="semantic version"):
        read_block({**TOOL, **meta({"version": version})})


@pytest.mark.parametrize(
    "parts",
    [
        {"oauth": "eyJ"},
        {"oauth": {"provider": 5}},
        {"provider": {"name": "nobody"}},
        {"provider": {"id": "a\u202eb"}},
        {"provider": {"id": ""}},
        {"id": "x" * 300},
        {"permissions": "all"},
        {"permissions": [5]},
        {"permissions": [{"scope": "tool:x"}]},
        {"permissions": [{"name": "x", "implications": "y"}]},
        {"permissions": [{"name": "x", "description": 5}]},
        {"permissions": ["x"] * 257},
        {"security": "none"},
    ],
)
def test_what_the_hash_covers_is_well_formed(parts: dict[str, Any]) -> None:
    """Or the definition is refused."""
    with pytest.raises(ValueError):
        read_block({**TOOL, **meta(parts)})


@pytest.mark.parametrize("value", [5, [], {}, True])
def test_a_token_or_a_signature_that_is_no_text_is_there_and_worth_nothing(value: Any) -> None:
    """It must not make a tool vanish, nor pass for absent: what is present must verify (C15)."""
    block = read_block({**TOOL, **meta({"oauth": {"token": value, "provider": "idp"}, "signature": value})})
    assert block.oauth == OAuth(token="", provider="idp")
    assert block.signature == Signature(value="")


@pytest.mark.parametrize(
    "wire",
    [
        {},
        {"id": 5, "version": "from the vendor"},
        {"security": ["oauth2"]},
        {"security": {"level": 3}},
        {"_meta": {"other": {"version": 5}}},
        {"_meta": "none"},
    ],
)
def test_a_tool_that_does_not_speak_of_etdi_has_an_empty_block(wire: dict[str, Any]) -> None:
    """``id``, ``version`` and ``security`` are words that anybody may use."""
    assert read_block({**TOOL, **wire}) == EMPTY


def test_a_token_is_not_shown() -> None:
    """By whoever logs the block."""
    assert "eyJ" not in repr(MODEL)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "name", "token"]), inner)
    ),
    max_leaves=6,
)
MEMBERS = ["id", "version", "provider", "permissions", "oauth", "signature", "keyId", "security", "_meta"]


@given(st.dictionaries(st.sampled_from(MEMBERS), JSON, max_size=5))
@settings(max_examples=200, deadline=None)
def test_anything_is_read_or_refused(parts: dict[str, Any]) -> None:
    """With one kind of error."""
    for wire in ({**TOOL, **parts}, {**TOOL, **meta(parts)}, {**TOOL, "security": parts}):
        try:
            read_block(wire)
        except ValueError:
            continue

"""How each kind of provider spells the claims and scopes of a tool, there and back."""

from __future__ import annotations

from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.authoring import profiles
from gateway.authoring.profiles import PROFILES, Profile
from gateway.etdi.profiles import PROFILES as VERIFIED
from gateway.etdi.profiles import ProfileName

CLAIMS = {
    "tool_id": "read",
    "tool_version": "1.2.3",
    "tool_provider": "files-inc",
    "definition_hash": "ab" * 32,
}
ALL = list(PROFILES.values())
NAMES = list(PROFILES)
permissions = st.text(
    st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters='"\\'), min_size=1
)


@pytest.mark.parametrize(
    ("profile", "claim", "scope"),
    [
        (profiles.AUTH0, "https://etdi.tools/tool_id", "tool:filesystem:read:/a:b"),
        (profiles.OKTA, "etdi_tool_id", "tool.filesystem:read:/a:b"),
        (profiles.AZURE, "etdi_tool_id", "tool.filesystem:read:/a:b"),
        (profiles.CUSTOM, "tool_id", "tool:filesystem:read:/a:b"),
    ],
    ids=["auth0", "okta", "azure", "custom"],
)
def test_each_provider_has_its_spelling(profile: Profile, claim: str, scope: str) -> None:
    """R106, R109, R110, R114."""
    assert profiles.requested_claims(profile, CLAIMS)[claim] == "read"
    assert profiles.requested_scopes(profile, ["filesystem:read:/a:b"]) == (scope,)


@pytest.mark.parametrize("profile", ALL, ids=NAMES)
def test_what_is_asked_for_is_read_back(profile: Profile) -> None:
    """In every spelling that the profile knows, each claim is the same."""
    for prefix in profile.claim_prefixes:
        assert (
            profiles.tool_claims(profile, {prefix + name: value for name, value in CLAIMS.items()}) == CLAIMS
        )


@given(st.lists(permissions), st.sampled_from(ALL))
def test_permissions_survive_as_scopes(wanted: list[str], profile: Profile) -> None:
    """Whatever characters they have."""
    scopes = profiles.requested_scopes(profile, wanted)
    for claim in profile.scope_claims:
        for value in (" ".join(scopes), list(scopes)):
            assert profiles.granted_permissions(profile, {claim: value}) == frozenset(wanted)


@pytest.mark.parametrize("profile", [one for one in ALL if len(one.claim_prefixes) > 1])
def test_two_spellings_that_disagree_are_refused(profile: Profile) -> None:
    """Attack: one reader takes the namespaced claim, another the plain one, and they see two tools."""
    first, second = (prefix + "tool_id" for prefix in profile.claim_prefixes[:2])
    assert profiles.tool_claims(profile, {first: "read", second: "read"}) == {"tool_id": "read"}
    with pytest.raises(ValueError, match="two spellings"):
        profiles.tool_claims(profile, {first: "read", second: "pay"})


@pytest.mark.parametrize("value", [1, None, ["read"], {"a": 1}, True])
def test_a_claim_that_is_no_text_is_refused(value: object) -> None:
    """Nothing is converted."""
    with pytest.raises(ValueError, match="not text"):
        profiles.tool_claims(profiles.CUSTOM, {"tool_id": value})


@pytest.mark.parametrize("value", [1, {"a": 1}, [1], ["a", None], True])
def test_a_scope_claim_of_another_kind_is_refused(value: object) -> None:
    """Neither text nor a list of texts."""
    with pytest.raises(ValueError, match="neither"):
        profiles.granted_scopes(profiles.CUSTOM, {"scope": value})


@pytest.mark.parametrize(
    "permission", ["read tool:admin", "", "a\tb", "a\nb", 'a"b', "a\\b", "ä", "x" * 513, "a\x00b"]
)
def test_a_permission_cannot_be_two_scopes(permission: str) -> None:
    """Attack: a space makes ``tool:admin`` of a reader's permission."""
    with pytest.raises(ValueError, match="no permission"):
        profiles.check_permission(permission)


def test_scopes_are_asked_for_once() -> None:
    """By the explicit table, else with the prefix; defaults after them."""
    assert profiles.requested_scopes(
        profiles.AUTH0,
        ["read", "write", "read"],
        defaults=["tool:read", "base"],
        table={"write": "files.write"},
    ) == ("tool:read", "files.write", "base")


def test_a_mapped_scope_is_its_permission_again() -> None:
    """And one without a prefix is no permission of a tool."""
    payload = {"scope": "files.write tool:read openid"}
    assert profiles.granted_permissions(profiles.AUTH0, payload, table={"write": "files.write"}) == {
        "read",
        "write",
    }


@pytest.mark.parametrize(
    ("permission", "parts"),
    [
        ("filesystem:read:/documents", ("filesystem", "read", "/documents")),
        ("filesystem:read:/a:b:c", ("filesystem", "read", "/a:b:c")),
        ("network:access", ("network", "access", None)),
    ],
)
def test_a_path_keeps_its_colons(permission: str, parts: tuple[str, str, str | None]) -> None:
    """C29."""
    assert profiles.split_permission(permission) == parts


@pytest.mark.parametrize("permission", ["read", ":read", "a:", "::"])
def test_what_has_no_action_cannot_be_split(permission: str) -> None:
    """Category and action are there."""
    with pytest.raises(ValueError, match="category:action"):
        profiles.split_permission(permission)


@pytest.mark.parametrize("kind", sorted(PROFILES))
def test_the_gateway_reads_what_is_asked_for(kind: str) -> None:
    """Two tables, because one asks and the other believes: what the first writes, the second must read."""
    asks, reads = PROFILES[kind], VERIFIED[cast("ProfileName", kind)]
    assert asks.claim_prefixes[0] in reads.claim_prefixes
    assert asks.scope_prefixes[0] in reads.scope_prefixes
    assert set(reads.scope_claims) == set(asks.scope_claims)

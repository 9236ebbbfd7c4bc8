"""Scopes are decoded into permissions, exactly."""

from __future__ import annotations

import pytest

from gateway.etdi.profiles import CLAIM_PREFIXES, PROFILES, ProfileName, granted


@pytest.mark.parametrize(
    ("profile", "scope", "permission"),
    [
        ("custom", "tool:a", "a"),
        ("custom", "tool:filesystem:read:/a:b", "filesystem:read:/a:b"),
        ("custom", "tool.a", None),
        ("custom", "a", None),
        ("custom", "tool:tool:a", "tool:a"),
        ("auth0", "tool:a", "a"),
        ("okta", "tool.a", "a"),
        ("okta", "tool:a", "a"),
        ("azure", "tool:a", "a"),
        ("custom", "xtool:a", None),
        ("custom", "tool:*", "*"),
    ],
)
def test_a_scope_is_a_permission_or_nothing(profile: ProfileName, scope: str, permission: str | None) -> None:
    """By prefix; nothing is renamed, and a wildcard is a permission of that name (C29, C33)."""
    expected = frozenset() if permission is None else frozenset({permission})
    assert granted(PROFILES[profile], (scope,), None) == expected


def test_the_operators_map_goes_first() -> None:
    """And only for what it names."""
    mapping = {"tool:a": "b", "files": "c"}
    assert granted(PROFILES["custom"], ("tool:a", "files", "tool:d"), mapping) == {"b", "c", "d"}


def test_every_profile_reads_known_spellings() -> None:
    """So that a contradiction between any two is seen."""
    for profile in PROFILES.values():
        assert set(profile.claim_prefixes) <= set(CLAIM_PREFIXES)

"""Older permissions in every form that they had, and those that nobody can map."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.authoring.declaration import declare
from gateway.authoring.migration.permissions import is_broad, map_permissions


@pytest.mark.parametrize(
    ("legacy", "permissions"),
    [
        (None, ()),
        ([], ()),
        ({}, ()),
        ({"filesystem": {"read": True}}, ("filesystem:read:/",)),
        ({"filesystem": {"read": True, "write": False}}, ("filesystem:read:/",)),
        ({"network": {"access": True}}, ("network:access:*",)),
        (["filesystem.read", "filesystem.read"], ("filesystem:read:/",)),
        (["filesystem:read:/data"], ("filesystem:read:/data",)),
        ({"filesystem": {"read": ["/a", "/b:c"]}}, ("filesystem:read:/a", "filesystem:read:/b:c")),
        ({"filesystem": {"read": "/a"}}, ("filesystem:read:/a",)),
        (["calendar.write"], ("calendar:write",)),
        ([{"name": "calculator:basic", "scope": "tool:calculator:basic"}], ("calculator:basic",)),
    ],
)
def test_what_is_known_is_mapped(legacy: Any, permissions: tuple[str, ...]) -> None:
    """R164."""
    found = map_permissions(legacy)
    assert (found.permissions, found.unmapped) == (permissions, ())


@pytest.mark.parametrize(
    ("legacy", "unmapped"),
    [
        (["everything"], ("everything",)),
        (["a b.c"], ("a b.c",)),
        ([1], ("1",)),
        (True, ("True",)),
        ({"filesystem": {"read": 1}}, ("filesystem.read = 1",)),
        ({"a": {"b": {"c": "/x"}}}, ("a.b.c = '/x'",)),
        ({"admin": True}, ("admin",)),
    ],
)
def test_what_is_not_known_is_reported(legacy: Any, unmapped: tuple[str, ...]) -> None:
    """And never guessed."""
    found = map_permissions(legacy)
    assert (found.permissions, found.unmapped) == ((), unmapped)


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(json)
def test_whatever_it_is_what_comes_out_can_be_declared(legacy: Any) -> None:
    """Nothing raises, and nothing comes out that would be two scopes."""
    declare(map_permissions(legacy).permissions)


@pytest.mark.parametrize(
    "permission", ["network:access:*", "filesystem:read:/", "admin:all", "a:*", "admin", "*"]
)
def test_broad(permission: str) -> None:
    """Somebody should look at these."""
    assert is_broad(permission)


@pytest.mark.parametrize("permission", ["filesystem:read:/data", "administrators:list", "a:b", "a:ball"])
def test_not_broad(permission: str) -> None:
    """Whole words only (C46)."""
    assert not is_broad(permission)

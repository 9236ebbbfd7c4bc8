"""What the manifest would say of a server's tools, and what somebody should look at."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.authoring.migration.plan import as_mcp, plan
from gateway.catalog.tool import ETDI_META_KEY

SCHEMA: dict[str, Any] = {"type": "object"}


def test_an_older_definition_is_ready() -> None:
    """Its id, version and permissions stay; what it does not say is filled in."""
    full = {
        "id": "r",
        "name": "read",
        "version": "2.3.4",
        "schema": SCHEMA,
        "permissions": ["filesystem:read:/data"],
    }
    bare = {"name": "say", "inputSchema": SCHEMA, "_meta": {"permissions": ["echo.say"]}}
    made = plan([full, bare])
    assert [(row.name, row.id, row.version, row.permissions, row.status) for row in made.rows] == [
        ("read", "r", "2.3.4", ("filesystem:read:/data",), "ready"),
        ("say", "say", "1.0.0", ("echo:say",), "ready"),
    ]
    assert set(made.tools) == {"read", "say"}


@pytest.mark.parametrize(
    ("members", "note"),
    [
        ({}, "says nothing of permissions: name them"),
        ({"permissions": ["filesystem.read"]}, "broad: filesystem:read:/"),
        ({"permissions": ["a:b", "everything"]}, "unmapped: everything"),
    ],
)
def test_what_somebody_should_look_at(members: dict[str, Any], note: str) -> None:
    """It is in the manifest, and the report says why to look."""
    made = plan([{"name": "x", "inputSchema": SCHEMA, **members}])
    assert made.rows[0].status == "look"
    assert note in made.rows[0].notes
    assert "x" in made.tools


@pytest.mark.parametrize(
    ("members", "status"),
    [
        ({"_meta": {ETDI_META_KEY: {"version": "1.0.0"}}}, "skipped"),
        ({"inputSchema": None}, "unusable"),
        ({"name": ""}, "unusable"),
        ({"version": "one"}, "unusable"),
        ({"id": "a\u200bb"}, "unusable"),
        ({"inputSchema": {"maximum": 2**60}}, "unusable"),
    ],
)
def test_what_is_left_out(members: dict[str, Any], status: str) -> None:
    """With its reason."""
    made = plan([{"name": "x", "inputSchema": SCHEMA, **members}])
    assert made.rows[0].status == status
    assert made.rows[0].notes
    assert made.tools == {}


def test_two_tools_with_one_id() -> None:
    """The second is not taken for the first."""
    made = plan([{"name": name, "id": "x", "inputSchema": SCHEMA} for name in ("a", "b")])
    assert set(made.tools) == {"a"}
    assert made.rows[1].status == "unusable"


def test_only_members_of_the_protocol_are_kept() -> None:
    """As a listing would show it."""
    assert as_mcp({"name": "x", "schema": SCHEMA, "security": {}, "id": "y"}) == {
        "name": "x",
        "inputSchema": SCHEMA,
    }

"""A changed tool has another version, by the kind of the change and by nobody's choice."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.authoring.declaration import with_block
from gateway.authoring.versions import (
    Change,
    Shape,
    change_between,
    next_version,
    parse_version,
    shape_of,
)
from gateway.catalog.definition import read_definition

TOOL: dict[str, Any] = {
    "name": "read",
    "description": "Reads.",
    "inputSchema": {
        "type": "object",
        "properties": {"path": {"type": "string"}, "n": {"type": "integer", "default": 1}},
        "required": ["path"],
    },
    "annotations": {"readOnlyHint": True},
}
PERMISSIONS = ("a:b", "c:d")


def shape(tool: dict[str, Any] = TOOL, permissions: tuple[str, ...] = PERMISSIONS, **changed: Any) -> Shape:
    """Of the tool with these members; None removes one."""
    made = {key: value for key, value in {**tool, **changed}.items() if value is not None}
    return shape_of(read_definition(made), permissions)


@pytest.mark.parametrize(
    ("now", "change"),
    [
        (shape(), Change.NONE),
        (shape(permissions=("c:d", "a:b", "a:b")), Change.NONE),
        (shape(dict(reversed(TOOL.items()))), Change.NONE),
        (shape(icons=[{"src": "x"}], execution={"taskSupport": "optional"}), Change.NONE),
        (shape(inputSchema={**TOOL["inputSchema"], "required": ["path"]}), Change.NONE),
        (shape(permissions=("a:b",)), Change.MAJOR),
        (shape(permissions=("a:b", "a:b")), Change.MAJOR),
        (shape(permissions=("a:b", "c:d", "e:f")), Change.MAJOR),
        (shape(permissions=("a:b", "e:f")), Change.MAJOR),
        (shape(permissions=("e:f",), inputSchema={"type": "object"}), Change.MAJOR),
        (shape(inputSchema={"type": "object"}), Change.MINOR),
        (shape(outputSchema={"type": "object"}, description="New."), Change.MINOR),
        (shape(description="Reads, and tells a friend."), Change.PATCH),
        (shape(title="Read"), Change.PATCH),
        (shape(annotations={"readOnlyHint": False}), Change.PATCH),
        (shape(_meta={"example.com/x": 1}), Change.PATCH),
    ],
)
def test_the_kind_of_a_change(now: Shape, change: Change) -> None:
    """R103 and C26: sets are compared as sets, schemas as RFC 8785; a repeated name hides no removal."""
    assert change_between(shape(), now) is change


def test_the_block_itself_is_no_change() -> None:
    """Else the new version would make the next one."""
    assert shape(with_block(TOOL, {"version": "1.0.0", "oauth": {"token": "x"}})) == shape()
    assert shape(with_block(TOOL, {"version": "2.0.0", "signature": "y"})) == shape()


@pytest.mark.parametrize(
    ("change", "version"),
    [(Change.MAJOR, "2.0.0"), (Change.MINOR, "1.3.0"), (Change.PATCH, "1.2.4"), (Change.NONE, "1.2.3")],
)
def test_the_next_version(change: Change, version: str) -> None:
    """Of 1.2.3."""
    assert next_version("1.2.3", change) == version


@given(st.tuples(*[st.integers(0, 999_998)] * 3), st.sampled_from([Change.MAJOR, Change.MINOR, Change.PATCH]))
def test_versions_only_rise(numbers: tuple[int, int, int], change: Change) -> None:
    """Whatever changed."""
    version = ".".join(map(str, numbers))
    assert parse_version(next_version(version, change)) > numbers


@pytest.mark.parametrize(
    "version", ["", "1", "1.0", "01.0.0", "1.0.0-beta", "v1.0.0", "1.0.0\n", "1.0.1000000", "-1.0.0"]
)
def test_what_is_no_version(version: str) -> None:
    """MAJOR.MINOR.PATCH, bounded."""
    with pytest.raises(ValueError, match="not MAJOR"):
        parse_version(version)


def test_the_last_version_cannot_be_raised() -> None:
    """Not to 1.0.0 again."""
    with pytest.raises(ValueError, match="cannot be raised"):
        next_version("999999.0.0", Change.MAJOR)

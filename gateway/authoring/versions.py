"""Which version a changed tool has: by the kind of the change, and by nobody's choice (R103, C26). Pure.

::

    permissions differ, as sets       major
    a schema differs, as RFC 8785     minor
    anything else that is shown       patch

Attack: a developer, or whoever took over the repository, keeps the version while the tool learns something new. So
versions are counted from what the tool is, against the record of what it was.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

import msgspec

from gateway.canonical import canonical_hash
from gateway.catalog.definition import Definition
from gateway.catalog.tool import ETDI_META_KEY

FIRST_VERSION: Final = "1.0.0"
MAX_PART: Final = 999_999
_VERSION: Final = re.compile(r"(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})")
_SCHEMAS: Final = ("inputSchema", "outputSchema")
_ERA: Final = frozenset({"icons", "execution"})
"""Members that one protocol version shows and another does not; they are in the hash, and make no version."""


class Change(StrEnum):
    """The kind of a change. The values are what is raised."""

    NONE = "none"
    PATCH = "patch"
    MINOR = "minor"
    MAJOR = "major"


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """What of a tool decides its version. ``schemas`` and ``rest`` are hashes."""

    permissions: tuple[str, ...]
    schemas: str
    rest: str


def parse_version(version: str) -> tuple[int, int, int]:
    """:raises ValueError: not MAJOR.MINOR.PATCH."""
    match = _VERSION.fullmatch(version)
    if match is None:
        raise ValueError(f"{version[:40]!r} is not MAJOR.MINOR.PATCH")
    return int(match[1]), int(match[2]), int(match[3])


def shape_of(definition: Definition, permissions: tuple[str, ...]) -> Shape:
    """The shape of a definition as it is listed. Its ETDI block, which says the version, is no part of it."""
    wire = definition.wire
    meta = {key: value for key, value in (wire.get("_meta") or {}).items() if key != ETDI_META_KEY}
    rest = {key: value for key, value in wire.items() if key not in (*_SCHEMAS, *_ERA, "_meta")}
    return Shape(
        permissions=tuple(sorted(set(permissions))),
        schemas=canonical_hash({name: wire[name] for name in _SCHEMAS if name in wire}),
        rest=canonical_hash({**rest, "_meta": meta}),
    )


def change_between(before: Shape, now: Shape) -> Change:
    """The strongest kind of change."""
    if set(before.permissions) != set(now.permissions):
        return Change.MAJOR
    if before.schemas != now.schemas:
        return Change.MINOR
    return Change.NONE if before.rest == now.rest else Change.PATCH


def next_version(version: str, change: Change) -> str:
    """:raises ValueError: no version, or one that cannot be raised any more."""
    major, minor, patch = parse_version(version)
    if MAX_PART in (major, minor, patch):
        raise ValueError(f"{version} cannot be raised")
    match change:
        case Change.MAJOR:
            return f"{major + 1}.0.0"
        case Change.MINOR:
            return f"{major}.{minor + 1}.0"
        case Change.PATCH:
            return f"{major}.{minor}.{patch + 1}"
        case Change.NONE:
            return version

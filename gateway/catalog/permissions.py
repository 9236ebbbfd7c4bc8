"""The permissions of a definition with all that it says of them, and how two lists differ (R064, R086). Pure.

A permission is a plain text, or an object with ``name``, ``description``, ``implications`` and ``scope``. The document
of a difference is that of the ETDI design (LLD-B 13.2): ``{"added": [...], "removed": [...], "changed": [{"name",
"before", "after"}]}``, ``before`` and ``after`` holding only the members that differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from gateway.catalog.definition import Definition
from gateway.catalog.tool import ETDI_META_KEY


class ChangedPermission(msgspec.Struct, frozen=True, kw_only=True):
    """One that has its name still, and says something else."""

    name: str
    before: dict[str, Any]
    after: dict[str, Any]


class PermissionDiff(msgspec.Struct, frozen=True, kw_only=True):
    """Empty in all three: nothing changed."""

    added: tuple[dict[str, Any], ...] = ()
    removed: tuple[dict[str, Any], ...] = ()
    changed: tuple[ChangedPermission, ...] = ()


def permissions_of(definition: Definition) -> dict[str, dict[str, Any]]:
    """By name. What the definition names (``Definition.permissions``) is complete; its objects add what they say."""
    found: dict[str, dict[str, Any]] = {}
    for one in _listed(definition.wire):
        name = one.get("name") if isinstance(one, dict) else None
        if isinstance(name, str):
            found[name] = one
    for name in definition.permissions:
        if name not in found and not any(one.get("scope") == name for one in found.values()):
            found[name] = {"name": name}
    return found


def permission_diff(before: Definition, after: Definition) -> PermissionDiff:
    """What ``after`` asks for that ``before`` did not, and the other way round; in the order of their names."""
    was, is_ = permissions_of(before), permissions_of(after)
    changed = []
    for name in sorted(was.keys() & is_.keys()):
        members = sorted(was[name].keys() | is_[name].keys())
        differing = [one for one in members if was[name].get(one) != is_[name].get(one)]
        if differing:
            changed.append(
                ChangedPermission(
                    name=name,
                    before={one: was[name][one] for one in differing if one in was[name]},
                    after={one: is_[name][one] for one in differing if one in is_[name]},
                )
            )
    return PermissionDiff(
        added=tuple(is_[name] for name in sorted(is_.keys() - was.keys())),
        removed=tuple(was[name] for name in sorted(was.keys() - is_.keys())),
        changed=tuple(changed),
    )


def _listed(wire: Mapping[str, Any]) -> list[Any]:
    """The lists in all places where a block may stand; which of them hold is the reader's business (C16)."""
    found: list[Any] = []
    for block in blocks_of(wire):
        listed = block.get("permissions")
        if isinstance(listed, list):
            found += listed
    return found


def blocks_of(wire: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The objects of a definition that may carry ETDI members: its own, ``security``, and those in ``_meta``."""
    meta = wire.get("_meta")
    outer = [wire, meta.get(ETDI_META_KEY) if isinstance(meta, dict) else None]
    inner = [one.get("security") for one in outer if isinstance(one, dict)]
    return [one for one in (*outer, *inner) if isinstance(one, dict)]

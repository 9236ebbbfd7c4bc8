"""Definitions without ETDI -> what the manifest would say of them, and what somebody should look at. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from gateway.authoring.declaration import has_block
from gateway.authoring.errors import ConfigInvalid
from gateway.authoring.migration.manifest import ToolPart
from gateway.authoring.migration.permissions import is_broad, map_permissions
from gateway.authoring.versions import FIRST_VERSION
from gateway.catalog.definition import read_definition


class Row(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One tool of the report. ``status``: ``ready``, ``look``, ``skipped`` or ``unusable``; ``notes`` say why."""

    name: str
    id: str
    version: str
    permissions: tuple[str, ...]
    status: str
    notes: tuple[str, ...] = ()


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """``tools`` are for the manifest, ``rows`` for people."""

    tools: dict[str, ToolPart]
    rows: tuple[Row, ...]


def plan(definitions: Sequence[Mapping[str, Any]]) -> Plan:
    """Every definition has a row. Those that have a block already, and those that are none, are not in the manifest."""
    tools: dict[str, ToolPart] = {}
    ids: set[str] = set()
    rows = []
    for definition in definitions:
        row, part = _one(definition, ids)
        rows.append(row)
        if part is not None:
            tools[row.name] = part
            ids.add(part.id)
    return Plan(tools=tools, rows=tuple(rows))


def as_mcp(definition: Mapping[str, Any]) -> dict[str, Any]:
    """An older definition (``schema``, ``id``, ``version``, ``permissions``) as ``tools/list`` would show it."""
    names = ("name", "title", "description", "inputSchema", "outputSchema", "annotations", "icons", "_meta")
    kept = {name: definition[name] for name in names if definition.get(name) is not None}
    if "inputSchema" not in kept and definition.get("schema") is not None:
        kept["inputSchema"] = definition["schema"]
    return kept


def _one(definition: Mapping[str, Any], ids: set[str]) -> tuple[Row, ToolPart | None]:
    name = str(definition.get("name"))
    if has_block(definition):
        return _row(name, "skipped", "has an ETDI block already"), None
    try:
        read_definition(as_mcp(definition))
    except ValueError as problem:
        return _row(name, "unusable", str(problem)), None
    mapped = map_permissions(_legacy_permissions(definition))
    part = ToolPart(
        id=str(definition.get("id") or name),
        permissions=mapped.permissions,
        first_version=str(definition.get("version") or FIRST_VERSION),
    )
    if part.id in ids:
        return _row(name, "unusable", f"another tool has the id {part.id!r}"), None
    try:
        part.declaration()
    except ConfigInvalid as problem:
        return _row(name, "unusable", problem.message), None
    notes = [f"unmapped: {one}" for one in mapped.unmapped]
    notes += [f"broad: {one}" for one in mapped.permissions if is_broad(one)]
    if not mapped.permissions:
        notes.append("says nothing of permissions: name them")
    status = "look" if notes else "ready"
    row = Row(
        name=name,
        id=part.id,
        version=part.first_version,
        permissions=part.permissions,
        status=status,
        notes=tuple(notes),
    )
    return row, part


def _legacy_permissions(definition: Mapping[str, Any]) -> Any:
    if definition.get("permissions") is not None:
        return definition["permissions"]
    meta = definition.get("_meta")
    return meta.get("permissions") if isinstance(meta, Mapping) else None


def _row(name: str, status: str, note: str) -> Row:
    return Row(name=name, id="", version="", permissions=(), status=status, notes=(note,))

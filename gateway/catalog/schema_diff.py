"""How two JSON Schemas differ, in the words of somebody who calls the tool. Pure.

Properties are named by where the argument stands (``amount.value``, ``items[].name``). What is said of a property
besides its type (pattern, bounds, enum, description ...) is a *changed* one with the keyword behind its name
(``amount.value (pattern)``). Keywords that place schemas elsewhere (``$defs``, ``anyOf`` ...) are compared as they are:
what they mean for an argument is not worked out here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import msgspec

Kinds = Literal["added", "removed", "changed", "newly required", "no longer required", "type changed"]
MAX_DEPTH = 64
"""Deeper than any definition that can be read."""


class SchemaChange(msgspec.Struct, frozen=True, kw_only=True):
    """One difference; ``path`` is the argument, and in parentheses the keyword."""

    kind: Kinds
    path: str
    before: Any = None
    after: Any = None


def schema_changes(before: Any, after: Any, path: str = "", depth: int = 0) -> Iterator[SchemaChange]:
    """Every difference, an argument at a time."""
    if _same(before, after):
        return
    if (
        before is None
        or after is None
        or not (isinstance(before, dict) and isinstance(after, dict))
        or depth > MAX_DEPTH
    ):
        kind: Kinds = "added" if before is None else "removed" if after is None else "changed"
        yield SchemaChange(kind=kind, path=path or "(schema)", before=before, after=after)
        return
    for keyword in sorted(before.keys() | after.keys()):
        was, now = before.get(keyword), after.get(keyword)
        if keyword in before and keyword in after and _same(was, now):
            continue
        if keyword == "properties" and _objects(was, now):
            yield from _properties(was or {}, now or {}, after.get("required"), path, depth)
        elif keyword == "required" and _texts(was) and _texts(now):
            yield from _required(was or [], now or [], before, after, path)
        elif keyword == "items" and isinstance(was, dict) and isinstance(now, dict):
            yield from schema_changes(was, now, f"{path}[]", depth + 1)
        elif keyword == "type":
            yield SchemaChange(kind="type changed", path=path or "(schema)", before=was, after=now)
        else:
            # A keyword that comes or goes changes the argument; only arguments are added and removed.
            yield SchemaChange(kind="changed", path=f"{path} ({keyword})".strip(), before=was, after=now)


def _properties(
    was: dict[str, Any], now: dict[str, Any], required: Any, path: str, depth: int
) -> Iterator[SchemaChange]:
    if not was and not now:
        yield SchemaChange(kind="changed", path=f"{path} (properties)".strip(), before=None, after=None)
    for name in sorted(was.keys() | now.keys()):
        where = f"{path}.{name}" if path else name
        if name not in was:
            yield SchemaChange(kind="added", path=where, after=now[name])
            if isinstance(required, list) and name in required:
                yield SchemaChange(kind="newly required", path=where)
        elif name not in now:
            yield SchemaChange(kind="removed", path=where, before=was[name])
        else:
            yield from schema_changes(was[name], now[name], where, depth + 1)


def _required(
    was: list[str], now: list[str], before: dict[str, Any], after: dict[str, Any], path: str
) -> Iterator[SchemaChange]:
    old, new = before.get("properties"), after.get("properties")
    told: set[str] = set()
    for name in sorted(set(now) - set(was)):
        appeared = isinstance(new, dict) and name in new and not (isinstance(old, dict) and name in old)
        if appeared and _objects(old, new):
            told.add(name)  # said with the argument itself
            continue
        yield SchemaChange(kind="newly required", path=f"{path}.{name}" if path else name)
    for name in sorted(set(was) - set(now)):
        yield SchemaChange(kind="no longer required", path=f"{path}.{name}" if path else name)
    if set(was) == set(now):  # only the order, or a name twice
        yield SchemaChange(kind="changed", path=f"{path} (required)".strip(), before=was, after=now)


def _objects(was: Any, now: Any) -> bool:
    return isinstance(was, dict | None) and isinstance(now, dict | None)


def _texts(value: Any) -> bool:
    return value is None or (isinstance(value, list) and all(isinstance(one, str) for one in value))


def _same(before: Any, after: Any) -> bool:
    return msgspec.json.encode(before, order="sorted") == msgspec.json.encode(after, order="sorted")

"""Permissions as older definitions say them -> ETDI permissions. Pure.

Read are lists of texts (``filesystem.read``, ``filesystem:read:/data``), lists of objects with a ``name``, and objects
in objects (``{"filesystem": {"read": true}}``). What cannot be mapped is reported and never guessed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from gateway.authoring.profiles import check_permission, split_permission

LEGACY: Final[Mapping[str, str]] = {
    "filesystem.read": "filesystem:read:/",
    "filesystem.write": "filesystem:write:/",
    "network.access": "network:access:*",
}
"""The source's examples, and their like."""
_BROAD_PARTS: Final = frozenset({"*", "all", "admin", "system"})
MAX_DEPTH: Final = 8


class Mapped(msgspec.Struct, frozen=True, kw_only=True):
    """``permissions`` are sorted; ``unmapped`` are as they were, shortened."""

    permissions: tuple[str, ...]
    unmapped: tuple[str, ...]


def map_permissions(legacy: Any) -> Mapped:
    """What a definition says of its permissions, or None -> what a declaration would say."""
    mapped: set[str] = set()
    unmapped: list[str] = []
    for said in _said(legacy, (), 0):
        permission = _one(said) if isinstance(said, str) else None
        if permission is None:
            unmapped.append(str(said)[:80])
        else:
            mapped.add(permission)
    return Mapped(permissions=tuple(sorted(mapped)), unmapped=tuple(dict.fromkeys(unmapped)))


def is_broad(permission: str) -> bool:
    """Whether it allows more than any one tool should need: everything of a kind, or the whole file system."""
    try:
        _, action, path = split_permission(permission)
    except ValueError:
        return permission in _BROAD_PARTS
    return bool(_BROAD_PARTS & set(permission.split(":"))) or action == "*" or path in ("/", "/*", "*")


def _one(said: str) -> str | None:
    permission = LEGACY.get(said)
    if permission is None:
        permission = said if ":" in said else said.replace(".", ":", 1)
    try:
        split_permission(check_permission(permission))
    except ValueError:
        return None
    return permission


def _said(legacy: Any, path: tuple[str, ...], depth: int) -> Iterator[Any]:
    """Each permission that is claimed. ``false`` and null claim nothing; a list below a name is of paths."""
    if legacy is None or legacy is False:
        return
    if depth > MAX_DEPTH:
        yield "(nested too deep)"
    elif isinstance(legacy, Mapping):
        if isinstance(legacy.get("name"), str) and not path:
            yield legacy["name"]
            return
        for name, value in legacy.items():
            yield from _said(value, (*path, str(name)), depth + 1)
    elif isinstance(legacy, list):
        for one in legacy:
            yield from _said(one, path, depth + 1)
    else:
        yield _leaf(legacy, path)


def _leaf(value: Any, path: tuple[str, ...]) -> str:
    if not path:
        return value if isinstance(value, str) else repr(value)
    if value is True:
        return ".".join(path)
    if isinstance(value, str) and len(path) == 2:
        return f"{path[0]}:{path[1]}:{value}"
    return f"{'.'.join(path)} = {value!r}"  # with a space, so no permission

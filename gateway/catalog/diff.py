"""What changed between the approved definition and the live one, by what it means. Pure.

Complete: whatever the definition hash covers and differs is a change of this list, under its JSON path where it has no
better name (a property test holds the two against each other). Only OAuth tokens and signatures are no changes. Order
is gravity, so that the first lines are the ones to read. Bounded: a server that changes everything is told as such.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from itertools import islice
from typing import Any

import msgspec

from gateway.catalog.definition import Definition
from gateway.catalog.kept import without_token
from gateway.catalog.permissions import PermissionDiff, blocks_of, permission_diff
from gateway.catalog.schema_diff import Kinds, schema_changes

MAX_CHANGES = 200
"""More than a person reads; what is beyond is counted as *more*."""
_UNHASHED = frozenset({"signature", "signatureAlgorithm"})


class Subject(StrEnum):
    """What a change is about, gravest first."""

    PROVIDER = "provider"
    VERSION = "version"
    PERMISSION = "permission"
    ARGUMENT = "argument"
    ANNOTATION = "annotation"
    DESCRIPTION = "description"
    TITLE = "title"
    OUTPUT = "output"
    OTHER = "other"


class Kind(StrEnum):
    """How."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    NEWLY_REQUIRED = "newly required"
    NO_LONGER_REQUIRED = "no longer required"
    TYPE_CHANGED = "type changed"


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One difference. ``path`` names the place: a permission, an argument (``amount.value``), a JSON pointer."""

    subject: Subject
    kind: Kind
    path: str
    before: Any = None
    after: Any = None


class DefinitionDiff(msgspec.Struct, frozen=True, kw_only=True):
    """``more`` says that there are changes beyond the bound. No change and not ``more``: the two are one."""

    permissions: PermissionDiff
    changes: tuple[Change, ...]
    more: bool = False


def diff(before: Definition, after: Definition) -> DefinitionDiff:
    """From the approved one to the live one."""
    permissions = permission_diff(before, after)
    found = list(islice(_changes(before, after, permissions), MAX_CHANGES + 1))
    order = {subject: rank for rank, subject in enumerate(Subject)}
    if not found and before.definition_hash != after.definition_hash:
        # Nothing above has a name for it; that it differs is said all the same.
        found = [
            Change(
                subject=Subject.OTHER,
                kind=Kind.CHANGED,
                path="(definition hash)",
                before=before.definition_hash,
                after=after.definition_hash,
            )
        ]
    kept = sorted(found[:MAX_CHANGES], key=lambda one: order[one.subject])
    return DefinitionDiff(permissions=permissions, changes=tuple(kept), more=len(found) > MAX_CHANGES)


def _changes(before: Definition, after: Definition, permissions: PermissionDiff) -> Iterator[Change]:
    for subject, was, now in (
        (Subject.PROVIDER, before.provider, after.provider),
        (Subject.VERSION, before.version, after.version),
    ):
        if was != now:
            yield Change(subject=subject, kind=_kind(was, now), path="", before=was, after=now)
    yield from _permissions(permissions)
    old, new = without_token(before.wire), without_token(after.wire)
    yield from _schema(Subject.ARGUMENT, old.get("inputSchema"), new.get("inputSchema"))
    yield from _members(Subject.ANNOTATION, old.get("annotations"), new.get("annotations"))
    for subject, member in ((Subject.DESCRIPTION, "description"), (Subject.TITLE, "title")):
        if _differ(old.get(member), new.get(member)):
            yield Change(
                subject=subject,
                kind=_kind(old.get(member), new.get(member)),
                path="",
                before=old.get(member),
                after=new.get(member),
            )
    yield from _schema(Subject.OUTPUT, old.get("outputSchema"), new.get("outputSchema"))
    told = {"permissions"} if permissions != PermissionDiff() else set()
    told |= {"version"} if before.version != after.version else set()
    yield from _pointers(_untold(old, told), _untold(new, told), "")


def _permissions(permissions: PermissionDiff) -> Iterator[Change]:
    for one in permissions.added:
        yield Change(subject=Subject.PERMISSION, kind=Kind.ADDED, path=str(one.get("name")), after=one)
    for one in permissions.removed:
        yield Change(subject=Subject.PERMISSION, kind=Kind.REMOVED, path=str(one.get("name")), before=one)
    for other in permissions.changed:
        yield Change(
            subject=Subject.PERMISSION,
            kind=Kind.CHANGED,
            path=other.name,
            before=other.before,
            after=other.after,
        )


def _schema(subject: Subject, before: Any, after: Any) -> Iterator[Change]:
    for one in schema_changes(before, after):
        yield Change(
            subject=subject, kind=_KINDS[one.kind], path=one.path, before=one.before, after=one.after
        )


_KINDS: Mapping[Kinds, Kind] = {
    "added": Kind.ADDED,
    "removed": Kind.REMOVED,
    "changed": Kind.CHANGED,
    "newly required": Kind.NEWLY_REQUIRED,
    "no longer required": Kind.NO_LONGER_REQUIRED,
    "type changed": Kind.TYPE_CHANGED,
}


def _members(subject: Subject, before: Any, after: Any) -> Iterator[Change]:
    if not _differ(before, after):
        return
    if not isinstance(before, dict | None) or not isinstance(after, dict | None):
        yield Change(subject=subject, kind=_kind(before, after), path="", before=before, after=after)
        return
    was, now = before or {}, after or {}
    names = sorted(
        name
        for name in was.keys() | now.keys()
        if name not in was or name not in now or _differ(was[name], now[name])
    )
    if not names:  # an empty object instead of none
        yield Change(subject=subject, kind=_kind(before, after), path="", before=before, after=after)
    for name in names:
        yield Change(
            subject=subject,
            kind=Kind.ADDED if name not in was else Kind.REMOVED if name not in now else Kind.CHANGED,
            path=name,
            before=was.get(name),
            after=now.get(name),
        )


_NAMED = frozenset({"inputSchema", "outputSchema", "annotations", "description", "title"})


def _untold(wire: Mapping[str, Any], told: set[str]) -> dict[str, Any]:
    """What has no name of its own above; of the ETDI members those whose difference was not told yet."""
    blocks = {id(block) for block in blocks_of(wire)}
    dropped = _UNHASHED | told

    def less(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        own = dropped if id(value) in blocks else frozenset()
        return {key: less(one) for key, one in value.items() if key not in own}

    return {key: less(one) for key, one in wire.items() if key not in dropped | _NAMED}


def _pointers(before: Any, after: Any, path: str) -> Iterator[Change]:
    if not _differ(before, after):
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted(before.keys() | after.keys()):
            where = f"{path}/{key.replace('~', '~0').replace('/', '~1')}"
            if key not in before:
                yield Change(subject=Subject.OTHER, kind=Kind.ADDED, path=where, after=after[key])
            elif key not in after:
                yield Change(subject=Subject.OTHER, kind=Kind.REMOVED, path=where, before=before[key])
            else:
                yield from _pointers(before[key], after[key], where)
        return
    yield Change(subject=Subject.OTHER, kind=Kind.CHANGED, path=path, before=before, after=after)


def _kind(before: Any, after: Any) -> Kind:
    if before is None:
        return Kind.ADDED
    return Kind.REMOVED if after is None else Kind.CHANGED


def _differ(before: Any, after: Any) -> bool:
    """As the hash sees it: ``True`` is not ``1``."""
    return msgspec.json.encode(before, order="sorted") != msgspec.json.encode(after, order="sorted")

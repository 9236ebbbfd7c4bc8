"""Two policy folders, compared as texts: which rules and reasons came, went or changed, which data says something else.
Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from gateway.workbench.pack import Pack

Kind = Literal["added", "removed", "changed"]


class Changed(msgspec.Struct, frozen=True, kw_only=True):
    """One difference. ``before`` and ``after`` are JSON texts of data, or empty for rules."""

    kind: Kind
    what: Literal["data", "reason", "rule"]
    where: str
    before: str = ""
    after: str = ""


def difference(before: Pack, after: Pack) -> list[Changed]:
    """All of them: data by place, reasons by code, modules by path."""
    return [*_data(before, after), *_reasons(before, after), *_modules(before, after)]


def _data(before: Pack, after: Pack) -> Iterator[Changed]:
    rooms = {*before.data, *after.data} - {"reasons"}
    for room in sorted(rooms):
        yield from _places(f"{room}/data.yaml ", "", before.data.get(room), after.data.get(room))


def _places(file: str, place: str, before: Any, after: Any) -> Iterator[Changed]:
    if isinstance(before, dict) and isinstance(after, dict):
        for key in [*before, *(key for key in after if key not in before)]:
            yield from _places(file, f"{place}/{key}", before.get(key, _ABSENT), after.get(key, _ABSENT))
        return
    if before == after:
        return
    gone, new = before is _ABSENT or before is None, after is _ABSENT or after is None
    kind: Kind = "added" if gone else "removed" if new else "changed"
    yield Changed(kind=kind, what="data", where=file + place, before=_said(before), after=_said(after))


class _Absent:
    """Stands for a key that is not there; null is a value."""


_ABSENT = _Absent()


def _said(value: Any) -> str:
    return "" if value is _ABSENT else msgspec.json.encode(value).decode()


def _reasons(before: Pack, after: Pack) -> Iterator[Changed]:
    for code in sorted({*before.reasons, *after.reasons}):
        was, is_now = before.reasons.get(code), after.reasons.get(code)
        if was != is_now:
            kind: Kind = "added" if was is None else "removed" if is_now is None else "changed"
            yield Changed(
                kind=kind,
                what="reason",
                where=code,
                before="" if was is None else msgspec.json.encode(was).decode(),
                after="" if is_now is None else msgspec.json.encode(is_now).decode(),
            )


def _modules(before: Pack, after: Pack) -> Iterator[Changed]:
    for path in sorted({*before.source.modules, *after.source.modules}):
        was, is_now = before.source.modules.get(path), after.source.modules.get(path)
        if was is None or is_now is None:
            yield Changed(kind="added" if was is None else "removed", what="rule", where=path)
        elif was != is_now:
            titles = _titles(before, path) ^ _titles(after, path)
            named = f" ({', '.join(sorted(titles))})" if titles else ""
            yield Changed(kind="changed", what="rule", where=path + named)


def _titles(pack: Pack, module: str) -> set[str]:
    return {rule.title for rule in pack.rules if rule.module == module}

"""The policy's own reference, made of what the policy says: its reasons with their rules, and its rooms. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.policy.decision import Outcome
from gateway.workbench.annotations import Rule
from gateway.workbench.pack import Pack

_ORDER = [outcome.value for outcome in Outcome]


def reference(pack: Pack) -> str:
    """Markdown: every reason, strictest first within its room, and every annotated rule."""
    return "\n".join([*_head(pack), *_reasons(pack), *_rooms(pack)]).rstrip() + "\n"


def _head(pack: Pack) -> Iterator[str]:
    yield "# What the policy says"
    yield ""
    yield f"Made by `countersign policy docs` from the policy `{pack.source.revision[:12]}`; not written by hand."
    yield ""


def _reasons(pack: Pack) -> Iterator[str]:
    yield "## Reasons"
    rooms: dict[str, list[str]] = {}
    for code in pack.reasons:
        rooms.setdefault(code.split(".")[0], []).append(code)
    for room in sorted(rooms):
        yield ""
        yield f"### {room}"
        yield ""
        yield "| code | outcome | what it says | what helps | rule |"
        yield "|---|---|---|---|---|"
        for code in sorted(rooms[room], key=lambda one: (_rank(pack.reasons[one].outcome), one)):
            reason = pack.reasons[code]
            rule = next((one.rule for one in pack.said.get(code, ()) if one.rule is not None), None)
            cells = (
                f"`{code}`",
                reason.outcome,
                reason.message,
                reason.remedy,
                "" if rule is None else rule.title,
            )
            yield "| " + " | ".join(_cell(cell) for cell in cells) + " |"
    yield ""


def _rooms(pack: Pack) -> Iterator[str]:
    yield "## Rooms"
    packages: dict[str, list[Rule]] = {}
    for rule in pack.rules:
        packages.setdefault(rule.package, []).append(rule)
    for package in sorted(packages):
        yield ""
        yield f"### `{package}`"
        for rule in packages[package]:
            yield ""
            if rule.head:
                yield f"**{rule.title}.** {rule.description} (`{rule.module}`, line {rule.line})"
            else:
                yield rule.description
    yield ""


def _rank(outcome: str) -> int:
    return _ORDER.index(outcome) if outcome in _ORDER else len(_ORDER)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")

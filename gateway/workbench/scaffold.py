"""A new rule as text: the rule with its METADATA, its entry in the catalogue, and a test to be made true.

Files are changed by adding to them; nothing that is there is rewritten, comments and order stay. Pure but for
:func:`write`.
"""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from gateway.policy.engine import PolicyRefused
from gateway.workbench.pack import Pack

ROOMS = ("arguments", "site")
"""Rooms whose rules are a set of ``codes``: what is added there decides without being wired anywhere."""
_CODE = re.compile(r"[a-z][a-z_]*\.[a-z][a-z0-9_]*")


class Edit(msgspec.Struct, frozen=True, kw_only=True):
    """One file, and its text with the addition."""

    path: Path
    text: str
    added: str


def scaffold(
    pack: Pack,
    code: str,
    *,
    outcome: str,
    condition: str,
    title: str,
    description: str,
    message: str,
    remedy: str,
) -> list[Edit]:
    """The three files of a new rule.

    :raises PolicyRefused: the code is no code, exists, or belongs to a room that has no set of codes.
    """
    if not _CODE.fullmatch(code):
        raise PolicyRefused(f"{code!r} is no code: room.what_is_wrong, small letters")
    room, name = code.split(".")
    if room not in ROOMS:
        raise PolicyRefused(f"rules are added to {', '.join(ROOMS)}; {room!r} decides in an order of its own")
    if code in pack.reasons or code in pack.said:
        raise PolicyRefused(f"the code {code} exists")
    if room == "site" and outcome != "deny":
        raise PolicyRefused(
            "a rule of the site says deny, or handshake by its text in site/data.yaml; people are asked for with"
            " `quorums contains 2 if ...` (policies/README.md)"
        )
    folder = Path(pack.folder)
    rule = (
        f"\n# METADATA\n# title: {_plain(title)}\n# description: {_plain(description)}\n"
        f'codes contains "{code}" if {{\n\t{condition.strip()}\n}}\n'
    )
    reason = f"  {code}: {{outcome: {outcome}, message: {_quoted(message)}, remedy: {_quoted(remedy)}}}\n"
    test = (
        f"\ntest_{name} if {{\n"
        f"\t# A call that the rule is about. Change it until the rule says its code, and add one that it lets pass.\n"
        f'\t"{code}" in {room}.codes with input as {{"arguments": {{}}}}\n}}\n'
    )
    if room == "site":
        return _of_the_site(folder, name, rule, reason, test)
    return [
        _added(folder / room / f"{room}.rego", rule, before="\n_"),
        _added(folder / "reasons" / "data.yaml", reason, after=f"  {room}."),
        _added(folder / room / f"{room}_test.rego", test),
    ]


def write(edits: list[Edit]) -> None:
    """Write them. :raises OSError:"""
    for edit in edits:
        edit.path.write_text(edit.text, encoding="utf-8")


def _of_the_site(folder: Path, name: str, rule: str, reason: str, test: str) -> list[Edit]:
    """In files of its own: ``site/site.rego`` comes with the pack, and a newer one replaces it."""
    head, of_tests = "package gateway.site\n", "package gateway.site_test\n\nimport data.gateway.site\n"
    return [
        new_file(folder / "site" / f"{name}.rego", head + rule),
        site_reasons(folder, reason),
        new_file(folder / "site" / f"{name}_test.rego", of_tests + test),
    ]


def new_file(path: Path, text: str) -> Edit:
    """A file that is not there yet. :raises PolicyRefused: it is."""
    if path.exists():
        raise PolicyRefused(f"{path.parent.name}/{path.name} exists; nothing was changed")
    return Edit(path=path, text=text, added=text)


def site_reasons(folder: Path, entries: str) -> Edit:
    """The site's own file with more entries, each indented by two. What ships holds the empty table ``reasons: {}``.

    :raises PolicyRefused: the file cannot be read, or its ``reasons`` are no table in block style at the top.
    """
    path = folder / "site" / "data.yaml"
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as problem:
        raise PolicyRefused(f"site/{path.name}: {problem.strerror}") from None
    opened = re.sub(r"^reasons: \{\}[ \t]*$", "reasons:", text, count=1, flags=re.MULTILINE)
    at = re.search(r"^reasons:[ \t]*\n", opened, flags=re.MULTILINE)
    if at is None:
        raise PolicyRefused("site/data.yaml has no table `reasons:` with one entry a line")
    return Edit(path=path, text=opened[: at.end()] + entries + opened[at.end() :], added=entries)


def _added(path: Path, addition: str, *, before: str | None = None, after: str | None = None) -> Edit:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as problem:
        raise PolicyRefused(f"{path.name}: {problem.strerror}") from None
    at = len(text)
    if before is not None and before in text:
        # Above the first helper: the rules that say something stand together.
        at = text.index(before)
        at = text.rindex("\n}\n", 0, at) + 3 if "\n}\n" in text[:at] else at
    if after is not None:
        at = _end_of_block(text, after)
    return Edit(path=path, text=text[:at] + addition + text[at:], added=addition)


def _end_of_block(text: str, prefix: str) -> int:
    """Behind the last entry that begins with this."""
    at, inside, end = 0, False, len(text)
    for line in text.splitlines(keepends=True):
        if line.startswith(prefix):
            inside = True
        elif inside and not line.startswith("    "):
            inside, end = False, at
        at += len(line)
    return at if inside else end


def _plain(text: str) -> str:
    """One line that YAML reads as it stands."""
    line = " ".join(text.split())
    return _quoted(line) if re.search(r"[:#\"'{}\[\]&*!|>%@`]", line) else line


def _quoted(text: str) -> str:
    return '"' + " ".join(text.split()).replace("\\", "\\\\").replace('"', '\\"') + '"'

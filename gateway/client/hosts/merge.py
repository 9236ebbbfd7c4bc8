"""One entry into a file that belongs to somebody else: every other member stays the bytes it was. Pure."""

from __future__ import annotations

import json
import re
import tomllib
from typing import Any, Final

import msgspec
import tomlkit
from tomlkit.exceptions import TOMLKitError

from gateway.client.errors import HostFileError
from gateway.client.hosts.entries import Entry

MAX_FILE: Final = 16 * 1024 * 1024
"""Bytes of a settings file. Claude Code keeps its history in the same one."""
BOM: Final = "\ufeff"
_MEMBERS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_INDENT: Final = re.compile(r"\{\r?\n([ \t]+)\"")


def merged(before: str, entry: Entry) -> str:
    """The file with the entry in it, in place of one of the same name. Empty text is an empty file.

    :raises HostFileError: it cannot be read, or what would be written is not what was there plus the entry.
    """
    after = _toml(before, entry) if entry.is_toml else _json(before, entry)
    was = _document(before, entry)
    was.setdefault(entry.section, {})[entry.name] = entry.value
    if _document(after, entry) != was:
        raise HostFileError(
            f"{entry.path} cannot be changed without touching something else; nothing was written."
        )
    return after


def entry_in(text: str, entry: Entry) -> Any:
    """What stands under the entry's name in a file that :func:`merged` has taken; None if nothing does."""
    return _document(text, entry).get(entry.section, {}).get(entry.name)


def _document(text: str, entry: Entry) -> dict[str, Any]:
    read = tomllib.loads if entry.is_toml else json.loads
    plain = text.removeprefix(BOM)
    found: dict[str, Any] = read(plain) if plain.strip() else {}
    return found


def _json(before: str, entry: Entry) -> str:
    mark = BOM if before.startswith(BOM) else ""
    text = before.removeprefix(BOM)
    if not text.strip():
        return mark + json.dumps(entry.document, indent=2, ensure_ascii=False) + "\n"
    _check_json(text, entry)
    members = _members(text, entry)
    section = members.get(entry.section)
    if section is not None and not bytes(section).lstrip().startswith(b"{"):
        raise HostFileError(f"{entry.path}: {entry.section} is not a table; nothing was written.")
    found = _INDENT.search(text)
    indent = found[1] if found else "  "
    servers = _members(section, entry) if section is not None else {}
    value = json.dumps(entry.value, indent=indent, ensure_ascii=False).replace("\n", "\n" + indent * 2)
    written = {name: bytes(raw).decode() for name, raw in servers.items()} | {entry.name: value}
    whole = {name: bytes(raw).decode() for name, raw in members.items()}
    whole[entry.section] = _object(written, indent, 2)
    newline = "\r\n" if "\r\n" in text else "\n"
    made = _object(whole, indent, 1) + "\n"
    return mark + made.replace("\r\n", "\n").replace("\n", newline)


def _members(text: str | msgspec.Raw, entry: Entry) -> dict[str, msgspec.Raw]:
    try:
        return _MEMBERS.decode(text)
    except msgspec.DecodeError:  # NaN and the like, which Python's own reader lets through
        raise HostFileError(
            f"{entry.path} is not plain JSON, so it is not changed; paste it yourself."
        ) from None


def _object(members: dict[str, str], indent: str, depth: int) -> str:
    lines = [
        f"{indent * depth}{json.dumps(name, ensure_ascii=False)}: {raw}" for name, raw in members.items()
    ]
    return "{\n" + ",\n".join(lines) + "\n" + indent * (depth - 1) + "}"


def _check_json(text: str, entry: Entry) -> None:
    """Comments, trailing commas, a member twice: a person wrote that, and a program would lose a part of it."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise ValueError("a member twice")
        return found

    try:
        document = json.loads(text, object_pairs_hook=once)
    except (ValueError, RecursionError):
        raise HostFileError(
            f"{entry.path} is not plain JSON (comments, perhaps), so it is not changed; paste the entry yourself."
        ) from None
    if not isinstance(document, dict):
        raise HostFileError(f"{entry.path} is not an object; nothing was written.")


def _toml(before: str, entry: Entry) -> str:
    try:
        tomllib.loads(before)
        document = tomlkit.parse(before)
    except (tomllib.TOMLDecodeError, TOMLKitError):
        raise HostFileError(
            f"{entry.path} is not TOML, so it is not changed; paste the entry yourself."
        ) from None
    servers: Any = document.get(entry.section)
    if servers is None:
        servers = document[entry.section] = tomlkit.table(is_super_table=True)
    if not isinstance(servers, dict):
        raise HostFileError(f"{entry.path}: {entry.section} is not a table; nothing was written.")
    servers[entry.name] = entry.value
    return tomlkit.dumps(document)

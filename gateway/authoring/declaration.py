"""What a tool's author says of a tool, and the ETDI block that comes of it. Values, and pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, Final

import msgspec

from gateway.authoring.errors import ConfigInvalid
from gateway.authoring.profiles import check_permission
from gateway.authoring.signing import Signer
from gateway.authoring.versions import FIRST_VERSION, parse_version
from gateway.catalog.tool import ETDI_META_KEY

MAX_ID_CHARS: Final = 256
MAX_PERMISSIONS: Final = 256
TWIN_SUFFIX: Final = "-secure"
TWIN_TITLE: Final = " (Secure)"


class Mode(StrEnum):
    """How far a server has moved (R161).

    ``passive``: listings stay as they are; what would be added is made and logged. ``dual``: each tool is listed as it
    was, and again as ``<name>-secure`` with a token of its own. ``etdi-only``: the secured definition, and no other.
    """

    PASSIVE = "passive"
    DUAL = "dual"
    ETDI_ONLY = "etdi-only"


class Author(msgspec.Struct, frozen=True, kw_only=True):
    """Who makes the tools: ``provider.id`` and ``provider.name`` of every definition.

    :raises ConfigInvalid: an id or a name that nobody could read.
    """

    id: str
    name: str

    def __post_init__(self) -> None:
        for value in (self.id, self.name):
            _printable(value, "the provider's id and name")


class Declaration(msgspec.Struct, frozen=True, kw_only=True):
    """One tool. ``id`` None: its name. ``first_version`` counts for a tool that the history does not know."""

    permissions: tuple[str, ...] = ()
    id: str | None = None
    first_version: str = FIRST_VERSION


def declare(
    permissions: Iterable[str] = (), *, tool_id: str | None = None, version: str = FIRST_VERSION
) -> Declaration:
    """A checked declaration.

    :raises ConfigInvalid: a permission that is no scope, an id that is not readable, a version that is none.
    """
    given = tuple(sorted(set(permissions)))
    if len(given) > MAX_PERMISSIONS:
        raise ConfigInvalid(f"a tool has {MAX_PERMISSIONS} permissions at most")
    try:
        for permission in given:
            check_permission(permission)
        parse_version(version)
    except ValueError as problem:
        raise ConfigInvalid(str(problem)) from None
    if tool_id is not None:
        _printable(tool_id, "a tool's id")
    return Declaration(permissions=given, id=tool_id, first_version=version)


def block(
    author: Author,
    declaration: Declaration,
    *,
    tool_id: str,
    version: str,
    oauth_provider: str,
    signer: Signer | None,
) -> dict[str, Any]:
    """The block without signature and token. ``oauth.provider`` is there from the start: the definition hash covers it,
    and a tool whose token is missing for a moment must not look like another tool."""
    made: dict[str, Any] = {
        "id": tool_id,
        "version": version,
        "provider": {"id": author.id, "name": author.name},
        "permissions": list(declaration.permissions),
        "oauth": {"provider": oauth_provider},
    }
    if signer is not None:
        made |= {"signatureAlgorithm": signer.algorithm, "keyId": signer.key_id}
    return made


def with_block(wire: Mapping[str, Any], made: Mapping[str, Any]) -> dict[str, Any]:
    """The definition with this block; the original stays as it was."""
    return {**wire, "_meta": {**(wire.get("_meta") or {}), ETDI_META_KEY: dict(made)}}


def has_block(wire: Mapping[str, Any]) -> bool:
    """Whether somebody secured this definition already (R162)."""
    meta = wire.get("_meta")
    return isinstance(meta, Mapping) and meta.get(ETDI_META_KEY) is not None


def twin_of(wire: Mapping[str, Any]) -> dict[str, Any]:
    """The tool under its twin's name and title (R161). The name is the key of the call, so it has no mark (C47)."""
    title = wire.get("title") or wire["name"]
    return {**wire, "name": wire["name"] + TWIN_SUFFIX, "title": title + TWIN_TITLE}


def _printable(value: str, what: str) -> None:
    # Invisible characters make two providers, or two tools, look like one to whoever approves.
    if not 0 < len(value) <= MAX_ID_CHARS or not value.isprintable():
        raise ConfigInvalid(f"{what} is printable text of 1 to {MAX_ID_CHARS} characters")

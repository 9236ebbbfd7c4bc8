"""Every text of a definition, with where it stands. Pure, without recursion, bounded.

Names of members are texts too: a model reads the name of a parameter as it reads its description. Tokens and signatures
are left out where they are opaque; where they are words, they are words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

import msgspec

MAX_TEXTS: Final = 20_000
MAX_CHARS: Final = 512 * 1024
"""Characters of one definition, all texts together; the gateway itself reads half as many bytes."""
MAX_DEPTH: Final = 200
MAX_WHERE: Final = 512
"""Characters of a place, of which the end says what stands there. Attack: a member whose name fills the definition, and
thousands of members below it, each with that name in its own place."""
_OPAQUE: Final = re.compile(r"[A-Za-z0-9._~+/=-]{1,8192}")
_SECRET_MEMBERS: Final = frozenset({"token", "signature"})


class Kind(StrEnum):
    """What a text is there for."""

    NAME = "name"
    TITLE = "title"
    DESCRIPTION = "description"
    MEMBER = "member"
    ENUM = "enum"
    DEFAULT = "default"
    OTHER = "other"


class Text(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """``where`` is an RFC 6901 pointer into the definition, its beginning left out where it is long; of a member, to
    the member."""

    where: str
    kind: Kind
    text: str


class Texts(msgspec.Struct, frozen=True, kw_only=True):
    """``whole`` is False where something was left unread."""

    texts: tuple[Text, ...]
    whole: bool = True


_KINDS: Final = {
    "title": Kind.TITLE,
    "description": Kind.DESCRIPTION,
    "enum": Kind.ENUM,
    "default": Kind.DEFAULT,
    "const": Kind.ENUM,
    "examples": Kind.DEFAULT,
    "example": Kind.DEFAULT,
}


def texts_of(wire: Mapping[str, Any]) -> Texts:
    """In document order, as far as the bounds allow."""
    found: list[Text] = []
    chars = 0
    whole = True
    waiting: list[tuple[str, Kind, Any, int]] = [("", Kind.OTHER, wire, 0)]
    while waiting:
        where, kind, value, depth = waiting.pop()
        if len(found) >= MAX_TEXTS or chars > MAX_CHARS or depth > MAX_DEPTH:
            whole = False
            break
        if isinstance(value, str):
            found.append(Text(where=where, kind=kind, text=value))
            chars += len(value)
        elif isinstance(value, Mapping):
            inner: list[tuple[str, Kind, Any, int]] = []
            for key, one in value.items():
                name = str(key)
                if name in _SECRET_MEMBERS and isinstance(one, str) and _OPAQUE.fullmatch(one):
                    continue
                below = _below(where, name.replace("~", "~0").replace("/", "~1"))
                found.append(Text(where=below, kind=Kind.MEMBER, text=name))
                chars += len(name)
                inner.append((below, _kind(below, name, kind, one), one, depth + 1))
            waiting.extend(reversed(inner))
        elif isinstance(value, list):
            waiting.extend(
                (_below(where, str(index)), kind, value[index], depth + 1)
                for index in range(len(value) - 1, -1, -1)
            )
    return Texts(texts=tuple(found), whole=whole)


def _below(where: str, step: str) -> str:
    place = f"{where}/{step}"
    return place if len(place) <= MAX_WHERE else f"…{place[1 - MAX_WHERE :]}"


def _kind(where: str, name: str, above: Kind, value: Any) -> Kind:
    if where == "/name":
        return Kind.NAME
    if above in (Kind.ENUM, Kind.DEFAULT):
        return above
    # Below `properties` these are names like any others: their value is a schema, no text.
    return _KINDS.get(name, Kind.OTHER) if not isinstance(value, Mapping) or name == "default" else Kind.OTHER

"""The ETDI block of a definition, in every spelling, as one value. Pure.

Three spellings exist (conflicts C15, C16, C24): ``_meta["dev.countersign/etdi"]``, members of the tool itself, and the
same members inside ``security``, of either. Each is read, and what one says another may not contradict. Attack: a
parser differential, by which a person approves what one spelling says and a program acts on what the other says.

Members of the tool itself count only where it speaks of ETDI at all: ``id`` and ``version`` are everybody's words.

What the hash covers and is malformed is an error. What it does not cover (token, signature) and is malformed is there
and worth nothing: it fails its verification, and never makes a tool vanish or reappear.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeVar

import msgspec

from gateway.catalog.tool import ETDI_META_KEY

T = TypeVar("T")

SEMVER: Final = re.compile(
    r"(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)"
    r"(?:-(?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*)(?:\.(?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*))*)?"
    r"(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?",
    re.ASCII,
)
"""Semantic Versioning 2.0.0, its own grammar."""
MAX_VERSION_CHARS: Final = 64
MAX_ID_CHARS: Final = 256
MAX_PERMISSIONS: Final = 256
_MARKS: Final = frozenset({"oauth", "permissions", "provider", "signature"})
"""A tool with one of these speaks of ETDI."""


class Provider(msgspec.Struct, frozen=True, kw_only=True):
    """Who made the tool. ``name`` is for people."""

    id: str
    name: str | None = None


class Permission(msgspec.Struct, frozen=True, kw_only=True):
    """One permission, whether it was a text or an object.

    ``scope`` is the definition's own word on how it is spelt in tokens. It is shown, and never what a token is held to:
    a definition that called ``admin`` by the scope ``tool:read`` would be approved for the one and proven by the other.
    """

    name: str
    scope: str | None = None
    description: str | None = None
    implications: tuple[str, ...] = ()


class OAuth(msgspec.Struct, frozen=True, kw_only=True):
    """``provider`` is who issued the token, also spelt ``idp``. An empty ``token`` is one that was no text."""

    token: str | None = None
    provider: str | None = None

    def __repr__(self) -> str:
        """Without the token: whoever reads a log must not hold it (C55)."""
        return f"OAuth(token={'***' if self.token else self.token!r}, provider={self.provider!r})"


class Signature(msgspec.Struct, frozen=True, kw_only=True):
    """A direct signature of the provider. An empty ``value`` is one that was no text."""

    value: str
    algorithm: str | None = None
    key_id: str | None = None


class EtdiBlock(msgspec.Struct, frozen=True, kw_only=True):
    """What a definition says of itself. Nothing of it is believed before it was verified."""

    id: str | None = None
    version: str | None = None
    provider: Provider | None = None
    permissions: tuple[Permission, ...] = ()
    oauth: OAuth | None = None
    signature: Signature | None = None


EMPTY: Final = EtdiBlock()


def read_block(wire: Mapping[str, Any]) -> EtdiBlock:
    """The block of a definition; :data:`EMPTY` where there is none.

    :raises ValueError: two spellings contradict each other, the version is no semantic version, or a member that the
        hash covers is malformed.
    """
    found = list(_spellings(wire))
    if not found:
        return EMPTY
    return EtdiBlock(
        id=_agreed(found, "id", _identifier),
        version=_agreed(found, "version", _version),
        provider=_provider(found),
        permissions=_all_permissions(found),
        oauth=_oauth(found),
        signature=_signature(found),
    )


def rewritten(
    wire: Mapping[str, Any], change: Callable[[Mapping[str, Any]], Mapping[str, Any]]
) -> dict[str, Any]:
    """The definition with ``change`` applied to each place where a block may stand; the original stays as it was."""
    kept = dict(change(wire))
    security = kept.get("security")
    if isinstance(security, Mapping):
        kept["security"] = change(security)
    meta = kept.get("_meta")
    block = meta.get(ETDI_META_KEY) if isinstance(meta, Mapping) else None
    if isinstance(meta, Mapping) and isinstance(block, Mapping):
        changed = dict(change(block))
        if isinstance(changed.get("security"), Mapping):
            changed["security"] = change(changed["security"])
        kept["_meta"] = {**meta, ETDI_META_KEY: changed}
    return kept


def _spellings(wire: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    meta = wire.get("_meta")
    block = meta.get(ETDI_META_KEY) if isinstance(meta, Mapping) else None
    if block is not None:
        if not isinstance(block, Mapping):
            raise ValueError("the ETDI block of a tool is not an object")
        yield block
        if block.get("security") is not None:
            yield _object(block["security"], "security")
    security = wire.get("security")
    inner = security if isinstance(security, Mapping) and not _MARKS.isdisjoint(security) else None
    if block is not None or inner is not None or not _MARKS.isdisjoint(wire):
        yield wire
    if inner is not None:
        yield inner


def _agreed(found: list[Mapping[str, Any]], member: str, read: Callable[[Any], T]) -> T | None:
    """The one value that all who name the member give it. :raises ValueError: they differ."""
    values = [read(one[member]) for one in found if one.get(member) is not None]
    return _one(values, member)


def _one(values: list[T], member: str) -> T | None:
    if any(value != values[0] for value in values):
        raise ValueError(f"two spellings of {member} in one definition contradict each other")
    return values[0] if values else None


def _object(value: Any, member: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError(f"{member} in the ETDI block is not an object")
    return value


def _identifier(value: Any) -> str:
    # Printable: an invisible character makes two tools, or two providers, look like one to an approver.
    if not isinstance(value, str) or not 0 < len(value) <= MAX_ID_CHARS or not value.isprintable():
        raise ValueError("a name in the ETDI block is no printable text of sensible length")
    return value


def _version(value: Any) -> str:
    if not isinstance(value, str) or len(value) > MAX_VERSION_CHARS or not SEMVER.fullmatch(value):
        raise ValueError("the version of a tool is no semantic version (MAJOR.MINOR.PATCH)")
    return value


def _provider(found: list[Mapping[str, Any]]) -> Provider | None:
    said = [one["provider"] for one in found if one.get("provider") is not None]
    parts = [value if isinstance(value, Mapping) else {"id": value} for value in said]
    name = _agreed(parts, "name", _identifier)
    identifiers = [_identifier(part["id"]) for part in parts if part.get("id") is not None]
    if len(identifiers) < len(parts):
        raise ValueError("a provider in the ETDI block has no id")
    identifier = _one(identifiers, "provider")
    return None if identifier is None else Provider(id=identifier, name=name)


def _all_permissions(found: list[Mapping[str, Any]]) -> tuple[Permission, ...]:
    """By name: a text and an object of one name are one permission, of which the object says more."""
    spellings = [_permissions(one["permissions"]) for one in found if one.get("permissions") is not None]
    _one([tuple(one.name for one in spelling) for spelling in spellings], "permissions")
    return tuple(map(_merged, zip(*spellings, strict=True)))


def _merged(same: tuple[Permission, ...]) -> Permission:
    return Permission(
        name=same[0].name,
        scope=_one([one.scope for one in same if one.scope is not None], "a permission"),
        description=_one([one.description for one in same if one.description is not None], "a permission"),
        implications=_one([one.implications for one in same if one.implications], "a permission") or (),
    )


def _permissions(value: Any) -> tuple[Permission, ...]:
    if not isinstance(value, list) or len(value) > MAX_PERMISSIONS:
        raise ValueError("the permissions of a tool are not a list of sensible length")
    named: dict[str, Permission] = {}
    for one in map(_permission, value):
        if named.setdefault(one.name, one) != one:
            raise ValueError("one permission of a tool is described twice, differently")
    return tuple(named[name] for name in sorted(named))


def _permission(value: Any) -> Permission:
    if isinstance(value, str):
        return Permission(name=_identifier(value))
    if not isinstance(value, Mapping):
        raise ValueError("a permission of a tool is neither text nor an object")
    implications = value.get("implications") or []
    if not isinstance(implications, list) or not all(isinstance(one, str) for one in implications):
        raise ValueError("the implications of a permission are not a list of texts")
    return Permission(
        name=_identifier(value.get("name")),
        scope=_optional(value.get("scope")),
        description=_optional(value.get("description")),
        implications=tuple(implications),
    )


def _optional(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise ValueError("a member of a permission is not text")


def _oauth(found: list[Mapping[str, Any]]) -> OAuth | None:
    parts = [_object(one["oauth"], "oauth") for one in found if one.get("oauth") is not None]
    if not parts:
        return None
    providers = [
        _identifier(part[member])
        for part in parts
        for member in ("provider", "idp")
        if part.get(member) is not None
    ]
    return OAuth(token=_agreed(parts, "token", _uncovered), provider=_one(providers, "the OAuth provider"))


def _signature(found: list[Mapping[str, Any]]) -> Signature | None:
    value = _agreed(found, "signature", _uncovered)
    if value is None:
        return None
    return Signature(
        value=value,
        algorithm=_agreed(found, "signatureAlgorithm", _uncovered),
        key_id=_agreed(found, "keyId", _identifier),
    )


def _uncovered(value: Any) -> str:
    return value if isinstance(value, str) else ""

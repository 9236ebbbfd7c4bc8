"""The hash of one file of a bundle, as OPA takes it for signatures. Pure.

OPA (management/bundles, "Signature Format"): files that hold a document (``data.json``, ``.manifest``) are hashed in a
form without white space and with sorted keys; all others byte by byte. Numbers keep their spelling, texts are escaped
as Go's ``encoding/json`` does without HTML escaping. A bundle with YAML in it cannot be checked here: what it says
depends on the reader. ``countersign bundle build`` makes none, and ``opa build`` turns it into JSON.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

import msgspec

from gateway.policy.engine import PolicyRefused

ALGORITHM = "SHA-256"
_DOCUMENTS = frozenset({"data.json", ".manifest"})
_YAML = frozenset({"data.yaml", "data.yml"})
_GO_ESCAPES = str.maketrans({"\u2028": "\\u2028", "\u2029": "\\u2029"})


class _Number(str):
    """A number as it is spelt: ``1.0`` and ``1`` are two numbers to a hash."""

    __slots__ = ()


def file_hash(name: str, content: bytes) -> str:
    """64 lower-case hex digits.

    :raises PolicyRefused: a document that is no JSON or has a key twice, or one that is YAML.
    """
    base = name.rsplit("/", 1)[-1]
    if base in _YAML:
        raise PolicyRefused(
            f"{name}: a signed bundle holds its data as data.json; build it, or use `opa build`"
        )
    return hashlib.sha256(_document(name, content) if base in _DOCUMENTS else content).hexdigest()


def strict_object(name: str, content: bytes) -> dict[str, Any]:
    """A JSON object without a key that stands twice: which of the two holds would depend on the reader.

    :raises PolicyRefused:
    """
    found = _parsed(name, content)
    if not isinstance(found, dict):
        raise PolicyRefused(f"{name}: is no JSON object")
    read: dict[str, Any] = msgspec.json.decode(content)
    return read


def _document(name: str, content: bytes) -> bytes:
    written: list[str] = []
    _write(_parsed(name, content), written)
    return "".join(written).encode()


def _parsed(name: str, content: bytes) -> Any:
    try:
        return json.loads(
            content.decode("utf-8"),
            parse_int=_Number,
            parse_float=_Number,
            parse_constant=_no_constant,
            object_pairs_hook=_no_twins,
        )
    except (ValueError, RecursionError) as problem:
        raise PolicyRefused(f"{name}: is no JSON: {problem}") from None


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text} is no number")


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _write(value: Any, into: list[str]) -> None:
    match value:
        case _Number():
            into.append(str(value))
        case dict():
            # Go sorts strings by their bytes; code points of UTF-8 have the same order.
            for index, key in enumerate(sorted(value)):
                into.append("," if index else "{")
                into.append(_text(key) + ":")
                _write(value[key], into)
            into.append("}" if value else "{}")
        case list():
            for index, one in enumerate(value):
                into.append("," if index else "[")
                _write(one, into)
            into.append("]" if value else "[]")
        case str():
            into.append(_text(value))
        case _:  # true, false, null
            into.append(json.dumps(value))


def _text(value: str) -> str:
    try:
        return msgspec.json.encode(value).decode().translate(_GO_ESCAPES)
    except UnicodeEncodeError:
        raise PolicyRefused("a text holds half a character") from None

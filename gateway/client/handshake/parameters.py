"""The parameters of a call -> the bytes that go out in both phases. Pure.

Checked before anything is sent, by the rules that the gateway checks again (I-JSON, RFC 7493; conflict C01).
Serialised once: what is authorised is what is executed, also when the caller changes its object in between.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, Final

from gateway.canonical import MAX_SAFE_INTEGER
from gateway.client.handshake.errors import ParametersRefused

MAX_BYTES: Final = 1_000_000
"""Of the serialised parameters. The gateway takes a whole body of 1 MiB unless it is set to less."""
MAX_DEPTH: Final = 60
"""Nested containers; the gateway takes 64 of the whole body."""
MAX_TOOL_CHARS: Final = 128
"""The gateway's own limit of a name."""


def checked_tool(tool: object) -> str:
    """The name of a tool. :raises ParametersRefused:"""
    if not isinstance(tool, str) or not 1 <= len(tool) <= MAX_TOOL_CHARS or not tool.isprintable():
        raise ParametersRefused(f"A tool is named by 1 to {MAX_TOOL_CHARS} printable characters.")
    return tool


def serialised(parameters: object) -> bytes:
    """One JSON object. Money belongs into strings: a ``Decimal`` is refused, since JSON has no such number.

    :raises ParametersRefused: naming the place of what is wrong, never its value.
    """
    if not isinstance(parameters, Mapping):
        raise ParametersRefused("The parameters are an object.")
    _walk(parameters, "", 0)
    made = json.dumps(parameters, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=dict)
    encoded = made.encode("utf-8")
    if len(encoded) > MAX_BYTES:
        raise ParametersRefused(f"The parameters are over {MAX_BYTES} bytes.")
    return encoded


def read_object(text: str) -> dict[str, Any]:
    """The object that a model wrote. :raises ParametersRefused: it is none, or names a member twice."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) != len(pairs):
            raise ParametersRefused("The parameters name a member twice.")
        return made

    try:
        found = json.loads(text, object_pairs_hook=once)
    except ParametersRefused:
        raise
    except (ValueError, RecursionError):
        raise ParametersRefused("The parameters are no JSON object.") from None
    if not isinstance(found, dict):
        raise ParametersRefused("The parameters are no JSON object.")
    return found


def _walk(value: Any, place: str, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise ParametersRefused(f"The parameters are nested deeper than {MAX_DEPTH} levels.")
    match value:
        case None | bool():
            return
        case str():
            _text(value, place)
        case int() | float():
            _number(value, place)
        case Mapping():
            for key, inner in value.items():
                _text(key, place)
                _walk(inner, f"{place}/{key[:64]}", depth + 1)
        case list() | tuple():
            for number, inner in enumerate(value):
                _walk(inner, f"{place}/{number}", depth + 1)
        case _:
            raise _bad(place, f"a {type(value).__name__} has no JSON form; send a string")


def _number(value: float, place: str) -> None:
    if isinstance(value, int):
        if abs(value) > MAX_SAFE_INTEGER:
            raise _bad(place, "an integer beyond 2^53-1 reads differently elsewhere; send a string")
    elif not math.isfinite(value) or (value == 0 and math.copysign(1, value) < 0):
        raise _bad(place, "a number that JSON readers do not agree on")


def _text(value: object, place: str) -> None:
    if not isinstance(value, str):
        raise _bad(place, "a member's name is no string")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise _bad(place, "a lone surrogate is no character") from None


def _bad(place: str, why: str) -> ParametersRefused:
    return ParametersRefused(f"The parameters at '{place or '/'}': {why}.")

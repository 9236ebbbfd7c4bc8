"""The one parser for what strangers send: strict, bounded, and nothing is guessed.

Two parsers that disagree about one document are how a judged request becomes another request (duplicate keys,
NaN, numbers beyond a double). So everything two parsers could read differently is refused here, and what was
parsed here is what is hashed, judged and sent (conflict C01 of the source documents, RFC 8785 section 3.1,
RFC 7493 I-JSON).
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

from gateway.errors import PARSE_ERROR, MalformedRequest

MAX_DEPTH = 64
"""Nested containers. PayPal's deepest request has 9; recursion beyond some hundreds is an attack on parsers."""
MAX_NUMBER_CHARS = 40
"""Characters of one number. Python's int() is quadratic in digits; money has at most a dozen."""
MAX_SAFE_INTEGER = 2**53 - 1
"""Beyond it a double-based parser upstream would read another number (RFC 7493 section 2.2)."""


def _refuse(code: str, message: str) -> NoReturn:
    raise MalformedRequest(message, code=f"door.{code}", rpc_code=PARSE_ERROR)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        twice, _ = Counter(key for key, _ in pairs).most_common(1)[0]
        _refuse("duplicate_key", f"The JSON object has the key {twice[:64]!r} twice; send each key once.")
    return made


def _integer(text: str) -> int:
    if len(text) > MAX_NUMBER_CHARS:
        _refuse("number", "A JSON number is longer than any honest number; send fewer digits.")
    if text == "-0":
        _refuse("number", "The JSON number -0 reads as 0 or -0 depending on the parser; send 0.")
    value = int(text)
    if abs(value) > MAX_SAFE_INTEGER:
        _refuse(
            "number", "A JSON integer is beyond 2^53-1 and would not survive other parsers; send a string."
        )
    return value


def _float(text: str) -> float:
    if len(text) > MAX_NUMBER_CHARS:
        _refuse("number", "A JSON number is longer than any honest number; send fewer digits.")
    value = float(text)
    if not math.isfinite(value):
        _refuse("number", "A JSON number is out of range; send a smaller one.")
    if not _same_number(text, value):
        _refuse("number", "A JSON number does not survive a double; send it as a string.")
    return value


def _same_number(text: str, value: float) -> bool:
    if repr(value) == text:
        return text != "-0.0"
    try:
        return Decimal(text) == Decimal(repr(value)) and not (value == 0 and text.startswith("-"))
    except InvalidOperation:
        return False


def _constant(text: str) -> NoReturn:
    _refuse("number", f"{text} is not JSON (RFC 8259 section 6); send a number or null.")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_float, parse_constant=_constant, strict=True
)


def parse(body: bytes) -> Any:
    """Bytes of one JSON text -> the document.

    :raises MalformedRequest: with codes ``door.encoding``, ``door.json``, ``door.duplicate_key``, ``door.number``,
        ``door.depth``, ``door.surrogate``; JSON-RPC code -32700 throughout.
    """
    if body.startswith(b"\xef\xbb\xbf"):
        _refuse(
            "encoding", "The body starts with a byte order mark (RFC 8259 section 8.1); send plain UTF-8."
        )
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        _refuse("encoding", "The body is not UTF-8; send UTF-8.")
    # Cheap upper bound first: a document with few brackets cannot be deep, and almost all have few.
    if body.count(b"[") + body.count(b"{") > MAX_DEPTH and _too_deep(body):
        _refuse("depth", f"The JSON is nested deeper than {MAX_DEPTH} levels; flatten it.")
    try:
        document = _DECODER.decode(text)
    except json.JSONDecodeError as problem:
        _refuse("json", f"The body is not JSON: {problem.msg} at character {problem.pos}.")
    except RecursionError:
        _refuse("depth", f"The JSON is nested deeper than {MAX_DEPTH} levels; flatten it.")
    # Raw UTF-8 cannot hold a surrogate; only a \u escape can smuggle one in.
    if "\\u" in text:
        try:
            json.dumps(document, ensure_ascii=False).encode("utf-8")
        except UnicodeEncodeError:
            _refuse("surrogate", "A JSON string holds a lone surrogate, which is no character; remove it.")
    return document


# The end is optional and nothing is given back: an unterminated string of escaped quotes is read once, not once per
# quote.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_OPEN = ord("[")
_BRACES_TOO = bytes.maketrans(b"{}", b"[]")
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


def _too_deep(body: bytes) -> bool:
    """Whether the nesting is deeper than :data:`MAX_DEPTH`, brackets inside strings not counted.

    Linear, no recursion. The text may be invalid JSON: what is miscounted behind the first mistake, the parser never
    gets to.
    """
    depth = 0
    for bracket in _STRING.sub(b"", body).translate(_BRACES_TOO, _NOT_BRACKETS):
        if bracket == _OPEN:
            depth += 1
            if depth > MAX_DEPTH:
                return True
        else:
            depth -= 1
    return False

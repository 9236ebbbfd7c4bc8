"""Canonical JSON (RFC 8785, JCS) and the SHA-256 over it: the one way this project turns a document into a hash.

What is *not* checked here: that the document came from a strict parse (``door.strict_json``). Hashing a document
from a lenient parser would bless whatever that parser guessed.
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
import rfc8785

MAX_SAFE_INTEGER = 2**53 - 1
"""RFC 8785 section 3.2.2.3: what lies beyond is not a number every reader reads alike."""
_SORTED = msgspec.json.Encoder(order="sorted")


def canonical_bytes(document: Any) -> bytes:
    """RFC 8785 bytes of a JSON document made of dict, list, str, int, float, bool and None.

    :raises ValueError: an integer beyond 2^53-1, NaN, infinity, a lone surrogate, a non-string key.
    """
    try:
        if _plain(document):
            return _SORTED.encode(document)
        return rfc8785.dumps(document)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError, RecursionError) as problem:
        raise ValueError(f"not a document that RFC 8785 can canonicalise: {type(problem).__name__}") from None


def _plain(document: Any) -> bool:
    """Whether sorting by bytes and encoding plainly *is* RFC 8785: no floats (ECMAScript's number format), no keys
    beyond ASCII (sorted by UTF-16 units there), no integers beyond 2^53-1. Most tool calls are; it saves 30 times
    the cost of the general way, and a property test holds the two against each other.
    """
    waiting = [document]
    while waiting:
        value = waiting.pop()
        kind = type(value)
        if kind is str:
            continue
        if kind is dict:
            for key in value:
                if type(key) is not str or not key.isascii():
                    return False
            waiting.extend(value.values())
        elif kind is list:
            waiting.extend(value)
        elif kind is int:
            if not -MAX_SAFE_INTEGER <= value <= MAX_SAFE_INTEGER:
                return False
        elif value is not None and kind is not bool:
            return False
    return True


def canonical_hash(document: Any) -> str:
    """SHA-256 over :func:`canonical_bytes`, 64 lower-case hex digits."""
    return hashlib.sha256(canonical_bytes(document)).hexdigest()

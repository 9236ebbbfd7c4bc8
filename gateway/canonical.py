"""Canonical JSON (RFC 8785, JCS) and the SHA-256 over it: the one way this project turns a document into a hash.

What is *not* checked here: that the document came from a strict parse (``door.strict_json``). Hashing a document
from a lenient parser would bless whatever that parser guessed.
"""

from __future__ import annotations

import hashlib
from typing import Any

import rfc8785


def canonical_bytes(document: Any) -> bytes:
    """RFC 8785 bytes of a JSON document made of dict, list, str, int, float, bool and None.

    :raises ValueError: an integer beyond 2^53-1, NaN, infinity, a lone surrogate, a non-string key.
    """
    try:
        return rfc8785.dumps(document)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError, RecursionError) as problem:
        raise ValueError(f"not a document that RFC 8785 can canonicalise: {type(problem).__name__}") from None


def canonical_hash(document: Any) -> str:
    """SHA-256 over :func:`canonical_bytes`, 64 lower-case hex digits."""
    return hashlib.sha256(canonical_bytes(document)).hexdigest()

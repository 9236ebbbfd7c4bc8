"""Tokens that verified a moment ago: one dict lookup instead of a signature check. Positive results only.

A refusal is never kept: it would let one hiccup lock a caller out (C42), and strangers fill the memory.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from typing import Final

from gateway.identity.caller import Caller
from gateway.identity.credentials import Secret
from gateway.identity.keys import KeySource

MAX_TOKENS: Final = 10_000
"""Entries, about 1 KiB each. Only tokens with a good signature get in."""
MAX_AGE_S: Final = 60.0
"""Seconds a result is believed without looking again."""


def token_at(token: Secret, server: str) -> bytes:
    """The key of what was found out about a token: a token for one server is no good at another."""
    digest = token.sha256()
    return hashlib.sha256(digest + server.encode("utf-8", "surrogatepass")).digest() if server else digest


class VerifiedTokens:
    """Least recently used goes first. Entries are found by SHA-256 of the token: no token is kept (C25).

    An entry ends with its token, after :data:`MAX_AGE_S`, when the issuer withdraws a key, or by
    :meth:`forget`.
    """

    def __init__(self, max_tokens: int = MAX_TOKENS) -> None:
        if max_tokens < 1:
            raise ValueError("the cache must hold at least one token")
        self._max_tokens = max_tokens
        self._entries: OrderedDict[bytes, tuple[Caller, float, KeySource, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, digest: bytes, now: float) -> Caller | None:
        """The caller of a token that is still good at ``now`` (unix seconds)."""
        entry = self._entries.get(digest)
        if entry is None:
            return None
        caller, until, keys, generation = entry
        # Also no longer than MAX_AGE_S ahead: a clock set back must not bring long life to old results.
        if not until - MAX_AGE_S <= now < until or keys.generation != generation:
            del self._entries[digest]
            return None
        self._entries.move_to_end(digest)
        return caller

    def put(
        self, digest: bytes, caller: Caller, *, expires: int, now: float, keys: KeySource, generation: int
    ) -> None:
        """Keep a result. ``expires``: the token's, unix seconds. ``generation``: of ``keys`` as it
        verified."""
        self._entries[digest] = (caller, min(float(expires), now + MAX_AGE_S), keys, generation)
        self._entries.move_to_end(digest)
        if len(self._entries) > self._max_tokens:
            self._entries.popitem(last=False)

    def forget(self, digest: bytes) -> None:
        """Drop one token (revocation)."""
        self._entries.pop(digest, None)

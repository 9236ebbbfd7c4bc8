"""When a signing key has signed for long enough, or often enough, the next token begins a rotation (R122, R126).

No job that somebody has to run: a key that signs nothing need not be renewed. Of several processes one begins it; the
others find it under way. The token that noticed is answered as ever; a rotation that fails is tried with the next one.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from gateway.errors import CountersignError
from gateway.idp.errors import IdpRefused
from gateway.idp.key import IdpKey
from gateway.idp.key_book import KeyBook

BY: Final = "schedule"
DAY_S: Final = 24 * 3600
_LOG = logging.getLogger("countersign.idp")


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Of one key: days for which it signs, tokens that it signs; 0 is no limit."""

    days: int
    tokens: int

    def reached(self, key: IdpKey, *, uses: int, now: float) -> bool:
        """Whether a successor is due; one that is scheduled already is not due again."""
        if key.retired_at is not None:
            return False
        old = self.days > 0 and now >= key.active_from + self.days * DAY_S
        return old or (self.tokens > 0 and uses >= self.tokens)


class Renewal:
    """``record`` writes the rotation down first. ``now``: unix seconds."""

    def __init__(
        self,
        limits: Limits,
        keys: KeyBook,
        *,
        record: Callable[[], Awaitable[None]],
        now: Callable[[], float],
    ) -> None:
        self._limits = limits
        self._keys = keys
        self._record = record
        self._now = now

    async def look(self, key: IdpKey, uses: int) -> None:
        """After each token. Never raises what the token's receiver could do nothing about."""
        if not self._limits.reached(key, uses=uses, now=self._now()):
            return
        try:
            await self._record()
            await self._keys.rotate(by=BY)
        except IdpRefused:
            return  # somebody else began it
        except CountersignError as problem:
            _LOG.error("the signing key %s is due for rotation, which failed: %s", key.kid, problem.message)

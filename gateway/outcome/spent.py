"""Tokens that this gateway has taken: none is taken twice, although the store should have it again."""

from __future__ import annotations

from typing import Final

MAX_REMEMBERED: Final = 20_000
"""Names of tokens, some 2 MB. A token lives for 60 seconds at most, so that this is 300 a second."""


class Spent:
    """Attack: the store's primary dies before its replica has heard that a token was spent, and whoever waited for that
    presents it again. Other gateways do not know; there the PayPal-Request-Id is the same (invariant 4)."""

    def __init__(self, *, most: int = MAX_REMEMBERED) -> None:
        self._names: dict[str, None] = {}
        self._most = most

    def first(self, name: str) -> bool:
        """Whether this is the first time; the oldest are forgotten."""
        if name in self._names:
            return False
        if len(self._names) >= self._most:
            del self._names[next(iter(self._names))]
        self._names[name] = None
        return True

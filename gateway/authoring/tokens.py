"""The tokens of a server's tools: asked for once, kept by everything they depend on, renewed early (R102, C25)."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

import msgspec

from gateway.authoring.claims import ToolClaims
from gateway.authoring.errors import NoToken
from gateway.authoring.providers.provider import OAuthProvider
from gateway.identity.credentials import Secret

EARLY_S: Final = 60.0
"""A token is renewed this long before it ends, or a tenth of its life before, whichever is shorter."""
PAUSE_S: Final = 5.0
"""Seconds in which a question that failed is not asked again: listings must not queue up for a dead provider."""
MAX_KEPT: Final = 4_096
"""Tokens kept; each definition, as each protocol version shows it, has one."""
MAX_ASKED: Final = 8
"""Questions under way at once: a server with a thousand tools must not be a flood at its provider."""


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A token and when it must not be shown any more. Times are the clock's."""

    token: Secret
    renew_at: float
    ends_at: float


class ToolTokens:
    """Tokens of one provider. However many listings wait for one, one question is asked.

    The key is the whole of :class:`ToolClaims`: another version, permission or definition is another token. What is
    kept is never a token's copy under a shorter key. ``clock`` is monotonic seconds.
    """

    def __init__(self, provider: OAuthProvider, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._provider = provider
        self._clock = clock
        self._kept: OrderedDict[ToolClaims, Kept] = OrderedDict()
        self._asked: dict[ToolClaims, asyncio.Task[Kept]] = {}
        self._failed: dict[ToolClaims, tuple[float, NoToken]] = {}
        self._slots = asyncio.Semaphore(MAX_ASKED)

    async def token(self, tool: ToolClaims) -> Kept:
        """A token of this tool with some life left.

        A provider that does not answer costs nothing while the old token lives; one that refuses has revoked
        something, so the old token is dropped.

        :raises NoToken: there is none, and no old one that still lives.
        """
        kept = self._kept.get(tool)
        if kept is not None and self._clock() < kept.renew_at:
            self._kept.move_to_end(tool)
            return kept
        try:
            return await self._renewed(tool)
        except NoToken as problem:
            if not problem.down:
                self._kept.pop(tool, None)
                raise
            if kept is not None and self._clock() < kept.ends_at:
                return kept
            raise

    def life_of(self, kept: Kept) -> float:
        """Seconds until a token ends; 0.0 where it has ended."""
        return max(0.0, kept.ends_at - self._clock())

    def forget(self, tool_id: str) -> None:
        """Drop every token of this tool, and of no other (R151)."""
        for known in (self._kept, self._failed):
            for tool in [one for one in known if one.tool_id == tool_id]:
                known.pop(tool, None)

    async def aclose(self) -> None:
        """End what is under way and forget every token."""
        asked = list(self._asked.values())
        for task in asked:
            task.cancel()
        await asyncio.gather(*asked, return_exceptions=True)
        self._kept.clear()
        self._failed.clear()

    async def _renewed(self, tool: ToolClaims) -> Kept:
        failed = self._failed.get(tool)
        if failed is not None and self._clock() < failed[0]:
            raise failed[1]
        task = self._asked.get(tool)
        if task is None:
            task = self._asked[tool] = asyncio.create_task(self._ask(tool))
            task.add_done_callback(lambda _: self._asked.pop(tool, None))
        # Shielded: one listing that its client gave up must not take the token from the others.
        return await asyncio.shield(task)

    async def _ask(self, tool: ToolClaims) -> Kept:
        async with self._slots:
            # Counted from before the question: what the answer took is not life that the token has.
            asked_at = self._clock()
            try:
                grant = await self._provider.token_for_tool(tool)
            except NoToken as problem:
                self._failed[tool] = (self._clock() + PAUSE_S, problem)
                self._shorten()
                raise
        life = min(grant.life_s, self._provider.cache_lifetime_s)
        ends_at = asked_at + life
        kept = Kept(token=grant.token, renew_at=ends_at - min(EARLY_S, life / 10), ends_at=ends_at)
        self._failed.pop(tool, None)
        self._kept[tool] = kept
        self._kept.move_to_end(tool)
        self._shorten()
        return kept

    def _shorten(self) -> None:
        while len(self._kept) > MAX_KEPT:
            self._kept.popitem(last=False)
        while len(self._failed) > MAX_KEPT:
            self._failed.pop(next(iter(self._failed)))

"""When a definition was seen first, and which was the first of its name. Persistent: a restart trusts nothing anew."""

from __future__ import annotations

from collections.abc import Callable

from gateway.catalog.approvals import approval_key
from gateway.catalog.definition import Definition
from gateway.state.store import Space, Store

FIRST_SEEN_TTL_S = 90 * 24 * 3600.0
"""How long it is known when a definition was first listed. A server that invents definitions must not fill the disk;
what is forgotten counts as new again, which is the careful side."""


class First:
    """Asks the store once for each definition and name that a listing brings. ``now``: unix seconds.

    Errors: ``StoreUnavailable``.
    """

    def __init__(self, store: Store, *, now: Callable[[], float]) -> None:
        self._store = store
        self._now = now

    async def seen(
        self, server: str, definition: Definition, before: dict[str, int], now: dict[str, int]
    ) -> int:
        """When this very definition was first listed here. ``before`` is what the last listing knew; what is known goes
        into ``now``."""
        key = f"{approval_key(server, definition.name)}:{definition.definition_hash}"
        seen = before.get(key)
        if seen is None:
            seen = int(self._now())
            if not await self._store.add(Space.FIRST_SEEN, key, str(seen).encode(), ttl_s=FIRST_SEEN_TTL_S):
                stored = await self._store.get(Space.FIRST_SEEN, key)
                seen = int(stored) if stored is not None and stored.isdigit() else seen
        now[key] = seen
        return seen

    async def used(self, server: str, definition: Definition, known: dict[str, str]) -> str:
        """The hash of the first definition that was listed under this name. Known for as long as
        :data:`FIRST_SEEN_TTL_S`."""
        first = known.get(definition.name)
        if first is None:
            first, key = definition.definition_hash, f"first:{approval_key(server, definition.name)}"
            if not await self._store.add(Space.FIRST_SEEN, key, first.encode(), ttl_s=FIRST_SEEN_TTL_S):
                stored = await self._store.get(Space.FIRST_SEEN, key)
                first = first if stored is None else stored.decode("ascii", "replace")
            known[definition.name] = first
        return first

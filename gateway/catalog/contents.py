"""What was found in the definitions of one server: read once for each definition, and within bounds for each listing.

Attack: a server that lists megabytes of text, another one each time, so that a gateway does nothing but read it. What
is beyond the bounds is not read, and counts as the worst: it is what nobody looked at.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final

from gateway.catalog.tool import Content

ContentReader = Callable[[Mapping[str, Any]], Content]
"""A definition as it was sent -> what is in it. Pure, and never raises."""
MAX_DEFINITION_BYTES: Final = 64 * 1024
MAX_NEW_BYTES: Final = 1024 * 1024
"""Of definitions that are new in one listing. The rest of them is read with the next listing."""
UNREAD: Final = Content(severity="HIGH", codes=("NOT_WHOLLY_INSPECTED",))


class Contents:
    """One listing. ``reader`` None: nothing is read, and nothing is said."""

    def __init__(
        self, reader: ContentReader | None = None, known: Mapping[bytes, Content] | None = None
    ) -> None:
        self._reader = reader
        self._known = known or {}
        self._read: dict[bytes, Content] = {}
        self._named: dict[str, Content] = {}
        self._left = MAX_NEW_BYTES

    def reading(self, reader: ContentReader | None) -> Contents:
        """The next listing, which knows what this one read."""
        return Contents(reader, self._read)

    async def read(self, key: bytes, name: str, wire: Mapping[str, Any]) -> None:
        """``key``: the definition's own bytes. Gives way to calls after each definition that had to be read."""
        if self._reader is None:
            return
        content = self._known.get(key)
        if content is None and len(key) <= MAX_DEFINITION_BYTES:
            if len(key) > self._left:
                self._named[name] = UNREAD
                return
            self._left -= len(key)
            content = self._reader(wire)
            await asyncio.sleep(0)
        self._read[key] = self._named[name] = content or UNREAD

    def of(self, name: str) -> Content:
        """Of a tool of this listing."""
        return self._named.get(name, Content())

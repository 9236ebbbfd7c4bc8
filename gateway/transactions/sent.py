"""The arguments of a call that left, kept while nobody knows how it ended. Values only; no store, no clock.

They say to a person what was asked for, and are what has to be sent if the same request is made once more. They hold
what arguments hold (names, addresses, notes), so they are bounded, are gone as soon as the outcome is known, and do not
print themselves: no log, no list, no message shows them by accident. They are not encrypted: whoever may read the state
store may read what waits for a confirmation there, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from gateway.canonical import canonical_hash

MAX_BYTES = 64 * 1024
"""Larger arguments are not kept, and such a call cannot be sent again. The store takes values of 1 MiB."""


class Sent(msgspec.Struct, frozen=True, kw_only=True, repr_omit_defaults=True):
    """The judged object, as it was sent."""

    arguments: dict[str, Any]

    def __repr__(self) -> str:
        """Not what is in it."""
        return f"{type(self).__name__}(***)"


def sent_of(arguments: Mapping[str, Any]) -> Sent | None:
    """What is kept of a call's arguments; None: they are too large."""
    if len(msgspec.json.encode(arguments)) > MAX_BYTES:
        return None
    return Sent(arguments=dict(arguments))


def whole(arguments: Mapping[str, Any], arguments_hash: str) -> bool:
    """Whether these are the very arguments that were judged: else it is another request under the same key."""
    try:
        return canonical_hash(arguments) == arguments_hash
    except ValueError:
        return False

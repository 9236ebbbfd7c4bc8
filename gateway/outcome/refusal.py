"""A *no* to a waiting call that no person gave, as a value."""

from __future__ import annotations

import msgspec


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """Its public code, and the sentence for the caller; of an agent's own words only what is fit to be shown."""

    code: str
    said: str

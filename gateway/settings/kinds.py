"""What settings are made of: the kinds of values."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

MAX_WAIT_S = 600
"""Seconds of any one wait: whoever is asked for that long is not there. It also keeps infinity out."""
Seconds = Annotated[float, Meta(gt=0, le=MAX_WAIT_S)]
Count = Annotated[int, Meta(ge=1)]
Text = Annotated[str, Meta(min_length=1)]
"""Text that is there: an empty value is neither a value nor the default."""


class Hidden(str):
    """A secret of the configuration: ``repr`` shows ``***``, the value is a plain ``str`` to those who use it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"

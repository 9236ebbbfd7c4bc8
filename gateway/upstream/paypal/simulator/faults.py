"""Trouble on demand: which calls go wrong, how, and how often."""

from __future__ import annotations

import re
from typing import Any, Literal

import msgspec


class Match(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which calls. ``path`` is a regular expression for the whole path; None is any."""

    method: str | None = None
    path: str | None = None


class Fault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What happens to them.

    ``status``: that status and ``body`` (or PayPal's error shape) instead of doing anything.
    ``drop_before_effect`` and ``drop_after_effect``: the connection is cut without an answer.
    ``delay``: the effect at once, the answer after ``seconds``.
    """

    match: Match = Match()
    kind: Literal["status", "drop_before_effect", "drop_after_effect", "delay"]
    times: int = 1
    status: int = 503
    body: dict[str, Any] | None = None
    raw: str | None = None
    headers: dict[str, str] = {}
    seconds: float = 0.0


class Faults:
    """The faults that are set, the first that matches wins; each ends after its ``times``."""

    def __init__(self) -> None:
        self._set: list[tuple[Fault, int]] = []

    def add(self, fault: Fault) -> None:
        """Set one more."""
        self._set.append((fault, fault.times))

    def clear(self) -> None:
        """Forget all."""
        self._set.clear()

    def take(self, method: str, path: str) -> Fault | None:
        """The fault for this call, counted."""
        for place, (fault, left) in enumerate(self._set):
            if fault.match.method not in (None, method):
                continue
            if fault.match.path is not None and re.fullmatch(fault.match.path, path) is None:
                continue
            if left <= 1:
                del self._set[place]
            else:
                self._set[place] = (fault, left - 1)
            return fault
        return None

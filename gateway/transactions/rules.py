"""What one server's tools let a recovery find out. A Protocol; PayPal's is in ``upstream/paypal/recovery.py``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class RecoveryRules(Protocol):
    """Pure; never raises for anything that arguments or answers hold."""

    def idempotent(self, tool: str) -> bool:
        """Whether the target tells a repeat of this call by its idempotency key."""
        ...

    def changes_nothing(self, tool: str) -> bool:
        """Whether the call is a read, whatever its class."""
        ...

    def kept_of(self, tool: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments that a recovery needs and the journal may hold: ids and amounts."""
        ...

    def lookup_for(self, tool: str, kept: Mapping[str, Any]) -> tuple[str, dict[str, Any]] | None:
        """The read that may show the effect: tool name and arguments."""
        ...

    def shows_effect(self, tool: str, structured: Mapping[str, Any], *, since: float) -> bool:
        """Whether that read's structured answer shows the effect, brought about after ``since`` (unix seconds)."""
        ...

    def replay_s(self, tool: str) -> float | None:
        """For how many seconds the target promises to answer a repeat with the first result; None: no promise."""
        ...

    def resource_of(self, structured: Mapping[str, Any]) -> str | None:
        """The target's id of what the call made."""
        ...

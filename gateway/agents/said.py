"""What an agent may say, as values. Pure.

Only a clear yes is a yes. A no ends the call; everything else (:class:`NoAnswer`) leaves it unconfirmed.
"""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum
from typing import Final, Protocol

import msgspec

from gateway.agents.case import Case

MAX_REASON_CHARS: Final = 200
"""Characters of an agent's reason that anybody gets to read."""
NO_REASON: Final = "no reason given"
_OTHER = re.compile(r"[^\w .,;:'%+$€£()-]")
_LINK = re.compile(r"\.(?=[^\W\d])")
"""A dot that a letter follows: nothing that a host or a mail program would turn into a link is left."""


class Decision(StrEnum):
    """The two words an agent has."""

    APPROVE = "approve"
    REFUSE = "refuse"


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that was meant for exactly this case. ``reason`` is fit to be shown."""

    decision: Decision
    reason: str


class Failure(StrEnum):
    """Why there is no answer; in the audit as ``agent.<failure>``."""

    UNREACHABLE = "unreachable"
    TIMED_OUT = "timed_out"
    REDIRECTED = "redirected"
    HTTP_STATUS = "http_status"
    TOO_LARGE = "too_large"
    COMPRESSED = "compressed"
    BAD_SIGNATURE = "bad_signature"
    UNREADABLE = "unreadable"
    ANOTHER_CALL = "another_call"
    ANOTHER_VIEW = "another_view"
    STALE = "stale"
    BROKEN = "broken"


class NoAnswer(Exception):
    """Not confirmed, and not refused. Quotes nothing received."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.value)
        self.failure = failure


class Agent(Protocol):
    """A second party that is a program. ``name`` is the operator's name for it, never its own."""

    @property
    def name(self) -> str:
        """The key of the settings."""
        ...

    async def ask(self, case: Case) -> Said:
        """Within the agent's own deadline. :raises NoAnswer: whatever is no clear yes or no."""
        ...

    async def aclose(self) -> None:
        """Let go of its connections."""


def reason_of(text: str) -> str:
    """An agent's reason as anybody may be shown it: one line of words and numbers.

    Attack: the reason is read by the first agent and by people. Markup, links, control and invisible characters,
    and text without end would carry more than a reason.
    """
    words = " ".join(_OTHER.sub(" ", unicodedata.normalize("NFC", text[: 4 * MAX_REASON_CHARS])).split())
    shown = "".join(char for char in words if char == " " or unicodedata.category(char)[0] in "LNPS")
    return _LINK.sub(". ", shown)[:MAX_REASON_CHARS].strip() or NO_REASON

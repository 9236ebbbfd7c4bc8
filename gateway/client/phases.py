"""What a tool result asks of the caller: nothing, the same call again, or the same call after a person decided. Pure.

Only what the gateway itself wrote counts: it drops its own ``_meta`` keys from whatever an upstream says.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from gateway.client.message import members_of, value_of

DECISION: Final = "dev.countersign/decision"
MAX_URL_CHARS: Final = 2_000
"""Characters of an address that is shown to a person."""


class Done(msgspec.Struct, frozen=True):
    """The answer is for the host as it is."""


class Repeat(msgspec.Struct, frozen=True, kw_only=True):
    """The first of two phases: repeat exactly this call within ``within_s`` seconds."""

    within_s: float
    state: str | None = None


class Wait(msgspec.Struct, frozen=True, kw_only=True):
    """A person decides at ``approve_url``; then repeat exactly this call."""

    approve_url: str | None
    tool: str = ""
    state: str | None = None


class Sign(msgspec.Struct, frozen=True):
    """Refused, and one of the reasons is that no signature over the parameters came with it.

    The others may be what the next answer asks for: a missing scope is named where nothing else is missing.
    """


Phase = Done | Repeat | Wait | Sign
DONE = Done()
UNSIGNED: Final = "arguments.signature_missing"


def phase_of(result: msgspec.Raw | None) -> Phase:
    """Read the result of a ``tools/call``."""
    members = members_of(result)
    decision = value_of(members_of(members.get("_meta")).get(DECISION))
    if not isinstance(decision, dict):
        return DONE
    state: str | None = None
    if value_of(members.get("resultType")) == "input_required":
        if members_of(members.get("inputRequests")):
            # Questions that this very host declared it can ask its user: they are not ours to answer.
            return DONE
        state = value_of(members.get("requestState"))
        if not isinstance(state, str):
            return DONE
    match decision.get("status"):
        case "handshake_required":
            return Repeat(within_s=_seconds(decision.get("expires_in_s")), state=state)
        case "confirmation_required":
            return Wait(
                approve_url=shown_url(decision.get("approve_url")),
                tool=shown(decision.get("tool"), 128),
                state=state,
            )
        case "refused" if UNSIGNED in _forbidding(decision.get("reasons")):
            return Sign()
        case _:
            return DONE


def _forbidding(reasons: Any) -> set[Any]:
    """The codes of what forbids."""
    listed = reasons if isinstance(reasons, list) else []
    return {one.get("code") for one in listed if isinstance(one, dict) and one.get("outcome") == "deny"}


def shown_url(value: Any) -> str | None:
    """An address that may be shown to a person: http or https, visible ASCII, not endless."""
    if not isinstance(value, str) or not 0 < len(value) <= MAX_URL_CHARS:
        return None
    fine = value.startswith(("https://", "http://")) and all("!" <= char <= "~" for char in value)
    return value if fine else None


def shown(value: Any, limit: int) -> str:
    """Text from elsewhere, for a terminal: no character that moves the cursor or cannot be seen."""
    if not isinstance(value, str):
        return ""
    return "".join(char if char.isprintable() else "?" for char in value[:limit])


def _seconds(value: Any) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0

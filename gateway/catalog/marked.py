"""A tool that a migration phase lets through, as hosts are shown it: marked in its title, and nowhere else. Pure.

The name is what a call is made by, and part of the hash (conflict C47): it stays. Attack: a server titles its tool
"Verified by PayPal"; our mark stands before whatever it says.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

STATUS_META_KEY = "dev.countersign/etdi-status"
_MARKS: Mapping[str, tuple[str, str, str]] = {
    "unverified": (
        "none",
        "Non-ETDI",
        "Nothing proves where this tool comes from; ask its provider for a definition with an ETDI token.",
    ),
    "invalid": (
        "invalid",
        "Invalid ETDI",
        "The proof of where this tool comes from does not hold; do not use it.",
    ),
    "exempt": (
        "exempt",
        "Legacy Exempt",
        "This tool is let through without proof of where it comes from, until a date.",
    ),
    "unapproved": (
        "unapproved",
        "Not approved",
        "Nobody has looked at this tool yet; ask an operator to approve it.",
    ),
}
"""The policy's word -> ``etdiStatus`` of the ETDI design, the mark, and what is recommended (R157 to R160, R163)."""


def marked(wire: dict[str, Any], mark: object) -> dict[str, Any]:
    """The definition with its mark; itself where there is none, or none that is known."""
    known = _MARKS.get(mark) if isinstance(mark, str) else None
    if known is None:
        return wire
    status, words, recommendation = known
    title = wire.get("title")
    meta = wire.get("_meta")
    return {
        **wire,
        "title": f"\u26a0\ufe0f {title if isinstance(title, str) else wire.get('name')} ({words})",
        "_meta": {
            **(meta if isinstance(meta, dict) else {}),
            STATUS_META_KEY: {"etdiStatus": status, "recommendation": recommendation},
        },
    }

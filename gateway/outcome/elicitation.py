"""What the host shows its user when it is asked to confirm a call: the faithful view as text. Pure.

The same words in both eras, in the form and in whatever tells a person elsewhere: money, payee, what is set, who asks,
why, where, until when. They begin with the name of the gateway, and the request carries a key of ours that is taken
out of everything an upstream asks (``upstream/questions.py``): no server's question passes for the gateway's.
"""

from __future__ import annotations

import unicodedata
from typing import Any

from gateway.outcome.lookalike import LOOKALIKE, has_lookalikes
from gateway.outcome.view import Line, View, visible

ELICITATION_KEY = "dev.countersign/confirm"
"""Our key in ``inputRequests``/``inputResponses`` and in a question's ``_meta``; an upstream's own keys live beside it,
never inside."""
MAX_FORM_LINES = 40
"""Values shown in a form inside the host. What does not fit is confirmed where all of it can be seen."""
MAX_NAMED = 6
"""Letters named beside one text."""


def fits_a_form(view: View) -> bool:
    """A form that shows a part would have a person sign the rest unseen (invariant 8); the page shows all of it."""
    return len(view.lines) <= MAX_FORM_LINES


def form(view: View, *, expires_in_s: int) -> dict[str, Any]:
    """``params`` of an ``elicitation/create`` in form mode: one required flag, which every host can show."""
    return {
        "mode": "form",
        "message": text_of(view, expires_in_s=expires_in_s),
        "requestedSchema": {
            "type": "object",
            "properties": {
                "approve": {
                    "type": "boolean",
                    "title": "Carry this out",
                    "description": "Cannot be undone.",
                }
            },
            "required": ["approve"],
        },
    }


def link(view: View, url: str | None) -> dict[str, Any]:
    """``params`` in URL mode: the page where a person decides. What is shown there is the whole."""
    message = f"Countersign: confirm {view.tool}: {_marked(view.money)} to {_marked(view.payee)}."
    return {"mode": "url", "url": url, "message": message}


def text_of(view: View, *, expires_in_s: int) -> str:
    """The view in words, the same for everybody who is asked. ``expires_in_s``: seconds that are left to decide."""
    minutes, seconds = divmod(max(0, expires_in_s), 60)
    head = [
        f"Countersign: confirm {_marked(view.tool)} on {_marked(view.server)}",
        f"Amount: {_marked(view.money)}",
        f"Payee: {_marked(view.payee)}",
        *([f"Payer: {_marked(view.payer)}"] if view.payer else ()),
        f"Asked by: {_marked(view.asked_by)}",
        *(f"Why: {visible(reason)}" for reason in view.reasons),
        f"Time left: {minutes} min {seconds} s",
    ]
    return "\n".join((*head, "", "What will be sent:", *(_line(line) for line in view.lines)))


def _line(line: Line) -> str:
    flags = f"  [look twice: {', '.join(line.flags)}]" if line.flags else ""
    return f"{line.path}: {line.value}{flags}"


def _marked(text: str) -> str:
    """A text of the head, which has no flags of its own, with what deceives the eye named."""
    if not has_lookalikes(text):
        return text
    strange = dict.fromkeys(char for char in text if not char.isascii())
    names = [unicodedata.name(char, f"U+{ord(char):04X}") for char in list(strange)[:MAX_NAMED]]
    named = f": {', '.join(names)}" if names else ""
    return f"{text}  [look twice: {LOOKALIKE}{named}]"

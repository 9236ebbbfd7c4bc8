"""A waiting, refused or expired call as plain text for the people who decide. Pure.

Attacks: a payee that is the address of a sign-in page, in a mail from us; a line break in a name that ends the subject
and starts a header. Text of the call is the view's (invisible characters are spelt out), cut, and nothing in it is
left that a mail program would turn into a link, but for mail addresses. The one link leads to the console, where
nobody decides anything without having signed in. No arguments and no secrets are in here.
"""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final, assert_never

import msgspec

from gateway.outcome.pending import Pending
from gateway.outcome.view import visible

MAX_SUBJECT_CHARS: Final = 150
MAX_NAME_CHARS: Final = 120
_MAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9.-]{1,190}", re.ASCII)
_LINK = re.compile(r"\.(?=[^\W\d])|(?<=:)(?=//)")


class Event(StrEnum):
    """What happened; the ``type`` of the webhook."""

    WAITING = "confirmation.waiting"
    REFUSED = "confirmation.refused"
    EXPIRED = "confirmation.expired"


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """One message. ``id`` is the same for the same event of the same picture, whoever sends it how often.

    ``expires_at`` is unix seconds; ``subject`` one line; ``body`` lines.
    """

    id: str
    event: Event
    subject: str
    body: str
    transaction_id: str
    tool: str
    money: str
    payee: str
    asked_by: str
    link: str
    expires_at: int


def notice_of(pending: Pending, event: Event, *, console_url: str) -> Notice:
    """The notice of what happened to a call. ``console_url`` is the gateway's public URL."""
    view = pending.view
    money, payee, tool = named(view.money), named(view.payee), named(view.tool)
    asked_by = named(visible(f"{pending.caller_subject} ({pending.caller_issuer})"))
    link = f"{console_url.rstrip('/')}/console/pending/{pending.key}"
    until = datetime.fromtimestamp(pending.expires_at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    lines = [f"{money}, payee {payee}", "", f"Tool: {tool} on {named(view.server)}", f"Asked by: {asked_by}"]
    match event:
        case Event.WAITING:
            subject = f"To confirm: {money}, payee {payee}"
            lines += ["Why it waits:", *(f"- {named(one)}" for one in view.reasons)]
            lines += ["", f"Look at it and decide: {link}", f"It waits until {until}."]
        case Event.REFUSED:
            subject = f"Refused: {money}, payee {payee}"
            why = pending.refusal.said if pending.refusal is not None else "No reason was given."
            lines += [f"Refused by: {named(visible(pending.refused_by or 'somebody'))}", named(visible(why))]
            lines += ["", "It was not carried out."]
        case Event.EXPIRED:
            subject = f"Expired: {money}, payee {payee}"
            lines += [f"Nobody confirmed it before {until}.", "", "It was not carried out."]
        case _:
            assert_never(event)
    lines += ["", f"Transaction {pending.transaction_id}"]
    identity = f"{event}|{pending.transaction_id}|{view.view_hash}|{pending.expires_at}"
    return Notice(
        id=f"ntc_{hashlib.sha256(identity.encode()).hexdigest()[:32]}",
        event=event,
        subject=subject[:MAX_SUBJECT_CHARS],
        body="\n".join(lines) + "\n",
        transaction_id=pending.transaction_id,
        tool=tool,
        money=money,
        payee=payee,
        asked_by=asked_by,
        link=link,
        expires_at=int(pending.expires_at),
    )


def named(text: str) -> str:
    """Text of a view, on one line and bounded, so that it is no link: ``evil[.]example``. A mail address stays."""
    line = " ".join(text.split())
    shown = line if len(line) <= MAX_NAME_CHARS else f"{line[:MAX_NAME_CHARS]}…"
    if _MAIL.fullmatch(shown):
        return shown
    return _LINK.sub(lambda found: "[.]" if found[0] else " ", shown)

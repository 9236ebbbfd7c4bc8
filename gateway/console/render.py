"""Frozen values -> HTML. Every template escapes; nothing that came from a call is markup, an address or a style."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from gateway.console.decide import signers
from gateway.console.permission import Permission
from gateway.console.session import Session
from gateway.console.spelling import pieces, unusual, warnings
from gateway.outcome.lookalike import LOOKALIKE, has_lookalikes
from gateway.outcome.pending import Pending, Status
from gateway.outcome.view import NO_MONEY, visible

_HERE = Path(__file__).parent
SHORT_HASH = 16
"""Digits of a view hash that people compare; the form carries all 64."""
FLAGS = {
    "invisible": "Holds characters that cannot be seen; they are shown as their code points.",
    "not_ascii": "Holds letters outside ASCII; they can look like other letters.",
    LOOKALIKE: "Reads like something else: letters that pass for other letters. Compare it with what you expect.",
    "cut": "Too long to show whole; compare the length and the hash.",
}
"""What a flag of the view means to a person. An unknown flag is shown as it is."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One waiting call in the list and at the top of its own page."""

    pending: Pending
    signed: tuple[str, ...]
    left: str
    until: str
    open: bool

    @property
    def at_least(self) -> str:
        """What the quorum must hold of each kind, in words; empty where it is nothing beyond the number."""
        obligation = self.pending.obligation
        if len(obligation.by) == 1:
            return ""
        least = obligation.at_least
        wanted = ((least.human, "by people"), (least.agent, "by agents"), (least.host, "in the host"))
        return ", ".join(f"at least {count} {kind}" for count, kind in wanted if count)

    @property
    def money_kind(self) -> str:
        """``none``, ``known`` or ``unknown``, for emphasis only."""
        money = self.pending.view.money
        if money == NO_MONEY:
            return "none"
        return "unknown" if "unknown" in money.lower() else "known"


def row_of(pending: Pending, *, now: float) -> Row:
    """What the pages show of a waiting call at that time (unix seconds)."""
    return Row(
        pending=pending,
        signed=signers(pending),
        left=time_left(pending.expires_at - now),
        until=clock(pending.expires_at),
        open=pending.status is Status.WAITING,
    )


def time_left(seconds: float) -> str:
    """Seconds for people, rounded down: nobody is promised a second that is not there."""
    whole = max(0, int(seconds))
    hours, rest = divmod(whole, 3600)
    minutes, secs = divmod(rest, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {secs} s" if minutes else f"{secs} s"


def clock(at: float) -> str:
    """Unix seconds as a UTC time of day."""
    return datetime.fromtimestamp(at, UTC).strftime("%H:%M:%S UTC")


def day(at: float) -> str:
    """Unix seconds as a UTC date and time of day."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


class Render:
    """The templates, and the two or three facts that every page shows."""

    def __init__(self, *, base: str) -> None:
        self._env = Environment(
            loader=FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._env.globals.update(
            base=base,
            pieces=pieces,
            unusual=unusual,
            warnings=warnings,
            clock=clock,
            day=day,
            visible=visible,
            flags=FLAGS,
            deceives=has_lookalikes,
        )
        self._env.filters["short"] = lambda digest: digest[:SHORT_HASH]

    def page(
        self, template: str, *, status: int = 200, session: Session | None = None, **facts: Any
    ) -> HTMLResponse:
        """One whole page."""
        html = self._env.get_template(template).render(session=session, **facts)
        return HTMLResponse(html, status_code=status)

    def message(
        self,
        title: str,
        text: str,
        *,
        status: int,
        tone: str = "no",
        session: Session | None = None,
        permission: Permission | None = None,
        hint: str | None = None,
        again: str | None = None,
    ) -> HTMLResponse:
        """A page that says one thing. ``hint`` is a command to type, ``again`` one of our own addresses."""
        return self.page(
            "message.html",
            status=status,
            session=session,
            title=title,
            text=text,
            tone=tone,
            reasons=permission.reasons if permission else (),
            hint=hint,
            again=again,
        )


def stylesheet() -> bytes:
    """The one stylesheet, read once."""
    return (_HERE / "static" / "console.css").read_bytes()

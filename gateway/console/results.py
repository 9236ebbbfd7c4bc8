"""What a press of a button led to -> a page that says so, and says what happens next."""

from __future__ import annotations

from typing import assert_never

from starlette.responses import HTMLResponse

from gateway.console.decide import (
    AlreadyRefused,
    Changed,
    Denied,
    Gone,
    NotSigned,
    Recorded,
    Result,
    Verdict,
    signers,
)
from gateway.console.permission import Permission
from gateway.console.render import Render, clock
from gateway.console.session import Session
from gateway.outcome.pending import Pending
from gateway.outcome.people import seem_enough


def show_result(render: Render, session: Session, verdict: Verdict, key: str, result: Result) -> HTMLResponse:
    """The page, with an HTTP status that a script can go by: 200, 403, 404 or 409."""
    match result:
        case Recorded(pending=pending):
            return render.message(*_recorded(verdict, pending), status=200, tone="ok", session=session)
        case Denied(reasons=reasons):
            permission = Permission(allowed=False, reasons=reasons)
            return render.message(
                "Not recorded",
                "The policy does not let you decide this call.",
                status=403,
                session=session,
                permission=permission,
            )
        case Changed():
            return render.message(
                "Not recorded: the call changed",
                "What waits now is not what you were shown. Nothing was recorded; look at it again.",
                status=409,
                session=session,
                again=f"/pending/{key}",
            )
        case AlreadyRefused(by=by):
            return render.message(
                "Not recorded: already refused",
                f"{by} refused this call before, and that is final.",
                status=409,
                session=session,
            )
        case NotSigned():
            return render.message(
                "Nothing to take back",
                "Your approval is not under this call. Nothing was recorded.",
                status=409,
                session=session,
                again=f"/pending/{key}",
            )
        case Gone():
            return render.message(
                "Nothing waits here any more",
                "The call expired, or was carried out, before you decided. Nothing was recorded.",
                status=404,
                session=session,
            )
        case _:
            assert_never(result)


def _recorded(verdict: Verdict, pending: Pending) -> tuple[str, str]:
    if verdict is Verdict.REFUSE:
        return (
            "Refused",
            f"The call will not run. If it comes again before {clock(pending.expires_at)}, the answer stays no.",
        )
    if verdict is Verdict.REVOKE:
        return (
            "Approval taken back",
            "Your approval no longer counts, and nothing was sent on its strength. The call still waits: "
            "approve it again, or refuse it.",
        )
    count, quorum = len(signers(pending)), pending.obligation.quorum
    missing = quorum - count
    if missing > 0:
        people = "one more person has" if missing == 1 else f"{missing} more people have"
        return (
            "Approved",
            f"Your approval is recorded, {count} of {quorum}: {people} to approve before this call can run.",
        )
    if not seem_enough(pending.confirmations, pending.obligation, pending.view.view_hash):
        return (
            "Approved",
            "Your approval is recorded. It takes more of one kind before this call can run: look at it again.",
        )
    return (
        "Approved",
        "Your approval is recorded. Nothing has been sent yet: the call runs when its caller repeats it.",
    )

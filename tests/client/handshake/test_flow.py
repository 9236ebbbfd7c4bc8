"""The flow without I/O: time passes as the test says."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from gateway.client.handshake.answers import Authorized, Reply
from gateway.client.handshake.errors import ConfirmationPending, ExecutionFailed, OutcomeUnknown
from gateway.client.handshake.flow import (
    OLD_S,
    Authorization,
    Confirmation,
    Flow,
    NotAnswered,
    Pause,
    Post,
    Request,
    executing,
)
from gateway.client.handshake.options import Timeouts
from gateway.client.handshake.session_token import Session
from gateway.client.login.values import Secret
from tests.support.clock import ManualClock

REQUEST = Request(session=Session(token=Secret("session")), tool="create_refund", parameters=b'{"a":1}')


def begun(clock: ManualClock) -> Flow:
    """The second phase of a call that was authorised now."""
    authorization = Authorization(REQUEST, Authorized(transaction_id="tx", token=Secret("t-0")), clock())
    timeouts = Timeouts(confirmation=100, poll=5)
    return executing(
        authorization, "create_refund", b'{"a":1}', timeouts=timeouts, can_confirm=True, now=clock
    )


def ok(body: Any, status: int = 200) -> Reply:
    """An answer."""
    return Reply(status=status, body=msgspec.json.encode(body))


def waiting(token: str) -> Reply:
    """202."""
    return ok({"status": "confirmation_required", "ephemeralToken": token, "expiresInSeconds": 600}, 202)


def shown(step: Any) -> str:
    """The token that a step shows."""
    assert isinstance(step, Post)
    assert step.token is not None
    return step.token.expose()


def test_a_token_that_waited_too_long_is_exchanged() -> None:
    """Whoever asked a person for a minute does not show a dead token, which would end the call."""
    clock = ManualClock()
    flow = begun(clock)
    assert shown(next(flow)) == "t-0"
    assert isinstance(flow.send(waiting("t-1")), Confirmation)
    clock.advance(OLD_S + 1)
    assert isinstance(flow.send(None), Pause)
    again = flow.send(None)
    assert isinstance(again, Post)
    assert (again.path, again.token) == ("/authorize", None)
    step = flow.send(ok({"transactionId": "tx", "ephemeralToken": "t-2"}))
    assert shown(step) == "t-2"
    with pytest.raises(StopIteration) as end:
        flow.send(ok({"done": True}))
    assert end.value.value == {"done": True}


def test_the_wait_ends() -> None:
    """After its own patience, since the gateway would wait longer."""
    clock = ManualClock()
    flow = begun(clock)
    next(flow)
    flow.send(waiting("t-1"))
    flow.send(None)
    for number in range(18):
        clock.advance(5)
        assert shown(flow.send(None)) == f"t-{number + 1}"
        assert isinstance(flow.send(waiting(f"t-{number + 2}")), Pause)
    clock.advance(6)
    flow.send(None)
    with pytest.raises(ConfirmationPending):
        flow.send(waiting("t-last"))


@pytest.mark.parametrize(("sent", "error"), [(True, OutcomeUnknown), (False, ExecutionFailed)])
def test_a_lost_answer_is_unknown_unless_nothing_left(sent: bool, error: type[Exception]) -> None:  # noqa: FBT001
    """Also while a person decides: he may have, just then."""
    for rounds in (0, 1):
        flow = begun(ManualClock())
        next(flow)
        for number in range(rounds):
            flow.send(waiting(f"t-{number + 1}"))
            flow.send(None)
            flow.send(None)
        with pytest.raises(error):
            flow.throw(NotAnswered(sent=sent))


def test_steps_show_nothing() -> None:
    """They hold tokens."""
    step = next(begun(ManualClock()))
    assert repr(step) == "Post('/execute')"
    assert repr(REQUEST) == "Request('create_refund')"

"""The REST handshake: header and body name different tokens, and somebody on the way has judged by one of them."""

from __future__ import annotations

import pytest

from tests.support.calls import invoice
from tests.support.house import AGENT_TOKEN, OTHER_TOKEN, House
from tests.support.rest import INVALID_TOKEN, answer_of, authorize, execute, token_for
from tests.support.traces import Trace


@pytest.mark.parametrize("phase", ["authorize", "execute"])
@pytest.mark.parametrize(("in_header", "in_body"), [(AGENT_TOKEN, OTHER_TOKEN), (OTHER_TOKEN, AGENT_TOKEN)])
async def test_two_sessions(house: House, phase: str, in_header: str, in_body: str) -> None:
    """Both good, and not the same: refused, whoever they are (C11)."""
    token = await token_for(house, "create_invoice", invoice("two sessions"))
    trace = Trace(house)
    headers = {"authorization": f"Bearer {in_header}"}
    if phase == "authorize":
        answer = await authorize(house, "create_invoice", invoice("x"), session=in_body, headers=headers)
    else:
        answer = await execute(
            house, token, "create_invoice", invoice("two sessions"), session=in_body, headers=headers
        )
    assert (answer.status_code, answer.json()["code"]) == (400, "door.header_mismatch")
    assert AGENT_TOKEN not in answer.text
    trace.refused_unseen("door.header_mismatch")


async def test_two_ephemeral_tokens(house: House) -> None:
    """Each good for this very call; together they are refused, and neither is used up by it."""
    one, other = [await token_for(house, "create_invoice", invoice("two tokens")) for _ in range(2)]
    trace = Trace(house)
    answer = await execute(
        house, one, "create_invoice", invoice("two tokens"), headers={"x-ephemeral-token": other}
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "door.header_mismatch")
    trace.refused_unseen("door.header_mismatch")
    done = await execute(
        house, other, "create_invoice", invoice("two tokens"), headers={"x-ephemeral-token": other}
    )
    assert done.status_code == 200


async def test_a_token_in_the_header_alone(house: House) -> None:
    """The body is what counts; the header is for those who look at headers."""
    token = await token_for(house, "create_invoice", invoice("header"))
    trace = Trace(house)
    answer = await execute(
        house, ..., "create_invoice", invoice("header"), headers={"x-ephemeral-token": token}
    )
    assert answer_of(answer) == (403, INVALID_TOKEN)
    trace.refused_unseen("handshake.token_unknown")


async def test_a_session_in_the_header_alone(house: House) -> None:
    """``Authorization`` stands in for ``sessionToken``; both may be there when they are equal."""
    headers = {"authorization": f"Bearer {AGENT_TOKEN}"}
    token = await token_for(house, "create_invoice", invoice("bearer"), session=..., headers=headers)
    done = await execute(
        house, token, "create_invoice", invoice("bearer"), session=AGENT_TOKEN, headers=headers
    )
    assert done.status_code == 200

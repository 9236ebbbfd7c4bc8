"""Forged ``requestState``: guessed, oversized, oddly typed, or dressed up as something that means more."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.answers import codes_of
from tests.support.calls import first_phase, invoice
from tests.support.house import House
from tests.support.traces import Trace

GRANTED = json.dumps({"transaction_id": "t", "satisfied": True, "binding": {}, "revision": ""})
SHAPES: dict[str, Any] = {
    "empty": "",
    "zeros": "0" * 64,
    "a guess": "deadbeef" * 8,
    "63 digits": "a" * 63,
    "65 digits": "a" * 65,
    "the longest": "a" * 1024,
    "too long": "a" * 10_000,
    "unicode": "\u202e\U0001f511" * 20,
    "NUL": "a\x00" + "b" * 62,
    "JSON": GRANTED,
    "a path": "../../handshake/" + "0" * 48,
    "a store key": "repeat:" + "0" * 57,
    "SQL": "' OR 1=1 --",
    "Lua": '"); redis.call("FLUSHALL") --',
    "a bearer token": "unsafe-test-token-of-the-agent-0001",
    "a JWT": "eyJhbGciOiJub25lIn0.e30.",
    "a number": 7,
    "a flag": True,
    "null": None,
    "a list": ["0" * 64],
    "an object": {"satisfied": True},
}


@pytest.mark.parametrize("shape", SHAPES)
async def test_a_shape(house: House, shape: str) -> None:
    """Refused as unknown, or as no text at all; nothing is sent and one record tells."""
    trace = Trace(house)
    more = {"requestState": SHAPES[shape]}
    answer = await house.call("create_invoice", invoice("forged"), more=more)
    if SHAPES[shape] is None:
        # No state at all is a first phase.
        assert answer["result"]["resultType"] == "input_required"
        assert trace.paypal == []
        return
    assert codes_of(answer)[0] in ("handshake.token_unknown", "door.params")
    trace.refused_unseen("handshake.token_unknown", "door.params")


async def test_a_real_token_in_disguise(house: House) -> None:
    """Another case, blanks around it, twice in a row, half of it: none of them is the token, which still works."""
    token = await first_phase(house, "create_invoice", invoice("disguise"))
    for state in (
        token.upper() if token.upper() != token else "A",
        f" {token}",
        f"{token}\n",
        token * 2,
        token[:32],
    ):
        answer = await house.call("create_invoice", invoice("disguise"), state=state)
        assert codes_of(answer) == ["handshake.token_unknown"]
    trace = Trace(house)
    assert "error" not in await house.call("create_invoice", invoice("disguise"), state=token)
    assert len(trace.writes) == 1


async def test_a_state_where_none_belongs(house: House) -> None:
    """A read that needs no handshake, with a forged state: the state is burnt and the call refused, not served."""
    trace = Trace(house)
    answer = await house.call("list_invoices", {"page": 1}, state="0" * 64)
    assert codes_of(answer) == ["handshake.token_unknown"]
    trace.refused_unseen("handshake.token_unknown")

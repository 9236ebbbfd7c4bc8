"""Foreign token: a caller presents what was granted to another, or comes for what another got signed."""

from __future__ import annotations

import pytest

from tests.support.answers import codes_of, status_of
from tests.support.calls import confirmed, first_phase, invoice, refund
from tests.support.console import Person
from tests.support.house import OTHER_TOKEN, House
from tests.support.traces import Trace


async def test_a_stolen_handshake_token(house: House) -> None:
    """With the thief's own bearer token it is refused, and it is gone for its owner as well."""
    token = await first_phase(house, "create_invoice", invoice("stolen"))
    trace = Trace(house)
    answer = await house.call("create_invoice", invoice("stolen"), state=token, token=OTHER_TOKEN)
    assert codes_of(answer) == ["handshake.mismatch"]
    assert trace.record["caller"]["subject"] == "agent-two"
    trace.refused_unseen("handshake.mismatch")
    owner = await house.call("create_invoice", invoice("stolen"), state=token)
    assert codes_of(owner) == ["handshake.token_unknown"]


@pytest.mark.parametrize("bearer", [None, "nonsense", "unsafe-test-token-of-the-agent-0002"])
async def test_a_handshake_token_is_no_login(house: House, bearer: str | None) -> None:
    """Without a good bearer token the handshake token is not even looked at: its owner can still use it."""
    token = await first_phase(house, "create_invoice", invoice("login"))
    trace = Trace(house)
    answer = await house.call("create_invoice", invoice("login"), state=token, token=bearer)
    assert codes_of(answer)[0].startswith("identity.")
    trace.refused_unseen(*codes_of(answer))
    assert status_of(await house.call("create_invoice", invoice("login"), state=token)) == "executed"


async def test_a_signed_call_is_not_another_callers(house: House, person: Person) -> None:
    """A person signed the refund of agent one; agent two, with the very same arguments, starts from nothing."""
    token = await confirmed(house, person, "create_refund", refund("3.00"))
    trace = Trace(house)
    for era in ("modern", "legacy"):
        answer = await house.call("create_refund", refund("3.00"), token=OTHER_TOKEN, era=era)
        assert status_of(answer) == "handshake_required"
    thief = await house.call("create_refund", refund("3.00"), token=OTHER_TOKEN, state=token)
    assert codes_of(thief) == ["handshake.mismatch"]
    assert trace.paypal == []


async def test_what_another_caller_left_in_an_era_without_tokens(house: House) -> None:
    """Agent one's first phase is not the first phase of agent two."""
    await house.call("create_invoice", invoice("left"), era="legacy")
    trace = Trace(house)
    answer = await house.call("create_invoice", invoice("left"), era="legacy", token=OTHER_TOKEN)
    assert status_of(answer) == "handshake_required"
    assert trace.paypal == []

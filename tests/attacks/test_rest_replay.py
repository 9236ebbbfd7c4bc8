"""The REST handshake: a token used twice, too late, by another caller, for another tool, or without its own session."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from gateway.client.handshake.proof import KeySigner
from gateway.identity.parameters import CallerKey
from gateway.identity.static import STATIC_ISSUER
from gateway.settings.model import HandshakeSettings, IdentitySettings
from gateway.state.store import Space
from tests.support.answers import codes_of
from tests.support.calls import first_phase, invoice, refund
from tests.support.depot import PARCEL, SHIP, Depot, running_depot
from tests.support.house import AGENT_TOKEN, OTHER_TOKEN, House, agent, running_house
from tests.support.keys import signing_key
from tests.support.oauth import ath
from tests.support.rest import (
    INVALID_SESSION,
    INVALID_TOKEN,
    MISMATCH,
    answer_of,
    authorize,
    execute,
    token_for,
)
from tests.support.traces import Trace


async def test_a_completed_execution_is_not_repeated(house: House) -> None:
    """The very same bytes again: 403, and PayPal saw one invoice."""
    token = await token_for(house, "create_invoice", invoice("rest replay"))
    trace = Trace(house)
    assert (await execute(house, token, "create_invoice", invoice("rest replay"))).status_code == 200
    for _ in range(3):
        answer = await execute(house, token, "create_invoice", invoice("rest replay"))
        assert answer_of(answer) == (403, INVALID_TOKEN)
    assert len(trace.writes) == 1
    assert [record["status"] for record in trace.records] == ["executed", "refused", "refused", "refused"]


async def test_after_its_time(house: House) -> None:
    """31 seconds later, by the gateway's clock: the store still holds it, and it is refused."""
    token = await token_for(house, "create_invoice", invoice("rest late"))
    key = hashlib.sha256(token.encode()).hexdigest()
    house.clock.advance(31)
    assert await house.gateway.store.get(Space.HANDSHAKE, key) is not None
    trace = Trace(house)
    assert answer_of(await execute(house, token, "create_invoice", invoice("rest late"))) == (
        403,
        INVALID_TOKEN,
    )
    trace.refused_unseen("handshake.token_unknown")


async def test_just_in_time(house: House) -> None:
    """What was refused above was refused for its age alone."""
    token = await token_for(house, "create_invoice", invoice("rest in time"))
    house.clock.advance(28)
    assert (await execute(house, token, "create_invoice", invoice("rest in time"))).status_code == 200


async def test_an_operator_shortens_its_life(tmp_path: Path) -> None:
    """``EPHEMERAL_TOKEN_TTL`` (R030): five seconds, though the policy would give thirty."""
    async with running_house(tmp_path, handshake=HandshakeSettings(ttl_seconds=5)) as hasty:
        for waited, status in ((4, 200), (6, 403)):
            token = await token_for(hasty, "create_invoice", invoice(f"rest {waited}"))
            hasty.clock.advance(waited)
            answer = await execute(hasty, token, "create_invoice", invoice(f"rest {waited}"))
            assert answer.status_code == status
        assert len(hasty.paypal_writes) == 1


async def test_of_another_caller(house: House) -> None:
    """With the thief's own good session: a mismatch, and the token is gone for its owner as well."""
    token = await token_for(house, "create_invoice", invoice("rest stolen"))
    trace = Trace(house)
    thief = await execute(house, token, "create_invoice", invoice("rest stolen"), session=OTHER_TOKEN)
    assert answer_of(thief) == (403, MISMATCH)
    assert trace.record["caller"]["subject"] == "agent-two"
    trace.refused_unseen("handshake.mismatch")
    owner = await execute(house, token, "create_invoice", invoice("rest stolen"))
    assert answer_of(owner) == (403, INVALID_TOKEN)


@pytest.mark.parametrize("session", [None, "", "nonsense", "unsafe-test-token-of-the-agent-0002"])
async def test_without_a_session(house: House, session: str | None) -> None:
    """401; and a token that was shown by nobody is burnt: whose session was revoked has authorised nothing (R021)."""
    token = await token_for(house, "create_invoice", invoice("rest login"))
    trace = Trace(house)
    answer = await execute(house, token, "create_invoice", invoice("rest login"), session=session)
    assert answer_of(answer) == (401, INVALID_SESSION)
    assert trace.record["error"].startswith("identity.")
    again = await execute(house, token, "create_invoice", invoice("rest login"))
    assert answer_of(again) == (403, INVALID_TOKEN)
    assert trace.paypal == []


@pytest.mark.parametrize("other", ["send_invoice_reminder", "create_order", "list_invoices", "no_such_tool"])
async def test_for_another_tool(house: House, other: str) -> None:
    """One that takes other arguments, one that needs no handshake, and one that is not there."""
    token = await token_for(house, "create_invoice", invoice("rest cross"))
    trace = Trace(house)
    assert answer_of(await execute(house, token, other, invoice("rest cross"))) == (403, MISMATCH)
    assert trace.writes == []
    assert trace.record["status"] == "refused"
    honest = await execute(house, token, "create_invoice", invoice("rest cross"))
    assert answer_of(honest) == (403, INVALID_TOKEN)


async def test_for_another_server(depot: Depot) -> None:
    """Both servers offer the same tool; the token is good at one of them."""
    house, sent = depot.house, len(depot.annex.calls)
    token = await token_for(house, SHIP, PARCEL, server="depot")
    assert answer_of(await execute(house, token, SHIP, PARCEL, server="annex")) == (403, MISMATCH)
    assert answer_of(await execute(house, token, SHIP, PARCEL, server="depot")) == (403, INVALID_TOKEN)
    assert len(depot.annex.calls) == sent


async def test_a_forged_proof_is_refused_before_the_server(depot: Depot) -> None:
    """A signature that is there must be right, also where none is asked for."""
    before = len(depot.depot.calls)
    forged = await authorize(depot.house, SHIP, PARCEL, server="depot", proof="pro.of.one")
    assert answer_of(forged) == (403, {"error": "Invalid signature"})
    assert len(depot.depot.calls) == before


async def test_a_proof_and_a_session_do_not_reach_the_server(tmp_path: Path) -> None:
    """What a caller signs for the gateway is the gateway's: the server is sent the call and nothing of that."""
    key = signing_key("ES256", "signer")
    signer = KeySigner(key.private, key_id="signer")
    identity = IdentitySettings(
        tokens=(agent(AGENT_TOKEN, "agent-one"),),
        keys=(CallerKey(issuer=STATIC_ISSUER, subject="agent-one", jwk=key.public_jwk()),),
    )
    async with running_depot(tmp_path, identity=identity) as depot:
        house, server = depot.house, depot.depot
        proofs = [signer.proof("depot", SHIP, PARCEL, ath(AGENT_TOKEN)) for _ in range(2)]
        token = await token_for(house, SHIP, PARCEL, server="depot", proof=proofs[0])
        done = await execute(house, token, SHIP, PARCEL, server="depot", proof=proofs[1])
        assert done.status_code == 200, done.text
        sent = f"{server.calls[-1]}{server.headers}{server.raw}"
    assert PARCEL["id"] in sent
    assert [word for word in (*proofs, AGENT_TOKEN, token, "dev.countersign/proof") if word in sent] == []


async def test_a_token_is_good_at_one_door_only_once(house: House) -> None:
    """A first phase over MCP and a second over REST are one call; the other door's repeat finds nothing."""
    token = await first_phase(house, "create_invoice", invoice("two doors"))
    trace = Trace(house)
    assert (await execute(house, token, "create_invoice", invoice("two doors"))).status_code == 200
    again = await house.call("create_invoice", invoice("two doors"), state=token)
    assert codes_of(again) == ["handshake.token_unknown"]
    assert len(trace.writes) == 1


async def test_the_first_token_of_a_confirmation_is_gone(house: House) -> None:
    """Once the call waits for a person, only the fresh token leads on."""
    token = await token_for(house, "create_refund", refund("4.00"))
    waits = await execute(house, token, "create_refund", refund("4.00"))
    assert waits.status_code == 202
    trace = Trace(house)
    assert answer_of(await execute(house, token, "create_refund", refund("4.00"))) == (403, INVALID_TOKEN)
    trace.refused_unseen("handshake.token_unknown")


async def test_every_request_leaves_a_record(house: House) -> None:
    """A mixed run (R040, C13): as many records as requests, and those of one transaction name it in both phases."""
    trace, sent = Trace(house), 0
    done: set[str] = set()
    for number in range(40):
        what = invoice(f"mixed {number}")
        first = (await authorize(house, "create_invoice", what)).json()
        answers = [
            await execute(house, first["ephemeralToken"], "create_invoice", what),
            await execute(house, first["ephemeralToken"], "create_invoice", what),
            await execute(house, "0" * 64, "create_invoice", what, session="unsafe-nobody-0000000001"),
            await authorize(house, "create_invoice", "nothing"),
            await authorize(house, "list_invoices", {}),
            await authorize(house, "no_such_tool", {}),
        ]
        assert [answer.status_code for answer in answers] == [200, 403, 401, 400, 403, 400]
        done.add(first["transactionId"])
        sent += 1 + len(answers)
    assert len(trace.records) == sent
    for transaction in done:
        phases = [one["status"] for one in trace.records if one["transaction_id"] == transaction]
        assert phases == ["waiting", "executed"]

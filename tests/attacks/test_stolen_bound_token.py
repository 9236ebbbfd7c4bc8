"""Stolen bound token: somebody has the access token of another, and not the key that it is bound to (RFC 9449)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.answers import codes_of
from tests.support.house import House, running_house
from tests.support.oauth import (
    CLIENT_KEY,
    THIEFS_KEY,
    challenges,
    proof_for,
    read,
    shown,
    token_for,
    trusting,
)
from tests.support.traces import Trace


@pytest.fixture(scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """A gateway that trusts one issuer."""
    folder: Path = tmp_path_factory.mktemp("bound")
    async with running_house(folder, identity=trusting(folder)) as running:
        yield running


@pytest.mark.parametrize("era", ["modern", "legacy"])
async def test_as_a_bearer_token(house: House, era: str) -> None:
    """Without a proof it is worth nothing, and the answer says only how an honest client goes on."""
    trace = Trace(house)
    answer = await read(house, shown(token_for(house)), era=era)
    assert answer.status_code == 401
    assert codes_of(answer.json()) == ["identity.proof_missing"]
    (challenge,) = challenges(answer)
    assert challenge.startswith("DPoP ")
    trace.refused_unseen("identity.proof_missing")


async def test_with_the_scheme_and_no_proof(house: House) -> None:
    """The word DPoP is not a proof."""
    trace = Trace(house)
    answer = await read(house, {"authorization": f"DPoP {token_for(house)}"})
    assert answer.status_code == 401
    trace.refused_unseen("identity.proof_missing")


@pytest.mark.parametrize("claimed", ["own", "victims"])
async def test_with_a_proof_of_the_thiefs_own_key(house: House, claimed: str) -> None:
    """Neither with the thief's public key in it, nor with the victim's, which is no secret."""
    key = THIEFS_KEY if claimed == "own" else CLIENT_KEY
    token = token_for(house)
    forged = proof_for(house, token, key=THIEFS_KEY, header={"jwk": key.public_jwk(kid=None, use=None)})
    trace = Trace(house)
    answer = await read(house, shown(token, forged))
    assert answer.status_code == 401
    assert codes_of(answer.json()) == ["identity.proof_invalid"]
    trace.refused_unseen("identity.proof_invalid")


async def test_beside_the_thiefs_own_token(house: House) -> None:
    """A good proof for a token of one's own does not carry the token of another: ``ath``."""
    own = token_for(house, key=THIEFS_KEY, sub="mallory")
    trace = Trace(house)
    answer = await read(house, shown(token_for(house), proof_for(house, own, key=THIEFS_KEY)))
    assert answer.status_code == 401
    trace.refused_unseen("identity.proof_invalid")


async def test_an_unbound_token_cannot_be_bound_by_whoever_found_it(house: House) -> None:
    """A bearer token shown with a proof of the finder's key: the scheme promises a binding that is not there."""
    token = token_for(house, bound=False)
    trace = Trace(house)
    answer = await read(house, shown(token, proof_for(house, token, key=THIEFS_KEY)))
    assert answer.status_code == 401
    trace.refused_unseen("identity.token_unbound")


async def test_a_session_of_the_victim_opens_nothing(house: House) -> None:
    """GET and DELETE of a session need a proof as well: the thief neither listens nor ends it."""
    token = token_for(house)
    begun = await house.rpc(
        "initialize",
        {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "h", "version": "1"}},
        token=None,
        era="legacy",
        headers=shown(token, proof_for(house, token)),
    )
    session = begun.headers["mcp-session-id"]
    for method in ("GET", "DELETE"):
        trace = Trace(house)
        bare = {"mcp-session-id": session, "accept": "text/event-stream", **shown(token)}
        answer = await house.http.request(method, "/mcp", headers=bare)
        assert answer.status_code == 401
        trace.refused_unseen("identity.proof_missing")
    still = {
        "mcp-session-id": session,
        **shown(token, proof_for(house, token, htm="DELETE")),
    }
    assert (await house.http.request("DELETE", "/mcp", headers=still)).status_code == 204


async def test_its_owner_is_let_in(house: House) -> None:
    """The same token with a proof of the right key: what was refused above was refused for the key alone."""
    token = token_for(house)
    trace = Trace(house)
    answer = await read(house, shown(token, proof_for(house, token)))
    assert answer.status_code == 200, answer.text
    assert len(trace.paypal) == 1
    assert trace.record["caller"]["subject"] == "alice"

"""The REST handshake with tokens of an issuer: expired, for somebody else, or bound to a key that the thief lacks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.door.endpoint import STRANGER_BODY_BYTES
from gateway.settings.model import DpopSettings, Hidden
from tests.support.calls import invoice
from tests.support.house import House, running_house
from tests.support.oauth import CLIENT_KEY, THIEFS_KEY, challenges, proof_for, token_for, trusting
from tests.support.rest import INVALID_SESSION, INVALID_TOKEN, answer_of, authorize, execute
from tests.support.traces import Trace

TOOL, WHAT = "create_invoice", invoice("bound")


@pytest.fixture(scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """A gateway that trusts one issuer."""
    folder: Path = tmp_path_factory.mktemp("bound")
    async with running_house(folder, identity=trusting(folder)) as running:
        yield running


def proven(house: House, token: str, path: str, **how: Any) -> dict[str, str]:
    """The DPoP field of a client at one of the two doors."""
    return {"dpop": proof_for(house, token, htu=house.settings.public_url + path, **how)}


async def handed_out(house: House, token: str) -> str:
    """The ephemeral token of an honest first phase."""
    first = await authorize(house, TOOL, WHAT, session=token, headers=proven(house, token, "/authorize"))
    assert first.status_code == 200, first.text
    ephemeral: str = first.json()["ephemeralToken"]
    return ephemeral


@pytest.mark.parametrize("spelt", ["in the body", "in the header", "in both"])
async def test_the_honest_client(house: House, spelt: str) -> None:
    """A bound token works with a new proof for each of the two doors, in either place."""
    token = token_for(house)
    session = None if spelt == "in the header" else token
    header = {} if spelt == "in the body" else {"authorization": f"DPoP {token}"}
    first = await authorize(
        house, TOOL, WHAT, session=session, headers={**header, **proven(house, token, "/authorize")}
    )
    assert first.status_code == 200, first.text
    ephemeral = first.json()["ephemeralToken"]
    second = await execute(
        house, ephemeral, TOOL, WHAT, session=session, headers={**header, **proven(house, token, "/execute")}
    )
    assert second.status_code == 200, second.text


async def test_a_large_call_of_the_honest_client(house: House) -> None:
    """What is looked at twice, before and after it is parsed, is one request: its proof is not its own replay."""
    item = {**WHAT["items"][0], "description": "x" * 1000}
    large = {**WHAT, "items": [item] * (STRANGER_BODY_BYTES // 1000 + 1)}
    token = token_for(house)
    first = await authorize(house, TOOL, large, session=token, headers=proven(house, token, "/authorize"))
    assert first.status_code == 200, first.text
    used = proven(house, token, "/execute")
    second = await execute(house, first.json()["ephemeralToken"], TOOL, large, session=token, headers=used)
    assert second.status_code == 200, second.text
    trace = Trace(house)
    again = await execute(house, "0" * 64, TOOL, large, session=token, headers=used)
    assert answer_of(again) == (401, INVALID_SESSION)
    trace.refused_unseen("identity.proof_replayed")


async def test_without_the_key(house: House) -> None:
    """No proof, the thief's own, one for the other door, one for MCP, one of another token: 401, and the same body."""
    token = token_for(house)
    trace = Trace(house)
    for headers in (
        {},
        proven(house, token, "/execute", key=THIEFS_KEY),
        proven(house, token, "/authorize"),
        {"dpop": proof_for(house, token)},
        proven(house, token_for(house, sub="mallory"), "/execute"),
        proven(house, token, "/execute", htm="GET"),
    ):
        ephemeral = await handed_out(house, token)
        answer = await execute(house, ephemeral, TOOL, WHAT, session=token, headers=headers)
        assert answer_of(answer) == (401, INVALID_SESSION), headers
        assert any(one.startswith("DPoP") for one in challenges(answer))
        assert trace.records[-1]["error"].startswith("identity.proof_")
    assert trace.paypal == []


async def test_a_proof_is_for_one_request(house: House) -> None:
    """Seen on the wire and sent again."""
    token = token_for(house, key=CLIENT_KEY)
    used = proven(house, token, "/authorize")
    assert (await authorize(house, TOOL, WHAT, session=token, headers=used)).status_code == 200
    trace = Trace(house)
    assert answer_of(await authorize(house, TOOL, WHAT, session=token, headers=used)) == (
        401,
        INVALID_SESSION,
    )
    trace.refused_unseen("identity.proof_replayed")


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": 1_700_000_000, "iat": 1_699_999_000},
        {"aud": "https://elsewhere.example"},
        {"iss": "https://evil.example"},
    ],
    ids=str,
)
async def test_a_token_that_is_no_session_here(house: House, claims: dict[str, Any]) -> None:
    """Expired, for another service, of another issuer: one body for all of them, and the ephemeral token is gone."""
    honest = token_for(house, bound=False)
    first = await authorize(house, TOOL, WHAT, session=honest)
    ephemeral = first.json()["ephemeralToken"]
    trace = Trace(house)
    answer = await execute(house, ephemeral, TOOL, WHAT, session=token_for(house, bound=False, **claims))
    assert answer_of(answer) == (401, INVALID_SESSION)
    assert answer_of(await execute(house, ephemeral, TOOL, WHAT, session=honest)) == (403, INVALID_TOKEN)
    assert trace.paypal == []


async def test_a_nonce_that_has_changed_meanwhile(tmp_path: Path) -> None:
    """The gateway gives out another nonce between the two phases. The client with the key is told, and executes with
    the token that it has; a thief without the key is told nothing of the kind, and his try ends it."""
    dpop = DpopSettings(nonce_secret=Hidden("unsafe-secret-of-nonces-for-tests-01"))
    async with running_house(tmp_path, identity=trusting(tmp_path, dpop=dpop)) as house:
        token = token_for(house)

        async def told(path: str) -> str:
            stale = proven(house, token, path, nonce="an old one")
            answer = await execute(house, ephemeral, TOOL, WHAT, session=token, headers=stale)
            assert answer_of(answer) == (401, INVALID_SESSION)
            return answer.headers["dpop-nonce"]

        ephemeral = "of nobody"
        nonce = await told("/execute")
        headers = proven(house, token, "/authorize", nonce=nonce)
        first = await authorize(house, TOOL, WHAT, session=token, headers=headers)
        ephemeral = first.json()["ephemeralToken"]
        headers = proven(house, token, "/execute", nonce=await told("/execute"))
        assert (
            await execute(house, ephemeral, TOOL, WHAT, session=token, headers=headers)
        ).status_code == 200

        trace = Trace(house)
        headers = proven(house, token, "/authorize", nonce=nonce)
        first = await authorize(house, TOOL, WHAT, session=token, headers=headers)
        ephemeral = first.json()["ephemeralToken"]
        thiefs = proven(house, token, "/execute", nonce="an old one", key=THIEFS_KEY)
        await execute(house, ephemeral, TOOL, WHAT, session=token, headers=thiefs)
        headers = proven(house, token, "/execute", nonce=nonce)
        answer = await execute(house, ephemeral, TOOL, WHAT, session=token, headers=headers)
        assert answer_of(answer) == (403, INVALID_TOKEN)
        assert trace.paypal == []

"""Replayed proof: a DPoP proof that was captured is used again, elsewhere, later, or is made so that it could be."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.identity.jwk import jwk_thumbprint
from tests.support import parts
from tests.support.answers import codes_of
from tests.support.house import House, running_house
from tests.support.keys import b64url, signing_key
from tests.support.oauth import (
    CLIENT_KEY,
    challenges,
    proof_for,
    read,
    resource,
    shown,
    token_for,
    trusting,
)
from tests.support.redis import RedisServer, running_redis
from tests.support.traces import Trace

Forge = Callable[[House, str], str]


@pytest.fixture(scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """A gateway that trusts one issuer."""
    folder: Path = tmp_path_factory.mktemp("replay")
    async with running_house(folder, identity=trusting(folder)) as running:
        yield running


async def test_the_same_proof_twice(house: House) -> None:
    """The first request is carried out, the second is refused, though every byte of it is right."""
    token = token_for(house)
    captured = shown(token, proof_for(house, token))
    assert (await read(house, captured)).status_code == 200
    trace = Trace(house)
    answer = await read(house, captured)
    assert answer.status_code == 401
    assert codes_of(answer.json()) == ["identity.proof_replayed"]
    (challenge,) = challenges(answer)
    assert challenge.startswith('DPoP error="invalid_dpop_proof"')
    trace.refused_unseen("identity.proof_replayed")


async def test_ten_times_at_once(house: House) -> None:
    """Nobody is quicker than the store: one is carried out, nine are refused."""
    token = token_for(house)
    captured = shown(token, proof_for(house, token))
    trace = Trace(house)
    answers = await asyncio.gather(*(read(house, captured) for _ in range(10)))
    assert sorted(one.status_code for one in answers) == [200, *[401] * 9]
    assert len(trace.paypal) == 1
    errors = [one["error"] for one in trace.records if one["status"] == "refused"]
    assert errors == ["identity.proof_replayed"] * 9


async def test_another_proof_with_the_same_jti(house: House) -> None:
    """Single use is of the ``jti``, not of the bytes: a signature has many spellings."""
    token = token_for(house)
    assert (await read(house, shown(token, proof_for(house, token, jti="chosen")))).status_code == 200
    trace = Trace(house)
    again = proof_for(house, token, jti="chosen", iat=int(time.time()) - 1)
    assert (await read(house, shown(token, again))).status_code == 401
    trace.refused_unseen("identity.proof_replayed")


async def test_while_the_store_cannot_tell(tmp_path: Path) -> None:
    """Whoever can silence the store gets no proof taken twice, and none taken at all: 503, and nothing is sent."""
    with RedisServer(parts.require(parts.REDIS)) as redis:
        async with running_house(tmp_path, identity=trusting(tmp_path), state_url=redis.url) as house:
            token = token_for(house)
            captured = shown(token, proof_for(house, token))
            assert (await read(house, captured)).status_code == 200
            redis.stop()
            for headers in (captured, shown(token, proof_for(house, token))):
                trace = Trace(house)
                answer = await read(house, headers)
                assert answer.status_code == 503
                assert trace.paypal == []
                assert trace.record["error"] == codes_of(answer.json())[0] == "state.unavailable"
            redis.start()


async def test_at_a_second_gateway_on_the_same_redis(tmp_path: Path) -> None:
    """Two gateways behind one address: what the one took, the other refuses."""
    identity = trusting(tmp_path)
    one_folder, two_folder = tmp_path / "one", tmp_path / "two"
    one_folder.mkdir()
    two_folder.mkdir()
    with running_redis() as redis:
        async with (
            running_house(one_folder, identity=identity, state_url=redis) as one,
            running_house(two_folder, identity=identity, state_url=redis, public_url=one.url) as two,
        ):
            two.http.base_url = f"http://127.0.0.1:{two.settings.port}"
            token = token_for(one)
            captured = shown(token, proof_for(one, token))
            assert (await read(one, captured)).status_code == 200
            trace = Trace(two)
            answer = await read(two, captured)
            assert answer.status_code == 401
            trace.refused_unseen("identity.proof_replayed")
            # And it was no other difference between the two: a new proof is good there.
            assert (await read(two, shown(token, proof_for(one, token)))).status_code == 200


def _symmetric(house: House, token: str) -> str:
    """HS256 with the public key as its secret."""
    jwk = CLIENT_KEY.public_jwk(kid=None, use=None, alg=None)
    good = proof_for(house, token)
    header = b64url(json.dumps({"typ": "dpop+jwt", "alg": "HS256", "jwk": jwk}).encode())
    signed = f"{header}.{good.split('.')[1]}"
    return f"{signed}.{b64url(hmac.digest(json.dumps(jwk).encode(), signed.encode(), hashlib.sha256))}"


def _unsigned(house: House, token: str) -> str:
    """``none``, with nothing behind the last dot."""
    jwk = CLIENT_KEY.public_jwk(kid=None, use=None, alg=None)
    header = b64url(json.dumps({"typ": "dpop+jwt", "alg": "none", "jwk": jwk}).encode())
    return f"{header}.{proof_for(house, token).split('.')[1]}."


def _with(header: dict[str, Any] | None = None, **changed: Any) -> Forge:
    return lambda house, token: proof_for(house, token, header=header, **changed)


FORGED: dict[str, Forge] = {
    "another method": _with(htm="GET"),
    "another server behind the same gateway": lambda house, token: proof_for(house, token, server="paypal"),
    "another place": _with(htu="https://elsewhere.example/mcp"),
    "another token": lambda house, token: proof_for(house, token_for(house)),
    "no ath": _with(ath=None),
    "an hour ago": _with(iat=int(time.time()) - 3600),
    "in an hour": _with(iat=int(time.time()) + 3600),
    "no jti": _with(jti=None),
    "an id token": _with({"typ": "JWT"}),
    "HS256 with the public key": _symmetric,
    "none": _unsigned,
    "a private key in it": _with({"jwk": {**CLIENT_KEY.private_jwk(), "kid": None}}),
    "a symmetric key in it": _with({"jwk": {"kty": "oct", "k": "c2VjcmV0"}}),
    "no JWS": lambda house, token: "nonsense",
}


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED)
async def test_a_proof_that_is_for_something_else(house: House, forge: Forge) -> None:
    """Each is refused for what it is, and PayPal hears nothing."""
    token = token_for(house)
    forged = forge(house, token)
    trace = Trace(house)
    answer = await read(house, shown(token, forged))
    assert answer.status_code == 401
    assert codes_of(answer.json()) == ["identity.proof_invalid"]
    trace.refused_unseen("identity.proof_invalid")


async def test_captured_at_one_server_and_sent_to_another(house: House) -> None:
    """The proof was for ``/mcp``; at ``/mcp/paypal`` it is refused, and is not used up by the attempt."""
    token = token_for(house)
    captured = shown(token, proof_for(house, token))
    trace = Trace(house)
    assert (await read(house, captured, server="paypal")).status_code == 401
    trace.refused_unseen("identity.proof_invalid")
    assert (await read(house, captured)).status_code == 200


async def test_two_proofs(house: House) -> None:
    """Two header fields, each good: which one somebody on the way looked at is a guess."""
    token = token_for(house)
    fields = [
        ("authorization", f"DPoP {token}"),
        ("dpop", proof_for(house, token)),
        ("dpop", proof_for(house, token)),
        ("content-type", "application/json"),
    ]
    trace = Trace(house)
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "list_invoices"}}
    answer = await house.http.post("/mcp", json=body, headers=fields)
    assert answer.status_code == 401
    trace.refused_unseen("identity.proof_invalid")


async def test_the_binding_is_to_an_rsa_key_and_the_proof_says_es256(house: House) -> None:
    """The algorithm is one for which the key is no key."""
    rsa = signing_key("RS256", "client-rsa")
    token = token_for(house, cnf={"jkt": jwk_thumbprint(rsa.public_jwk())})
    forged = proof_for(house, token, header={"jwk": rsa.public_jwk(kid=None, use=None, alg=None)})
    trace = Trace(house)
    assert (await read(house, shown(token, forged))).status_code == 401
    trace.refused_unseen("identity.proof_invalid")


async def test_the_address_that_proofs_name_is_the_public_one(house: House) -> None:
    """What the Host field says is the caller's word, and no proof is measured by it."""
    token = token_for(house)
    forged = proof_for(house, token, htu=resource(house).replace("127.0.0.1", "localhost"))
    trace = Trace(house)
    answer = await read(house, {**shown(token, forged), "host": f"localhost:{house.settings.port}"})
    assert answer.status_code == 401
    trace.refused_unseen("identity.proof_invalid")

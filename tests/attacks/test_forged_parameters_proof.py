"""Forged parameters proof: a signature over other parameters, by another key, for another caller, or used before."""

from __future__ import annotations

import hashlib
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
import pytest

from gateway.canonical import canonical_bytes
from gateway.identity.parameters import MAX_JWS_CHARS, TYP, CallerKey
from gateway.identity.static import STATIC_ISSUER
from gateway.settings.model import IdentitySettings
from tests.support.answers import codes_of
from tests.support.house import AGENT_TOKEN, OTHER_TOKEN, House, agent, running_house
from tests.support.keys import b64url, forge, signing_key
from tests.support.oauth import ath
from tests.support.traces import Trace

KEY = signing_key("ES256", "signer")
STRANGER = signing_key("EdDSA", "stranger")
SHARED = signing_key("EdDSA", "shared")
ARGUMENTS: dict[str, Any] = {"page_size": 5}
_COUNT = iter(range(1_000_000))


@pytest.fixture(scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """A gateway that knows one key of the first agent's."""
    identity = IdentitySettings(
        tokens=(agent(AGENT_TOKEN, "agent-one"), agent(OTHER_TOKEN, "agent-two")),
        keys=tuple(
            CallerKey(issuer=STATIC_ISSUER, subject=one, jwk=key.public_jwk())
            for one, key in (("agent-one", KEY), ("agent-one", SHARED), ("agent-two", SHARED))
        ),
    )
    async with running_house(tmp_path_factory.mktemp("forged"), identity=identity) as running:
        yield running


def claims(**changed: Any) -> dict[str, Any]:
    """Good ones for ``list_products`` with :data:`ARGUMENTS`; a claim given as None is left out."""
    made = {
        "jti": f"jti-{next(_COUNT)}",
        "iat": int(time.time()),
        "server": "paypal",
        "tool": "list_products",
        "args": b64url(hashlib.sha256(canonical_bytes(ARGUMENTS)).digest()),
        "ath": ath(AGENT_TOKEN),
        **changed,
    }
    return {name: value for name, value in made.items() if value is not None}


def header(**changed: Any) -> dict[str, Any]:
    """The header with the key in it."""
    return {"typ": TYP, "kid": None, "jwk": KEY.public_jwk(), **changed}


def good() -> str:
    """A proof with nothing wrong."""
    return KEY.sign(claims(), **header())


async def call(house: House, proof: Any, *, token: str = AGENT_TOKEN) -> dict[str, Any]:
    """The call of the claims, with a proof."""
    more = {"_meta": {"dev.countersign/proof": proof}}
    return await house.call("list_products", ARGUMENTS, token=token, more=more)


@pytest.mark.parametrize(
    "make",
    [good, lambda: KEY.sign(claims(), typ=TYP, kid="signer")],
)
async def test_the_control(house: House, make: Callable[[], str]) -> None:
    """An honest signature passes, with the key itself and with its registered name."""
    answer = await call(house, make())
    assert "structuredContent" in answer["result"], answer


async def test_the_address_in_place_of_the_name(house: House) -> None:
    """A client that knows the URL alone names that."""
    proof = KEY.sign(claims(server=None, htu=f"{house.url}/mcp"), **header())
    assert "structuredContent" in (await call(house, proof))["result"]


FORGED: dict[str, Callable[[], Any]] = {
    "another tool": lambda: KEY.sign(claims(tool="create_refund"), **header()),
    "another server": lambda: KEY.sign(claims(server="depot"), **header()),
    "another address": lambda: KEY.sign(claims(htu="https://elsewhere.example/mcp"), **header()),
    "no server": lambda: KEY.sign(claims(server=None), **header()),
    "other arguments": lambda: KEY.sign(claims(args=b64url(hashlib.sha256(b"{}").digest())), **header()),
    "no arguments": lambda: KEY.sign(claims(args=None), **header()),
    "another token": lambda: KEY.sign(claims(ath="x"), **header()),
    "the token of another caller": lambda: KEY.sign(claims(ath=ath(OTHER_TOKEN)), **header()),
    "no token": lambda: KEY.sign(claims(ath=None), **header()),
    "no token, by its name": lambda: KEY.sign(claims(ath=None), typ=TYP, kid="signer"),
    "stale": lambda: KEY.sign(claims(iat=int(time.time()) - 120), **header()),
    "from the future": lambda: KEY.sign(claims(iat=int(time.time()) + 60), **header()),
    "a time that is no number": lambda: KEY.sign(claims(iat=True), **header()),
    "no name of its own": lambda: KEY.sign(claims(jti=""), **header()),
    "a key that nobody registered": lambda: STRANGER.sign(claims(), **header(jwk=STRANGER.public_jwk())),
    "a stranger's signature": lambda: STRANGER.sign(claims(), **header(alg="ES256")),
    "an unknown kid": lambda: KEY.sign(claims(), typ=TYP, kid="other"),
    "neither key nor kid": lambda: KEY.sign(claims(), typ=TYP, kid=None),
    "a private key in the header": lambda: KEY.sign(claims(), **header(jwk=KEY.private_jwk())),
    "another type": lambda: KEY.sign(claims(), **header(typ="dpop+jwt")),
    "alg none": lambda: forge({"typ": TYP, "alg": "none", "jwk": KEY.public_jwk()}, claims(), b""),
    "alg HS256": lambda: forge({"typ": TYP, "alg": "HS256", "jwk": KEY.public_jwk()}, claims()),
    "an extension": lambda: KEY.sign(claims(), **header(crit=["b64"], b64=False)),
    "claims that are no object": lambda: KEY.sign(b"[1]", **header()),
    "huge": lambda: good() + "A" * MAX_JWS_CHARS,
    "no JWS": lambda: "proof",
    "beyond ASCII": lambda: good() + "é",
    "no text": lambda: {"present": True, "valid": True},
    "null": lambda: None,
    "true": lambda: True,
}


@pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED)
async def test_what_is_no_proof_of_this_call_is_refused(house: House, forged: Callable[[], Any]) -> None:
    """Refused although nobody asked for a signature; PayPal hears nothing."""
    trace = Trace(house)
    answer = await call(house, forged())
    assert "arguments.signature_invalid" in codes_of(answer), answer
    assert "Invalid signature" in msgspec.json.encode(answer).decode()
    trace.refused_unseen("arguments.signature_invalid")


async def test_another_caller_with_a_captured_proof(house: House) -> None:
    """The key is registered for the first agent alone."""
    trace = Trace(house)
    assert "arguments.signature_invalid" in codes_of(await call(house, good(), token=OTHER_TOKEN))
    trace.refused_unseen("arguments.signature_invalid")


async def test_another_caller_with_the_same_key_and_a_captured_proof(house: House) -> None:
    """Two callers share one key: what the one signed is not shown by the other, nor is what names no token."""
    for said in (ath(AGENT_TOKEN), None):
        captured = SHARED.sign(claims(ath=said), typ=TYP, kid="shared")
        trace = Trace(house)
        assert "arguments.signature_invalid" in codes_of(await call(house, captured, token=OTHER_TOKEN))
        trace.refused_unseen("arguments.signature_invalid")
    mine = SHARED.sign(claims(ath=ath(OTHER_TOKEN)), typ=TYP, kid="shared")
    assert "structuredContent" in (await call(house, mine, token=OTHER_TOKEN))["result"]


async def test_a_proof_is_good_once(house: House) -> None:
    """The second call is refused, though every byte of it is right."""
    proof = good()
    assert "structuredContent" in (await call(house, proof))["result"]
    trace = Trace(house)
    assert "arguments.signature_invalid" in codes_of(await call(house, proof))
    trace.refused_unseen("arguments.signature_invalid")


async def test_a_forged_proof_burns_nothing(house: House) -> None:
    """A stranger who guesses a jti does not spend it."""
    mine = claims()
    await call(house, STRANGER.sign(mine, **header(jwk=STRANGER.public_jwk())))
    assert "structuredContent" in (await call(house, KEY.sign(mine, **header())))["result"]


def test_a_registered_key_is_public_and_signs() -> None:
    """Private, symmetric and RSA keys are refused at the start."""
    for jwk in (KEY.private_jwk(), {"kty": "oct", "k": "AAAA"}, {}, signing_key("RS256").public_jwk()):
        with pytest.raises(ValueError, match="public key"):
            CallerKey(issuer=STATIC_ISSUER, subject="x", jwk=jwk)

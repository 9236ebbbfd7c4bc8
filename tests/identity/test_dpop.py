"""Proofs against requests: each check of RFC 9449 section 4.3, broken one at a time."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest

from gateway.identity.credentials import PresentedProof, Secret
from gateway.identity.dpop import ProofRules, check_proof, normalised_url
from gateway.identity.errors import CredentialRefused
from gateway.identity.jwk import jwk_thumbprint
from tests.support.keys import b64url, forge, signing_key

NOW = 1_800_000_000
KEY = signing_key("ES256", None)
TOKEN = Secret(b"an-access-token-that-is-bound-to-a-key")
RULES = ProofRules(resource="https://gateway.example/mcp")


def claims(**changed: Any) -> dict[str, Any]:
    """What an honest client signs; None leaves a claim out."""
    ath = base64.urlsafe_b64encode(hashlib.sha256(TOKEN.expose()).digest()).rstrip(b"=").decode()
    made = {"jti": "1", "htm": "POST", "htu": RULES.resource, "iat": NOW, "ath": ath, **changed}
    return {name: value for name, value in made.items() if value is not None}


def proof(key: Any = KEY, *, header: dict[str, Any] | None = None, **changed: Any) -> str:
    """A signed proof."""
    return str(key.sign(claims(**changed), **{"typ": "dpop+jwt", "jwk": key.public_jwk(), **(header or {})}))


def check(jws: str, *, below: str = "", method: str = "POST") -> str:
    """The verdict for a token bound to KEY."""
    return check_proof(
        PresentedProof(jws.encode(), method=method, below=below),
        token=TOKEN,
        thumbprint=jwk_thumbprint(KEY.public_jwk()),
        rules=RULES,
        now=NOW,
    )


def test_an_honest_proof_is_good() -> None:
    """And gives the jti, which the caller of the function spends."""
    assert check(proof()) == "1"
    assert check(proof(htu="HTTPS://Gateway.example:443/%6Dcp?x=1#y")) == "1"
    assert check(proof(htu=RULES.resource + "/other"), below="/other") == "1"


@pytest.mark.parametrize(
    "changed",
    [
        {"htm": "GET"},
        {"htm": "post"},
        {"htm": None},
        {"htu": "https://gateway.example/mcp/other"},
        {"htu": "https://evil.example/mcp"},
        {"htu": "http://gateway.example/mcp"},
        {"htu": "https://gateway.example/x/../mcp"},
        {"htu": ["https://gateway.example/mcp"]},
        {"htu": None},
        {"ath": "x" * 43},
        {"ath": None},
        {"iat": NOW + 6},
        {"iat": NOW - 66},
        {"iat": str(NOW)},
        {"iat": True},
        {"iat": None},
        {"jti": None},
        {"jti": ""},
        {"jti": "x" * 257},
        {"jti": 7},
    ],
)
def test_a_proof_for_something_else_is_refused(changed: dict[str, Any]) -> None:
    """Another method, URL, token or time, or none said."""
    with pytest.raises(CredentialRefused) as refused:
        check(proof(**changed))
    assert refused.value.code == "identity.proof_invalid"


@pytest.mark.parametrize(
    "header",
    [
        {"typ": "at+jwt"},
        {"typ": None},
        {"alg": "none"},
        {"alg": "HS256"},
        {"alg": "RS256"},
        {"jwk": None},
        {"jwk": "x"},
        {"jwk": KEY.private_jwk()},
        {"jwk": {"kty": "oct", "k": "eA"}},
        {"jwk": signing_key("ES256", "another").public_jwk()},
        {"crit": ["b64"], "b64": False},
    ],
)
def test_a_hostile_header_is_refused(header: dict[str, Any]) -> None:
    """Algorithm confusion, keys with private parts, a key that is not the token's."""
    with pytest.raises(CredentialRefused) as refused:
        check(proof(header=header))
    assert refused.value.code == "identity.proof_invalid"


def test_another_key_is_refused() -> None:
    """The thief signs with a key of his own: the proof is sound, and not the owner's."""
    with pytest.raises(CredentialRefused):
        check(proof(signing_key("ES256", "thief")))


def test_the_owners_jwk_with_the_thiefs_signature() -> None:
    """The thumbprint fits, the signature does not."""
    with pytest.raises(CredentialRefused):
        check(proof(signing_key("ES256", "thief"), header={"jwk": KEY.public_jwk()}))


def test_an_hmac_with_the_public_key_is_refused() -> None:
    """The classic confusion: the public key taken for a shared secret."""
    header = {"alg": "HS256", "typ": "dpop+jwt", "jwk": KEY.public_jwk()}
    signed = ".".join(b64url(json.dumps(part).encode()) for part in (header, claims()))
    mac = hmac.digest(json.dumps(KEY.public_jwk()).encode(), signed.encode(), "sha256")
    with pytest.raises(CredentialRefused):
        check(f"{signed}.{b64url(mac)}")
    with pytest.raises(CredentialRefused):
        check(forge({**header, "alg": "none"}, claims(), b""))


@pytest.mark.parametrize("jws", ["", "x", "a.b", "a.b.c", "e30.e30.e30", "\x00" * 100])
def test_what_is_no_jws_is_refused(jws: str) -> None:
    """Without an error of another kind."""
    with pytest.raises(CredentialRefused):
        check(jws)


def test_only_asymmetric_algorithms_can_be_configured() -> None:
    """No setting brings HMAC back."""
    for algorithms in ((), ("HS256",), ("none",), ("ES256", "HS256")):
        with pytest.raises(ValueError, match="algorithms"):
            ProofRules(resource=RULES.resource, algorithms=algorithms)


def test_urls_are_normalised_as_rfc_3986_says() -> None:
    """Case of scheme and host, default port, escapes of unreserved characters; a path keeps its case."""
    assert normalised_url("HTTPS://A.example:443/%7Ex/%2f?q#f") == "https://a.example/~x/%2F"
    assert normalised_url("https://a.example") == "https://a.example/"
    assert normalised_url("https://a.example:8443/MCP") == "https://a.example:8443/MCP"

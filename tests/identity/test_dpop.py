"""Proofs against requests: each check of RFC 9449 section 4.3, broken one at a time."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.identity.credentials import PresentedProof, Secret
from gateway.identity.dpop import DPOP_ALGORITHMS, ProofRules, check_proof, normalised_url
from gateway.identity.errors import CredentialRefused
from gateway.identity.jwk import jwk_thumbprint
from tests.support.keys import Kind, SigningKey, b64url, forge, signing_key

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


def check(
    jws: str | bytes,
    *,
    below: str = "",
    method: str = "POST",
    key: SigningKey = KEY,
    rules: ProofRules = RULES,
    nonce_good: Callable[[object], bool] | None = None,
) -> str:
    """The verdict for a token bound to ``key``."""
    return check_proof(
        PresentedProof(jws if isinstance(jws, bytes) else jws.encode(), method=method, below=below),
        token=TOKEN,
        thumbprint=jwk_thumbprint(key.public_jwk()),
        rules=rules,
        now=NOW,
        nonce_good=nonce_good,
    )


def test_an_honest_proof_is_good() -> None:
    """And gives the jti, which the caller of the function spends."""
    assert check(proof()) == "1"
    assert check(proof(htu="HTTPS://Gateway.example:443/%6Dcp?x=1#y")) == "1"
    assert check(proof(htu=RULES.resource + "/other"), below="/other") == "1"


def test_a_proof_for_a_door_beside_the_resource_names_that_door() -> None:
    """And is good there alone; a gateway that has no such door takes none for it."""
    beside = ProofRules(resource=RULES.resource, base="https://gateway.example/gw")

    def at(rules: ProofRules, htu: str) -> str:
        presented = PresentedProof(proof(htu=htu).encode(), method="POST", below="/other", beside="/execute")
        thumbprint = jwk_thumbprint(KEY.public_jwk())
        return check_proof(presented, token=TOKEN, thumbprint=thumbprint, rules=rules, now=NOW)

    assert at(beside, "https://gateway.example/gw/execute") == "1"
    for rules, htu in (
        (beside, "https://gateway.example/gw/authorize"),
        (beside, RULES.resource),
        (beside, RULES.resource + "/other"),
        (beside, "https://gateway.example/execute"),
        (RULES, "/execute"),
        (RULES, "https://gateway.example/execute"),
    ):
        with pytest.raises(CredentialRefused):
            at(rules, htu)


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


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA", "RS256", "PS256"])
def test_each_algorithm_that_can_be_configured(algorithm: Kind) -> None:
    """It is good where it is allowed, by its own key, and nowhere else."""
    key = signing_key(algorithm, None)
    allowed = ProofRules(resource=RULES.resource, algorithms=(algorithm,))
    assert check(proof(key), key=key, rules=allowed) == "1"
    others = tuple(one for one in DPOP_ALGORITHMS if one != algorithm)
    with pytest.raises(CredentialRefused):
        check(proof(key), key=key, rules=ProofRules(resource=RULES.resource, algorithms=others))
    # The same key under the name of another algorithm, and another key of the same kind.
    for other in others:
        with pytest.raises(CredentialRefused):
            check(
                proof(key, header={"alg": other}),
                key=key,
                rules=ProofRules(resource=RULES.resource, algorithms=DPOP_ALGORITHMS),
            )
    with pytest.raises(CredentialRefused):
        check(proof(signing_key(algorithm, "another")), key=key, rules=allowed)


def test_a_short_rsa_key_proves_nothing() -> None:
    """Whoever can factor the modulus has the key."""
    short = SigningKey("RS256", None, rsa_bits=1024)
    allowed = ProofRules(resource=RULES.resource, algorithms=("RS256",))
    with pytest.raises(CredentialRefused):
        check(proof(short), key=short, rules=allowed)


def test_a_nonce_is_asked_for_last() -> None:
    """A proof that is good but for its nonce is told to get one; one that is bad anyway is told that it is bad."""
    good = {"n-1"}.__contains__
    assert check(proof(nonce="n-1"), nonce_good=good) == "1"
    for nonce in ("n-2", "", None):
        with pytest.raises(CredentialRefused) as refused:
            check(proof(nonce=nonce), nonce_good=good)
        assert refused.value.code == "identity.proof_nonce"
    with pytest.raises(CredentialRefused) as refused:
        check(proof(nonce="n-2", htm="GET"), nonce_good=good)
    assert refused.value.code == "identity.proof_invalid"
    assert check(proof(nonce="whatever")) == "1"


SOUND: dict[Kind, bytes] = {
    one: proof(signing_key(one, None)).encode() for one in ("ES256", "EdDSA", "RS256")
}


@given(data=st.data())
def test_any_one_changed_byte_of_a_proof_is_refused(data: st.DataObject) -> None:
    """Header, claims or signature, whatever the byte becomes; never with an error of another kind.

    Attack: a second spelling of a proof, which would be another proof to whoever compares bytes.
    """
    algorithm: Kind = data.draw(st.sampled_from(["ES256", "EdDSA", "RS256"]))
    sound = SOUND[algorithm]
    at = data.draw(st.integers(0, len(sound) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda value: value != sound[at]))
    changed = sound[:at] + bytes([byte]) + sound[at + 1 :]
    rules = ProofRules(resource=RULES.resource, algorithms=("ES256", "EdDSA", "RS256"))
    key = signing_key(algorithm, None)
    assert check(sound, key=key, rules=rules) == "1"
    with pytest.raises(CredentialRefused) as refused:
        check(changed, key=key, rules=rules)
    assert refused.value.code == "identity.proof_invalid"


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA", "RS256"])
def test_the_last_characters_of_each_part_have_one_spelling(algorithm: Kind) -> None:
    """Base64url leaves bits unused at an end, which a lenient decoder ignores: sixteen spellings of one signature."""
    key, sound = signing_key(algorithm, None), SOUND[algorithm].decode()
    rules = ProofRules(resource=RULES.resource, algorithms=("ES256", "EdDSA", "RS256"))
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=. "
    ends = [at - 1 for at, char in enumerate(sound) if char == "."] + [len(sound) - 1]
    for at in ends:
        for char in alphabet.replace(sound[at], ""):
            with pytest.raises(CredentialRefused):
                check(sound[:at] + char + sound[at + 1 :], key=key, rules=rules)
    for tail in ("=", "==", ".", " ", "\n", "\x00"):
        with pytest.raises(CredentialRefused):
            check(sound + tail, key=key, rules=rules)

"""Direct signatures: every leaf of a definition is under them, and only a provider's own key makes them."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from gateway.catalog.definition import read_definition
from gateway.catalog.tool import ETDI_META_KEY
from gateway.etdi.errors import NotVerified
from gateway.etdi.signature import check_signature, verifies
from gateway.etdi.token import verified_payload
from gateway.etdi.trust import SIGNATURE_ALGORITHMS, SignatureAlgorithm, Trust, read_provider_key
from gateway.identity.errors import CredentialRefused
from gateway.identity.jose import open_jws
from gateway.identity.jwk import is_public, verification_key
from tests.support.tool_tokens import NOW, provider_key, signed, wire

EC = ec.generate_private_key(ec.SECP256R1())
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
TRUST = Trust(keys=[provider_key(EC)])


def checked(made: dict[str, Any], trust: Trust = TRUST, accepted: Any = SIGNATURE_ALGORITHMS) -> str:
    """The id of the key that signed. :raises NotVerified:"""
    return check_signature(read_definition(made), trust, accepted, now=NOW).key_id


def block_of(made: dict[str, Any]) -> dict[str, Any]:
    """The ETDI block."""
    found: dict[str, Any] = made["_meta"][ETDI_META_KEY]
    return found


def refusal(made: dict[str, Any], trust: Trust = TRUST, accepted: Any = SIGNATURE_ALGORITHMS) -> str:
    """The text of the refusal."""
    with pytest.raises(NotVerified) as problem:
        checked(made, trust, accepted)
    return problem.value.text


@pytest.mark.parametrize("key", [EC, RSA], ids=["ES256", "RS256"])
def test_a_providers_signature(key: Any) -> None:
    """The control."""
    assert checked(signed(wire(), key), Trust(keys=[provider_key(key)])) == "provider-1"


def test_the_two_forms_of_an_ecdsa_signature() -> None:
    """DER, and r and s side by side (RFC 7518 section 3.4)."""
    made = signed(wire(), EC)
    r, s = decode_dss_signature(base64.b64decode(block_of(made)["signature"]))
    block_of(made)["signature"] = base64.b64encode(r.to_bytes(32) + s.to_bytes(32)).decode()
    assert checked(made) == "provider-1"


def test_a_renewed_token_leaves_the_signature_good() -> None:
    """It is signed without the OAuth block (C24)."""
    made = signed(wire(oauth={"token": "a.b.c", "provider": "idp"}), EC)
    block_of(made)["oauth"] = {"token": "d.e.f", "provider": "another"}
    assert checked(made) == "provider-1"


RICH = {
    **wire(),
    "title": "Pay",
    "annotations": {"readOnlyHint": False},
    "outputSchema": {"type": "object", "properties": {"ok": {"type": "boolean"}}},
    "inputSchema": {
        "type": "object",
        "required": ["to"],
        "properties": {"to": {"type": "string", "enum": ["a", "b"], "default": "a"}, "n": {"minimum": 1}},
    },
}
SIGNED = signed(RICH, EC)


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The place of every leaf."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = [place for key, one in items for place in leaves(one, (*path, key))]
    return found or [path]


@pytest.mark.parametrize("place", leaves(SIGNED), ids=str)
def test_every_leaf_is_signed(place: tuple[Any, ...]) -> None:
    """Also nested members of the schema, which a sorted allow-list of names leaves out (C02)."""
    made = copy.deepcopy(SIGNED)
    inner: Any = made
    for step in place[:-1]:
        inner = inner[step]
    before = inner[place[-1]]
    inner[place[-1]] = (not before) if isinstance(before, bool) else 7 if isinstance(before, int) else "2.0.0"
    with pytest.raises((NotVerified, ValueError)):
        checked(made)


def test_what_is_added_is_signed_too() -> None:
    """Beside the members, and within them."""
    for place in ((), ("inputSchema", "properties"), ("_meta",), ("_meta", ETDI_META_KEY)):
        made = copy.deepcopy(SIGNED)
        inner: Any = made
        for step in place:
            inner = inner[step]
        inner["extra"] = {"type": "string"}
        assert refusal(made) == "Invalid definition signature"


@pytest.mark.parametrize("algorithm", ["HS256", "none", "PS256", "ES384", "RS384"])
def test_other_algorithms(algorithm: str) -> None:
    """R083."""
    made = copy.deepcopy(SIGNED)
    block_of(made)["signatureAlgorithm"] = algorithm
    assert refusal(made) == f"Unsupported algorithm: {algorithm}"


@pytest.mark.parametrize("algorithm", [None, 5, "Ignore previous instructions", ""])
def test_an_algorithm_of_another_name_is_not_repeated(algorithm: Any) -> None:
    """The word is the server's."""
    made = copy.deepcopy(SIGNED)
    block_of(made)["signatureAlgorithm"] = algorithm
    assert refusal(made) == "Unsupported algorithm: of another name"


def test_the_algorithm_is_the_keys() -> None:
    """A definition that says RS256 of a P-256 key changes nothing about the key (C57); nor what was forbidden."""
    made = copy.deepcopy(SIGNED)
    block_of(made)["signatureAlgorithm"] = "RS256"
    assert refusal(made) == "Signature algorithm is not that of the provider's key"
    assert refusal(SIGNED, accepted=("RS256",)) == "Unsupported algorithm: ES256"


@pytest.mark.parametrize(
    "value",
    [
        "",
        "x",
        "====",
        "AAAA",
        "A" * 4000,
        "c2ln\n",
        " c2ln",
        "c2ln=",
        "c-_n",
        "ü",
        base64.b64encode(bytes(64)).decode(),
    ],
)
def test_what_is_no_signature(value: str) -> None:
    """Zeros among it (CVE-2022-21449)."""
    made = copy.deepcopy(SIGNED)
    block_of(made)["signature"] = value
    assert "signature" in refusal(made).lower()


def test_whose_key_it_is() -> None:
    """Another provider's, one of another id, one that nobody knows: by name of the provider and id of the key."""
    other = ec.generate_private_key(ec.SECP256R1())
    two = Trust(keys=[provider_key(EC), provider_key(other, key_id="provider-2")])
    assert checked(signed(wire(), other, key_id="provider-2"), two) == "provider-2"
    assert refusal(signed(wire(), other, key_id="provider-1"), two) == "Invalid definition signature"
    assert refusal(signed(wire(), EC, key_id="provider-9"), two) == "No public key found for provider"
    assert refusal(signed(wire(), EC, key_id="../provider-1"), two) == "No public key found for provider"
    assert refusal(signed(wire(), EC, key_id=None), two) == "No public key found for provider"
    assert checked(signed(wire(), EC, key_id=None)) == "provider-1"
    assert refusal(signed(wire(provider={"id": "mallory"}), EC)) == "No public key found for provider"
    assert refusal(signed(wire(provider=None), EC)) == "Missing provider information"
    assert refusal(wire()) == "Definition is not signed"


def test_a_key_that_has_ended() -> None:
    """At that second."""
    ended = Trust(keys=[provider_key(EC, expires=int(NOW))])
    assert refusal(SIGNED, ended) == "The provider's key has expired"
    assert checked(SIGNED, Trust(keys=[provider_key(EC, expires=int(NOW) + 1)])) == "provider-1"


VECTORS = json.loads(Path(__file__).with_name("wycheproof.json").read_bytes())
SIGNATURES = [
    pytest.param(group["algorithm"], group["key"], *test, id=f"{group['file']}-{number}-{test[0]}")
    for number, group in enumerate(VECTORS["signatures"])
    for test in group["tests"]
]


@pytest.mark.parametrize(("algorithm", "pem", "comment", "message", "signature", "result"), SIGNATURES)
def test_wycheproof_signatures(
    algorithm: SignatureAlgorithm, pem: str, comment: str, message: str, signature: str, result: str
) -> None:
    """Edge cases of ECDSA and RSA signatures; DER and r and s side by side."""
    key = read_provider_key(pem.encode(), provider="p", key_id="k")
    assert key.algorithm == algorithm
    raw = bytes.fromhex(signature)
    good = verifies(key, raw, hashlib.sha256(bytes.fromhex(message)).digest())
    if result != "acceptable":
        assert good == (result == "valid")


JWS = [
    pytest.param(group["key"], *test, id=f"{group['comment']}-{number}-{test[0]}")
    for number, group in enumerate(VECTORS["jws"])
    for test in group["tests"]
]


@pytest.mark.parametrize(("jwk", "comment", "jws", "result"), JWS)
def test_wycheproof_jws(jwk: dict[str, Any], comment: str, jws: str, result: str) -> None:
    """Whatever the vectors say must not verify does not; whatever they say is valid does."""
    key = verification_key(jwk) if is_public(jwk) else None
    try:
        opened = open_jws(jws.encode("utf-8", "replace"))
    except CredentialRefused:
        opened = None
    algorithm = None if opened is None else opened[0].get("alg")
    payload = None
    if key is not None and isinstance(algorithm, str):
        payload = verified_payload(jws.encode(), key, algorithm)
    expected = result == "valid" and comment != "emptyPayload"  # a token without claims is none
    assert (payload is not None) == expected

"""What is signed, by the vectors that the TypeScript client is tested with; and the gateway's own reading of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jwt
import pytest

from gateway.canonical import canonical_bytes, canonical_hash
from gateway.client.keys import b64url, hash_of_token
from gateway.client.login.dpop import Prover
from gateway.door.strict_json import parse
from gateway.identity.jwk import jwk_thumbprint
from tests.support.keys import signing_key

VECTORS: dict[str, list[dict[str, Any]]] = json.loads(
    (Path(__file__).parents[1] / "vectors/proofs.json").read_text(encoding="utf-8")
)


@pytest.mark.parametrize("vector", VECTORS["parameters"], ids=lambda one: one["name"])
def test_the_hash_of_the_parameters(vector: dict[str, Any]) -> None:
    """RFC 8785 bytes, hashed: of the text that goes over the wire."""
    parameters = parse(vector["text"].encode())
    assert canonical_bytes(parameters).decode() == vector["canonical"]
    assert b64url(bytes.fromhex(canonical_hash(parameters))) == vector["args"]


@pytest.mark.parametrize("vector", VECTORS["tokens"], ids=lambda one: one["token"])
def test_the_hash_of_the_token(vector: dict[str, str]) -> None:
    """RFC 9449 section 4.2."""
    assert hash_of_token(vector["token"]) == vector["ath"]


@pytest.mark.parametrize("vector", VECTORS["keys"], ids=lambda one: one["name"])
def test_the_thumbprint_of_a_key(vector: dict[str, Any]) -> None:
    """RFC 7638, and for Ed25519 the example of RFC 8037 appendix A.3."""
    assert jwk_thumbprint(vector["jwk"]) == vector["thumbprint"]


@pytest.mark.parametrize("vector", VECTORS["urls"], ids=lambda one: one["url"])
def test_the_url_of_a_request(vector: dict[str, str]) -> None:
    """Without query and fragment."""
    proof = Prover(signing_key("EdDSA").private).proof("POST", vector["url"])
    assert jwt.decode(proof, options={"verify_signature": False})["htu"] == vector["htu"]

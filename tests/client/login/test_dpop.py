"""Proofs, checked as a server does."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from pathlib import Path

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.client.login.dpop import Prover, load_key
from gateway.client.login.vault import FileVault

URL = "https://g.example/mcp?x=1#y"


def prover() -> Prover:
    """With a fresh key."""
    return Prover(ec.generate_private_key(ec.SECP256R1()), lambda: 1_000.0)


def test_a_proof_says_what_the_rfc_wants() -> None:
    """Method, address without query, the token's hash, a number used once; and of the key the public half."""
    signer = prover()
    proof = signer.proof("POST", URL, access="token")
    header = jwt.get_unverified_header(proof)
    assert (header["typ"], header["alg"]) == ("dpop+jwt", "ES256")
    assert set(header["jwk"]) == {"crv", "kty", "x", "y"}
    claims = jwt.decode(
        proof, jwt.PyJWK(header["jwk"], "ES256"), algorithms=["ES256"], options={"verify_iat": False}
    )
    digest = base64.urlsafe_b64encode(hashlib.sha256(b"token").digest()).rstrip(b"=").decode()
    assert (claims["htm"], claims["htu"], claims["ath"]) == ("POST", "https://g.example/mcp", digest)
    assert claims["iat"] == 1_000
    again = jwt.decode(signer.proof("POST", URL), options={"verify_signature": False})
    assert again["jti"] != claims["jti"]
    assert "ath" not in again


def test_a_nonce_belongs_to_its_server() -> None:
    """It is used from then on, at that place alone; the same one again is no news."""
    signer = prover()
    assert signer.heard(URL, "n-1")
    assert not signer.heard(URL, "n-1")
    assert not signer.heard(URL, None)
    there = jwt.decode(signer.proof("GET", "https://g.example/other"), options={"verify_signature": False})
    elsewhere = jwt.decode(signer.proof("GET", "https://as.example/"), options={"verify_signature": False})
    assert there["nonce"] == "n-1"
    assert "nonce" not in elsewhere


async def test_an_installation_has_one_key(tmp_path: Path) -> None:
    """Also when two processes make it at the same moment."""
    vault = FileVault(tmp_path / "state")
    keys = await asyncio.gather(*(load_key(vault) for _ in range(8)))
    assert len({Prover(key, lambda: 0.0).thumbprint for key in keys}) == 1

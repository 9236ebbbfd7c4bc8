"""Generated keys and the JWTs they sign, honest and hostile. Nothing here is a stored secret."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from functools import cache
from typing import Any, Literal

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

Kind = Literal["RS256", "PS256", "ES256", "ES384", "ES512", "EdDSA"]
_CURVES: Mapping[str, ec.EllipticCurve] = {
    "ES256": ec.SECP256R1(),
    "ES384": ec.SECP384R1(),
    "ES512": ec.SECP521R1(),
}


def b64url(data: bytes) -> str:
    """RFC 7515 base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def forge(
    header: Mapping[str, Any] | bytes, payload: Mapping[str, Any] | bytes, signature: bytes = b"x"
) -> str:
    """A compact JWS of whatever one likes."""
    parts = [part if isinstance(part, bytes) else json.dumps(part).encode() for part in (header, payload)]
    return ".".join(b64url(part) for part in (*parts, signature))


class SigningKey:
    """A private key, its public JWK, and tokens signed with it."""

    def __init__(self, algorithm: Kind, kid: str | None, *, rsa_bits: int = 2048) -> None:
        self.algorithm = algorithm
        self.kid = kid
        self.private: Any
        if algorithm in ("RS256", "PS256"):
            self.private = rsa.generate_private_key(public_exponent=65537, key_size=rsa_bits)
        elif algorithm == "EdDSA":
            self.private = ed25519.Ed25519PrivateKey.generate()
        else:
            self.private = ec.generate_private_key(_CURVES[algorithm])

    def _export(self, key: Any) -> dict[str, Any]:
        if self.algorithm in ("RS256", "PS256"):
            return RSAAlgorithm.to_jwk(key, as_dict=True)
        if self.algorithm == "EdDSA":
            return OKPAlgorithm.to_jwk(key, as_dict=True)
        return ECAlgorithm.to_jwk(key, as_dict=True)

    def public_jwk(self, **members: Any) -> dict[str, Any]:
        """The JWK as an issuer publishes it; a member given as None is left out."""
        made = self._export(self.private.public_key())
        made.pop("key_ops", None)
        made |= {"kid": self.kid, "alg": self.algorithm, "use": "sig", **members}
        return {name: value for name, value in made.items() if value is not None}

    def private_jwk(self) -> dict[str, Any]:
        """The JWK that nobody should publish."""
        return {**self._export(self.private), "kid": self.kid}

    def sign(self, claims: Mapping[str, Any] | bytes, **header: Any) -> str:
        """A JWT; header members given as None are left out. `typ` is at+jwt unless told otherwise."""
        made = {"alg": self.algorithm, "typ": "at+jwt", "kid": self.kid, **header}
        made = {name: value for name, value in made.items() if value is not None}
        payload = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
        signed = f"{b64url(json.dumps(made).encode())}.{b64url(payload)}"
        return f"{signed}.{b64url(self.signature(signed.encode()))}"

    def signature(self, signed: bytes) -> bytes:
        """The JWS signature over any bytes, so that headers no careful library would write can be signed."""
        return jwt.PyJWS().get_algorithm_by_name(self.algorithm).sign(signed, self.private)


@cache
def signing_key(algorithm: Kind = "ES256", kid: str | None = "key-1") -> SigningKey:
    """One key per algorithm and kid and run: making RSA keys is slow."""
    return SigningKey(algorithm, kid)


def key_set(*keys: SigningKey | Mapping[str, Any]) -> bytes:
    """A JWK Set document."""
    return json.dumps(
        {"keys": [key.public_jwk() if isinstance(key, SigningKey) else dict(key) for key in keys]}
    ).encode()

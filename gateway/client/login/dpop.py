"""Proofs that whoever sends a token holds its key (RFC 9449). An installation makes its key at the first use."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from urllib.parse import urlsplit, urlunsplit

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.client.errors import VaultError
from gateway.client.keys import ProofKey, hash_of_token, key_of
from gateway.client.login.vault import Vault

TYPE = "dpop+jwt"
KEY = "dpop-key"


class Prover:
    """Signs proofs, and remembers the nonce that each server wants (section 8)."""

    def __init__(self, key: object, now: Callable[[], float] = time.time) -> None:
        self.key = key if isinstance(key, ProofKey) else key_of(key)
        self._now = now
        self._nonces: dict[str, str] = {}

    def __repr__(self) -> str:
        return "<prover>"

    @property
    def thumbprint(self) -> str:
        """RFC 7638: what a token is bound to."""
        return self.key.thumbprint

    def proof(self, method: str, url: str, *, access: str | None = None) -> str:
        """A proof for one request; ``access`` is the token that goes with it (section 4.2)."""
        claims: dict[str, object] = {
            "jti": secrets.token_urlsafe(24),
            "htm": method,
            "htu": _target(url),
            "iat": int(self._now()),
        }
        if access is not None:
            claims["ath"] = hash_of_token(access)
        nonce = self._nonces.get(_place(url))
        if nonce is not None:
            claims["nonce"] = nonce
        return self.key.sign(TYPE, claims)

    def heard(self, url: str, nonce: str | None) -> bool:
        """A server's ``DPoP-Nonce``. True: it is another one than the last proof to that server had."""
        if nonce is None or self._nonces.get(_place(url)) == nonce:
            return False
        self._nonces[_place(url)] = nonce
        return True


async def load_key(vault: Vault) -> ec.EllipticCurvePrivateKey:
    """The key of this installation, made at the first use. :raises VaultError: it cannot be kept or read."""
    async with vault.locked(KEY):
        kept = await vault.get(KEY)
        if kept is None:
            key = ec.generate_private_key(ec.SECP256R1())
            pem = key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            await vault.put(KEY, pem)
            return key
    try:
        loaded = serialization.load_pem_private_key(kept, None)
    except ValueError:
        raise VaultError("The kept proof key cannot be read; remove it to sign in anew.") from None
    if not isinstance(loaded, ec.EllipticCurvePrivateKey):
        raise VaultError("The kept proof key is of another kind; remove it to sign in anew.")
    return loaded


def nonce_in(header: str | None) -> str | None:
    """The value of ``DPoP-Nonce``; None where it is none that a proof could carry."""
    return header if header and len(header) <= 512 and header.isascii() and header.isprintable() else None


def _target(url: str) -> str:
    """Without query and fragment (section 4.2, ``htu``)."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc, parts.path, "", ""))


def _place(url: str) -> str:
    return "{0.scheme}://{0.netloc}".format(urlsplit(url))

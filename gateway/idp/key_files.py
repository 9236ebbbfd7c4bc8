"""Private keys as files: PKCS#8 PEM, 0600, one for each key, encrypted where there is a passphrase.

A file is named by its key's thumbprint, which comes from the registry and never from a token's header (attack: a key id
as a path). Reading checks that the file is nobody else's to read and holds the half of the very key that is asked for.
Blocking; for a thread.
"""

from __future__ import annotations

import os
import re
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from gateway.identity.jwk import jwk_thumbprint
from gateway.idp.errors import KeyMissing
from gateway.idp.key import Algorithm

RSA_BITS: Final = 3072
"""NIST SP 800-57 part 1 table 2: 128 bits of strength, as P-256 has."""
PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
_KID: Final = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)


def new_private_key(algorithm: Algorithm) -> PrivateKey:
    """A fresh pair. RSA takes up to a second."""
    if algorithm == "ES256":
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)


def public_jwk(key: PrivateKey) -> dict[str, str]:
    """The public members that RFC 7518 section 6 requires, and no others."""
    made: dict[str, Any] = (
        ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
        if isinstance(key, ec.EllipticCurvePrivateKey)
        else RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    )
    return {name: made[name] for name in ("kty", "crv", "x", "y", "n", "e") if name in made}


class KeyFiles:
    """The folder of private keys."""

    def __init__(self, folder: Path, passphrase: str | None = None) -> None:
        self._folder = folder
        self._passphrase = passphrase.encode() if passphrase else None

    def write(self, kid: str, key: PrivateKey) -> None:
        """Whole or not at all, and never over another's. :raises OSError:"""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        made = self._folder / f".{secrets.token_hex(8)}"
        try:
            with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(pem_of(key, self._passphrase))
                file.flush()
                os.fsync(file.fileno())
            with suppress(FileExistsError):
                os.link(made, self._path(kid))
        finally:
            made.unlink(missing_ok=True)

    def read(self, kid: str) -> PrivateKey:
        """The private half. :raises KeyMissing: no such file, one that others may read, or not that key's."""
        path = self._path(kid)
        try:
            if os.name == "posix" and path.stat().st_mode & 0o077:
                raise KeyMissing("The file of the signing key may be read by others; chmod it to 600.")
            key = key_of(path.read_bytes(), self._passphrase)
        except (OSError, ValueError):
            raise KeyMissing(
                "The signing key cannot be used here; see idp.folder and idp.passphrase_file."
            ) from None
        # Attack: another key under this name, put there by whoever can write the folder.
        if jwk_thumbprint(public_jwk(key)) != kid:
            raise KeyMissing("The file of the signing key holds another key than its name says.")
        return key

    def forget(self, kid: str) -> None:
        """What signs no more need not lie around."""
        self._path(kid).unlink(missing_ok=True)

    def _path(self, kid: str) -> Path:
        if not _KID.fullmatch(kid):
            raise KeyMissing("The registry names a key that can be none of ours.")
        return self._folder / f"{kid}.pem"


def pem_of(key: PrivateKey, passphrase: bytes | None) -> bytes:
    """PKCS#8, encrypted under the passphrase if there is one."""
    how: KeySerializationEncryption = NoEncryption()
    if passphrase is not None:
        how = BestAvailableEncryption(passphrase)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, how)


def key_of(pem: bytes, passphrase: bytes | None) -> PrivateKey:
    """:raises ValueError: no PEM, another passphrase, or another kind of key. The message never quotes the input."""
    try:
        key = load_pem_private_key(pem, passphrase)
    except (ValueError, TypeError):
        raise ValueError("not a private key that this passphrase opens") from None
    if isinstance(key, rsa.RSAPrivateKey) or (
        isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1)
    ):
        return key
    raise ValueError("neither P-256 nor RSA")

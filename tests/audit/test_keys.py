"""Keys of the checkpoints: made, kept apart, read back, and nothing else taken for one."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from gateway.audit.keys import new_key, read_private_key, read_public_key


def test_a_new_pair_belongs_together() -> None:
    """What the private half signs, the public half verifies."""
    private, public = new_key()
    read_public_key(public).verify(read_private_key(private).sign(b"checkpoint"), b"checkpoint")


def test_every_key_is_another() -> None:
    """Two pairs are two pairs."""
    assert new_key() != new_key()


def test_only_plain_ed25519_is_a_signing_key() -> None:
    """Another curve, an encrypted key, a public key and nonsense are refused, and none is quoted."""
    other = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    locked = ed25519.Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")
    )
    for pem in (other, locked, new_key()[1], b"", b"nonsense"):
        with pytest.raises(ValueError, match="not an") as refusal:
            read_private_key(pem)
        assert not pem or pem.decode(errors="replace") not in str(refusal.value)


def test_only_ed25519_verifies() -> None:
    """A private key is no public key, and neither is nonsense."""
    for pem in (new_key()[0], b"", b"nonsense"):
        with pytest.raises(ValueError, match="not a"):
            read_public_key(pem)

"""Signed checkpoints: Ed25519 (RFC 8032) over where the chain stands. Pure.

The signature binds chain id, sequence number, hash of the line before, time, and the promises ``every`` and
``final``; its first line keeps it from meaning anything in another protocol. A key is named by the first 16
hex digits of the SHA-256 of its raw public bytes: a hint for finding the key, never a reason to trust one.
"""

from __future__ import annotations

import hashlib

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.audit.chain import Chain, Checkpoint, Line

DEFAULT_EVERY = 100
"""Lines between two checkpoints: as many as somebody with the file, but not the key, could rewrite at its
end."""


_DOMAIN = b"countersign audit checkpoint v1\n"


class Signer:
    """Makes checkpoints with one private key."""

    def __init__(self, key: Ed25519PrivateKey, *, every: int = DEFAULT_EVERY) -> None:
        if every < 1:
            raise ValueError("a checkpoint comes after one line or more")
        self._key = key
        self.every = every
        self.key_id = key_id(key.public_key())

    def checkpoint(self, chain: Chain, *, time: str, final: bool) -> Checkpoint:
        """The checkpoint that may stand as the next line of ``chain``."""
        message = _message(chain.id, chain.seq, chain.head, time, self.every, self.key_id, final=final)
        signature = self._key.sign(message).hex()
        return Checkpoint(time=time, every=self.every, final=final, key_id=self.key_id, signature=signature)


def is_signed(line: Line, checkpoint: Checkpoint, *, chain_id: str, key: Ed25519PublicKey) -> bool:
    """Whether ``key`` signed this checkpoint for this very place. Does not check that ``line.prev`` is
    true."""
    message = _message(
        chain_id,
        line.seq,
        line.prev,
        checkpoint.time,
        checkpoint.every,
        checkpoint.key_id,
        final=checkpoint.final,
    )
    try:
        signature = bytes.fromhex(checkpoint.signature)
        # fromhex takes upper case and blanks; a signature has one spelling.
        if signature.hex() != checkpoint.signature:
            return False
        key.verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def key_id(key: Ed25519PublicKey) -> str:
    """The short name of a key in checkpoints."""
    return hashlib.sha256(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()[:16]


def _message(
    chain_id: str, seq: int, prev: str, time: str, every: int, signed_by: str, *, final: bool
) -> bytes:
    # As JSON, so that no member can run into the next.
    return _DOMAIN + msgspec.json.encode((chain_id, seq, prev, time, every, signed_by, final))

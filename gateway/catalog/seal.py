"""Approvals at rest: AES-256-GCM under a key that is not in the state, each record bound to its own place.

What an attacker who can write the state, and does not have the key, cannot do: read a record, change it, or put the
record of one tool in the place of another's (the name is authenticated with it). Putting back an *older* record of the
same tool is what the anchor is for (``anchor.py``).

NIST SP 800-38D; nonces are 96 random bits (section 8.2.2), good for far more records than there are approvals.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Sequence
from contextlib import suppress
from enum import StrEnum
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32
GENERATED = "approvals.key"
"""Name of the key that is made where none is configured, beside the audit file."""
_MAGIC = b"cs1."
_NONCE_BYTES = 12
_ID_BYTES = 16
_HEX = re.compile(r"[0-9a-fA-F]{64}", re.ASCII)


class Flaw(StrEnum):
    """Why a record in the store is not to be believed."""

    UNREADABLE = "unreadable"
    NOT_SEALED = "not sealed"
    OTHER_KEY = "sealed with another key"
    EDITED = "edited, or of another tool"
    ROLLED_BACK = "older than what was decided last"
    REMOVED = "removed from the state"


class Broken(ValueError):
    """A value that this seal did not make, or not for this place."""

    def __init__(self, flaw: Flaw) -> None:
        super().__init__(flaw.value)
        self.flaw = flaw


class Seal:
    """Closes with one key, opens with it and its predecessors."""

    def __init__(self, key: bytes, previous: Sequence[bytes] = ()) -> None:
        keys = [_Key(key), *(_Key(one) for one in previous)]
        self._current = keys[0]
        self._keys = {one.id: one for one in keys}

    @property
    def key_id(self) -> str:
        """Names the key in use, and says nothing about it."""
        return self._current.id.decode()

    def close(self, name: str, plain: bytes) -> bytes:
        """Seal ``plain`` for the place ``name``."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return _MAGIC + self._current.id + nonce + self._current.aead.encrypt(nonce, plain, name.encode())

    def open(self, name: str, sealed: bytes) -> bytes:
        """What was sealed for that place. :raises Broken: it was not, or not by us."""
        if not sealed.startswith(_MAGIC):
            raise Broken(Flaw.NOT_SEALED)
        head = len(_MAGIC) + _ID_BYTES
        key = self._keys.get(sealed[len(_MAGIC) : head])
        if key is None:
            raise Broken(Flaw.OTHER_KEY)
        try:
            return key.aead.decrypt(
                sealed[head : head + _NONCE_BYTES], sealed[head + _NONCE_BYTES :], name.encode()
            )
        except (InvalidTag, ValueError):
            raise Broken(Flaw.EDITED) from None

    def current(self, sealed: bytes) -> bool:
        """Whether the key in use made it; an earlier one did otherwise."""
        return sealed.startswith(_MAGIC + self._current.id)

    def mac(self, text: bytes) -> str:
        """64 hex digits over ``text``, under a key of its own (for ``anchor.py``)."""
        return hmac.new(self._current.mac, text, hashlib.sha256).hexdigest()

    def vouches(self, text: bytes, mac: str) -> bool:
        """Whether one of the keys made that MAC."""
        return any(
            hmac.compare_digest(hmac.new(one.mac, text, hashlib.sha256).hexdigest(), mac)
            for one in self._keys.values()
        )


class _Key:
    """One secret, and the three things it is used for, none of which gives away another."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) != KEY_BYTES:
            raise ValueError(f"the key has {KEY_BYTES} bytes")
        self.aead = AESGCM(_derived(secret, b"countersign approvals seal"))
        self.mac = _derived(secret, b"countersign approvals anchor")
        self.id = _derived(secret, b"countersign approvals key id").hex().encode()[:_ID_BYTES]


def _derived(secret: bytes, purpose: bytes) -> bytes:
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=purpose).derive(secret)


def sealed(value: bytes) -> bool:
    """Whether a stored value claims to be sealed."""
    return value.startswith(_MAGIC)


def key_of(text: str) -> bytes:
    """A configured key: 32 bytes as 64 hex digits or base64. :raises ValueError: it is none."""
    text = text.strip()
    if _HEX.fullmatch(text):
        return bytes.fromhex(text)
    try:
        raw = base64.b64decode(
            text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4), validate=True
        )
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != KEY_BYTES:
        raise ValueError("is not 32 random bytes as base64 or hex (`openssl rand -base64 32` makes one)")
    return raw


def generated_key(folder: Path) -> bytes:
    """The key of this machine, made (0600) unless it is there. One, however many processes start at once.

    :raises OSError: the folder cannot be written, or the key not be read. :raises ValueError: the file holds no key.
    """
    path = folder / GENERATED
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        made = folder / f".{GENERATED}.{secrets.token_hex(8)}"
        try:
            with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(base64.b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n")
                file.flush()
                os.fsync(file.fileno())
            with suppress(FileExistsError):
                os.link(made, path)  # whole or not at all, and never over another's
        finally:
            made.unlink(missing_ok=True)
    return key_of(path.read_text(encoding="ascii"))

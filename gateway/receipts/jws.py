"""A receipt as a compact JWS (RFC 7515 section 7.1) with EdDSA over Ed25519 (RFC 8037). Pure.

Attacks: ``alg: none`` or an HMAC keyed with our public key (RFC 8725 section 3.1): only ``EdDSA`` is read, and the
header brings no key (``jwk``, ``jku``, ``x5c`` are not even looked at). An access token or another JWT passed off as a
receipt: the type must be :data:`TYPE` (RFC 8725 section 3.11). Two spellings of one signature: base64url is canonical.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from gateway.receipts.receipt import RECEIPT_VERSION, Receipt

TYPE: Final = "countersign-receipt+jwt"
ALGORITHM: Final = "EdDSA"
MAX_RECEIPT_BYTES: Final = 64 * 1024
"""A receipt has about 1.5 kB; what is longer is none."""
_COMPACT: Final = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]*)")


class _Header(msgspec.Struct, frozen=True, kw_only=True):
    alg: str
    kid: str
    typ: str
    crit: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    b64: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


_HEADER = msgspec.json.Decoder(_Header)
_CLAIMS = msgspec.json.Decoder(Receipt)
_ENCODER = msgspec.json.Encoder()


class NotAReceipt(ValueError):
    """The text is no compact JWS. The message says what it lacks."""


class Forged(ValueError):
    """It is one, and it is not true. ``what`` names the part: ``algorithm``, ``type``, ``key``, ``signature``,
    ``claims``."""

    def __init__(self, what: str, message: str) -> None:
        super().__init__(message)
        self.what = what


class Signer:
    """Signs with one key. ``kid`` is the key's name in the published set."""

    def __init__(self, key: Ed25519PrivateKey, kid: str) -> None:
        self._key = key
        header = _ENCODER.encode({"alg": ALGORITHM, "kid": kid, "typ": TYPE})
        self._head = _base64(header) + b"."

    def sign(self, receipt: Receipt) -> str:
        """About 60 µs, nearly all of it the signature."""
        signed = self._head + _base64(_ENCODER.encode(receipt))
        return (signed + b"." + _base64(self._key.sign(signed))).decode()


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """What a text says, unverified: for naming what was altered, never for believing it."""

    alg: str
    kid: str
    typ: str
    critical: bool
    receipt: Receipt
    signed: bytes
    signature: bytes


def read(text: str) -> Opened:
    """Take a receipt apart. Nothing of it is verified.

    :raises NotAReceipt: no compact JWS.
    :raises Forged: ``claims``: a JWS that the gateway never made: another encoding, or not a receipt's claims.
    """
    match = _COMPACT.fullmatch(text) if len(text) <= MAX_RECEIPT_BYTES else None
    if match is None:
        raise NotAReceipt("it is no compact JWS")
    header, payload, signature = (_unbase64(part) for part in match.groups())
    if header is None or payload is None or signature is None:
        raise Forged("claims", "a part is not canonical base64url")
    try:
        head = _HEADER.decode(header)
        receipt = _CLAIMS.decode(payload)
    except (ValueError, RecursionError):
        raise Forged("claims", "header or claims are not those of a receipt") from None
    critical = head.crit is not msgspec.UNSET or head.b64 is not msgspec.UNSET
    return Opened(
        alg=head.alg,
        kid=head.kid,
        typ=head.typ,
        critical=critical,
        receipt=receipt,
        signed=text.rpartition(".")[0].encode(),
        signature=signature,
    )


def check(opened: Opened, keys: dict[str, Ed25519PublicKey]) -> Receipt:
    """The receipt, if one of these keys signed it. ``keys`` are trusted, and found by their name.

    :raises Forged: naming the part that is not right.
    """
    if opened.alg != ALGORITHM:
        raise Forged(
            "algorithm", f"it is signed with {opened.alg[:32]!r}; receipts are signed with {ALGORITHM}"
        )
    if opened.typ != TYPE:
        raise Forged("type", f"it calls itself {opened.typ[:64]!r}, which is no receipt")
    if opened.critical:
        # RFC 7515 section 4.1.11: an extension that is not understood must refuse, and none is.
        raise Forged("type", "its header demands an extension that receipts do not have")
    key = keys.get(opened.kid)
    if key is None:
        raise Forged("key", f"no key of the gateway is called {opened.kid[:64]!r}")
    try:
        key.verify(opened.signature, opened.signed)
    except InvalidSignature:
        raise Forged("signature", "the signature is not over these claims: something was altered") from None
    if opened.receipt.v != RECEIPT_VERSION:
        raise Forged("claims", f"version {opened.receipt.v} is not known here")
    # Read twice, two ways? What is signed is what is read: our own spelling, no member twice, no blanks.
    if opened.signed.partition(b".")[2] != _base64(_ENCODER.encode(opened.receipt)):
        raise Forged("claims", "the claims are spelt as the gateway never spells them")
    return opened.receipt


def _base64(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _unbase64(segment: str) -> bytes | None:
    """Canonical base64url only: the unused bits of the last character are zero (RFC 4648 section 3.5)."""
    try:
        decoded = base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    except (binascii.Error, ValueError):
        return None
    return decoded if _base64(decoded) == segment.encode() else None

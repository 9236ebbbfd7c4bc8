"""Signatures of webhooks as Standard Webhooks has them (standardwebhooks.com, specification 1.0), both ways. Pure.

``webhook-id``, ``webhook-timestamp`` (unix seconds) and ``webhook-signature`` (``v1,`` and the base64 of
HMAC-SHA-256 over ``id.timestamp.body``; several are separated by blanks). NOT seen: whether an id was used before;
whoever asks for an answer compares it with its own.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Final

ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
TOLERANCE_S: Final = 300
"""Seconds that two clocks may differ; what the specification's own libraries take."""
PREFIX: Final = "whsec_"
KEY_BYTES: Final = (24, 64)
"""Least and most bytes of a secret, as the specification has them."""
MAX_SIGNATURES: Final = 8
_SECONDS = re.compile(r"[0-9]{1,12}", re.ASCII)


class BadSignature(Exception):
    """Not signed with this secret, or not now. Says no more."""


def key_of(secret: str) -> bytes:
    """``whsec_…`` -> the key. :raises ValueError: it is none; the message does not quote it."""
    if not secret.startswith(PREFIX):
        raise ValueError(f"a secret is {PREFIX} and base64 of {KEY_BYTES[0]} to {KEY_BYTES[1]} random bytes")
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not KEY_BYTES[0] <= len(key) <= KEY_BYTES[1]:
        raise ValueError(f"a secret is {PREFIX} and base64 of {KEY_BYTES[0]} to {KEY_BYTES[1]} random bytes")
    return key


def signed(key: bytes, message_id: str, at: int, body: bytes) -> dict[str, str]:
    """The three header fields for this message."""
    return {ID: message_id, TIMESTAMP: str(at), SIGNATURE: f"v1,{_mac(key, message_id, str(at), body)}"}


def check_signed(key: bytes, headers: Mapping[str, str], body: bytes, *, now: float) -> str:
    """The message's id, if it was signed with this key, and now. Compared in constant time.

    :raises BadSignature:
    """
    message_id, at = headers.get(ID, ""), headers.get(TIMESTAMP, "")
    if not message_id or not _SECONDS.fullmatch(at) or abs(now - int(at)) > TOLERANCE_S:
        raise BadSignature
    wanted = f"v1,{_mac(key, message_id, at, body)}".encode()
    given = headers.get(SIGNATURE, "").split(" ", MAX_SIGNATURES)[:MAX_SIGNATURES]
    found = [hmac.compare_digest(one.encode("utf-8", "replace"), wanted) for one in given]
    if not any(found):
        raise BadSignature
    return message_id


def _mac(key: bytes, message_id: str, at: str, body: bytes) -> str:
    content = b".".join((message_id.encode("utf-8", "replace"), at.encode(), body))
    return base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()

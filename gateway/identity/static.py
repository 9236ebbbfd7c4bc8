"""Static tokens: for laptops, CI and services without an identity provider.

The gateway keeps SHA-256 hashes only, so a leaked configuration opens nothing. A plain fast hash is enough
because a minted token carries 256 random bits; that is why short tokens are refused where they are made.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from gateway.identity.caller import Caller
from gateway.identity.credentials import MAX_TOKEN_BYTES, Secret
from gateway.identity.errors import Code, CredentialRefused

STATIC_ISSUER: Final = "urn:countersign:static"
"""Issuer of callers from the table. No JWT can carry it: trusted issuers are URLs."""
MIN_TOKEN_CHARS: Final = 24
"""Characters of a token somebody brings along: 24 random base64url characters are 144 bits."""
_TOKEN_BYTES: Final = 32
"""Random bytes of a minted token: 43 base64url characters."""

_B64TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/-]+=*")
_THUMBPRINT: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_HEX_SHA256: Final = re.compile(r"[0-9a-f]{64}")


def mint_static_token(prefix: str = "cs_") -> str:
    """A new token: ``prefix`` and 43 URL-safe characters (256 bits). Shown once; keep only its hash.

    The prefix lets secret scanners find tokens in repositories.
    """
    token = prefix + secrets.token_urlsafe(_TOKEN_BYTES)
    hash_static_token(token)
    return token


def hash_static_token(token: str) -> str:
    """The SHA-256, 64 hex digits, to put into the configuration.

    :raises ValueError: shorter than :data:`MIN_TOKEN_CHARS` (guessable, and a fast hash does not slow a
        guesser), too long, or not a ``b64token`` that could travel in an Authorization header. The token is
        not quoted.
    """
    if len(token) < MIN_TOKEN_CHARS:
        raise ValueError(f"a static token needs at least {MIN_TOKEN_CHARS} characters")
    if len(token) > MAX_TOKEN_BYTES or _B64TOKEN.fullmatch(token) is None:
        raise ValueError("a static token must be an RFC 6750 b64token: letters, digits and ._~+/-")
    return hashlib.sha256(token.encode()).hexdigest()


class StaticToken(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row of the table, as the configuration holds it. ``expires``: unix seconds; null is never.

    ``key_thumbprint``: RFC 7638; with it the token is good only together with proof of that key (RFC 9449).
    """

    sha256: str
    subject: str
    client_id: str | None = None
    roles: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    expires: int | None = None
    key_thumbprint: str | None = None

    def __post_init__(self) -> None:
        if _HEX_SHA256.fullmatch(self.sha256) is None:
            raise ValueError("sha256 must be 64 lower-case hex digits: the hash, never the token itself")
        if not self.subject or not self.subject.isprintable():
            raise ValueError("subject must be printable and not empty")
        if self.key_thumbprint is not None and _THUMBPRINT.fullmatch(self.key_thumbprint) is None:
            raise ValueError("key_thumbprint must be 43 base64url characters (RFC 7638, SHA-256)")


class StaticTokens:
    """A verifier over a fixed table.

    :raises ValueError: an empty table, or one hash for two subjects.
    """

    def __init__(self, tokens: Iterable[StaticToken], *, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._rows: dict[bytes, tuple[bytes, Caller, int | None]] = {}
        for token in tokens:
            digest = bytes.fromhex(token.sha256)
            if digest in self._rows:
                raise ValueError(
                    f"two static tokens have the same hash; one of them is for {token.subject!r}"
                )
            caller = Caller(
                issuer=STATIC_ISSUER,
                subject=token.subject,
                client_id=token.client_id,
                scopes=token.scopes,
                roles=token.roles,
                key_thumbprint=token.key_thumbprint,
            )
            self._rows[digest] = (digest, caller, token.expires)
        if not self._rows:
            raise ValueError("an empty table of static tokens recognises nobody; leave the table out instead")

    async def verify(self, token: Secret, server: str = "") -> Caller | None:  # noqa: ARG002 - good for all
        """The row's caller; None for a token that is not in the table.

        :raises CredentialRefused: ``identity.token_expired``.
        """
        digest = token.sha256()
        row = self._rows.get(digest)
        # The dict compares hashes, whose prefix no guesser controls; the second look leaks no timing at all.
        if row is None or not hmac.compare_digest(row[0], digest):
            return None
        _, caller, expires = row
        if expires is not None and self._clock() >= expires:
            raise CredentialRefused(Code.TOKEN_EXPIRED)
        return caller

"""Which provider asks: ``client_secret_basic``, ``client_secret_post`` or ``private_key_jwt`` (RFC 6749 section 2.3).

A wrong secret and an unknown client are one answer after the same work, an assertion that does not hold is the same
answer: nobody learns here which clients there are.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from typing import Final
from urllib.parse import unquote_plus

import msgspec

from gateway.idp.assertion import TYPE, checked_assertion, claimed_client
from gateway.idp.errors import OAuthRefused, Refusal
from gateway.idp.provider import Provider, Status, hashed
from gateway.idp.providers import Providers
from gateway.state.store import Space, Store

METHODS: Final = ("client_secret_basic", "client_secret_post", "private_key_jwt")
MAX_SECRET_CHARS: Final = 512
_NO_HASH: Final = "0" * 64
"""What the secret of a client that is not there is compared with; no SHA-256 that anybody knows a text for."""


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """What was shown: a secret or an assertion."""

    client_id: str
    secret: str | None = None
    assertion: str | None = None

    def __repr__(self) -> str:
        """Without what was shown."""
        return f"Credentials(client_id={self.client_id[:64]!r})"


def shown_credentials(authorization: Sequence[str], form: Mapping[str, str]) -> Credentials:
    """The one way in which the client shows who it is.

    :raises OAuthRefused: none (401), two at a time (RFC 6749 section 2.3), or one that cannot be read.
    """
    assertion, secret = form.get("client_assertion"), form.get("client_secret")
    if bool(authorization) + (assertion is not None) + (secret is not None) > 1 or len(authorization) > 1:
        raise OAuthRefused(Refusal.INVALID_REQUEST, "Authenticate in one way, not in several.")
    named = form.get("client_id")
    if authorization:
        shown = _basic(authorization[0])
    elif assertion is not None:
        if form.get("client_assertion_type") != TYPE:
            raise OAuthRefused(Refusal.INVALID_REQUEST, f"client_assertion_type is {TYPE}.")
        shown = Credentials(client_id=claimed_client(assertion), assertion=assertion)
    elif secret is not None and named is not None:
        shown = Credentials(client_id=named, secret=secret)
    else:
        raise invalid_client()
    if named is not None and named != shown.client_id:
        raise invalid_client()
    return shown


class ClientAuthentication:
    """``audiences``: what an assertion may be for. ``now``: unix seconds."""

    def __init__(
        self, providers: Providers, store: Store, *, audiences: frozenset[str], now: Callable[[], float]
    ) -> None:
        self._providers = providers
        self._store = store
        self._audiences = audiences
        self._now = now

    async def authenticate(self, shown: Credentials) -> Provider:
        """The provider, once an operator approved it.

        :raises OAuthRefused: ``idp.invalid_client``; ``idp.not_approved`` for one whose credentials are right.
        """
        provider = await self._providers.by_client(shown.client_id)
        if shown.assertion is not None:
            proven = await self._asserted(shown.assertion, provider)
        else:
            kept = _NO_HASH if provider is None else provider.secret_sha256
            proven = hmac.compare_digest(hashed((shown.secret or "")[:MAX_SECRET_CHARS]), kept)
        if provider is None or not proven:
            raise invalid_client()
        if provider.status is not Status.APPROVED:
            raise OAuthRefused(Refusal.NOT_APPROVED, "Provider not approved")
        return provider

    async def _asserted(self, assertion: str, provider: Provider | None) -> bool:
        now = self._now()
        key = None if provider is None else provider.key(now)
        if provider is None or key is None:
            return False
        good = checked_assertion(
            assertion, key, client_id=provider.client_id, audiences=self._audiences, now=now
        )
        if good is None:
            return False
        # Spent last: nobody can burn a jti without the key. Attack: an assertion that was seen, shown again.
        jti, left_s = good
        spent = hashlib.sha256(f"idp.{key.kid}.{jti}".encode("utf-8", "surrogatepass")).hexdigest()
        return await self._store.add(Space.PROOF, spent, b"", ttl_s=left_s)


def invalid_client() -> OAuthRefused:
    """The one answer to whoever is not known."""
    return OAuthRefused(Refusal.INVALID_CLIENT, "Invalid client credentials")


def _basic(value: str) -> Credentials:
    scheme, _, encoded = value.partition(" ")
    if scheme.lower() != "basic":
        raise invalid_client()
    try:
        pair = base64.b64decode(encoded.strip(), validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        raise invalid_client() from None
    client_id, colon, secret = pair.partition(":")
    if not colon:
        raise invalid_client()
    # RFC 6749 section 2.3.1: both are form-encoded before they are joined.
    return Credentials(client_id=unquote_plus(client_id), secret=unquote_plus(secret))

"""Access tokens for PayPal: by client credentials, or one that somebody gave us. Never logged or shown."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import httpx
import msgspec

from gateway.upstream.paypal.api import NotSent
from gateway.upstream.paypal.problem import NAMES

TOKEN_PATH = "/v1/oauth2/token"  # noqa: S105 - a path, not a secret
EARLY_SECONDS = 300.0
"""A token is fetched anew this long before it ends, or a tenth of its life before, whichever is shorter."""
_MAX_TOKEN_RESPONSE = 64 * 1024
_REFUSED = NAMES[401]


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """PayPal's client id and secret. The secret is in no repr."""

    client_id: str
    client_secret: str = field(repr=False)


class TokenSource(Protocol):
    """Where the client gets its bearer token."""

    async def token(self) -> str:
        """A token that is believed to be good. :raises NotSent: there is none."""
        ...

    def rejected(self, token: str) -> bool:
        """PayPal did not accept this token. Whether another try with :meth:`token` can help."""
        ...

    def secrets(self) -> tuple[str, ...]:
        """What must never be in anything that leaves this room."""
        ...


class StaticToken:
    """A fixed access token (PAYPAL_ACCESS_TOKEN). It cannot be renewed; PayPal ends it after some hours."""

    def __init__(self, token: str) -> None:
        self._token = token

    async def token(self) -> str:
        """The one token."""
        return self._token

    def rejected(self, token: str) -> bool:  # noqa: ARG002 - the Protocol's
        """Nothing else can be tried."""
        return False

    def secrets(self) -> tuple[str, ...]:
        """The token."""
        return (self._token,)


class _Grant(msgspec.Struct):
    access_token: str
    expires_in: int


class ClientCredentialsToken:
    """Tokens by the client credentials grant (RFC 6749 section 4.4), kept until shortly before they end.

    However many calls wait, one request is made. ``credentials`` is asked before each fetch, so that a
    rotated secret takes effect without a restart. ``clock`` is monotonic, in seconds.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        token_url: str,
        credentials: Callable[[], ClientCredentials],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._http = http
        self._url = token_url
        self._credentials = credentials
        self._clock = clock
        self._lock = asyncio.Lock()
        self._current: str | None = None
        self._renew_at = 0.0
        self._secret = ""

    async def token(self) -> str:
        """A token with some life left. :raises NotSent: PayPal gave none; nothing else was sent."""
        async with self._lock:
            if self._current is None or self._clock() >= self._renew_at:
                await self._fetch()
            if self._current is None:  # rejected() ran while we were fetching
                raise NotSent(_REFUSED, "PayPal gave us no access token.")
            return self._current

    def rejected(self, token: str) -> bool:
        """Forget the token, unless it has been replaced already. Another can be fetched."""
        if self._current == token:
            self._current = None
        return True

    def secrets(self) -> tuple[str, ...]:
        """The token and the client secret."""
        return tuple(secret for secret in (self._current, self._secret) if secret)

    async def _fetch(self) -> None:
        self._current = None
        credentials = self._credentials()
        self._secret = credentials.client_secret
        asked_at = self._clock()
        grant = _grant(await self._ask(credentials))
        life = max(float(grant.expires_in), 0.0)
        self._renew_at = asked_at + life - min(EARLY_SECONDS, life / 10)
        self._current = grant.access_token

    async def _ask(self, credentials: ClientCredentials) -> bytes:
        auth = httpx.BasicAuth(credentials.client_id, credentials.client_secret)
        form = {"grant_type": "client_credentials"}
        try:
            async with self._http.stream("POST", self._url, data=form, auth=auth) as response:
                body = b""
                async for chunk in response.aiter_bytes():
                    body += chunk
                    if len(body) > _MAX_TOKEN_RESPONSE:
                        raise NotSent(_REFUSED, "PayPal's token answer is too large.")
        except (httpx.HTTPError, OSError) as error:
            raise NotSent("TOKEN_UNAVAILABLE", "PayPal's token endpoint did not answer.") from error
        if response.status_code in (400, 401):
            raise NotSent(_REFUSED, "PayPal does not accept our client id and secret.")
        if response.status_code != 200:
            raise NotSent("TOKEN_UNAVAILABLE", f"PayPal's token endpoint answered {response.status_code}.")
        return body


def _grant(body: bytes) -> _Grant:
    try:
        grant = msgspec.json.decode(body, type=_Grant)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise NotSent("TOKEN_UNAVAILABLE", "PayPal's token answer cannot be read.") from error
    if not grant.access_token.isascii() or not grant.access_token.isprintable() or not grant.access_token:
        raise NotSent("TOKEN_UNAVAILABLE", "PayPal's token answer holds no usable token.")
    return grant

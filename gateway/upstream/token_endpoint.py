"""One question to a token endpoint: the gateway's own grant (RFC 6749 section 4.4), or an exchange (RFC 8693).

Nothing that it answers is quoted anywhere: not in an error, not in the log.
"""

from __future__ import annotations

import base64
import hmac
import ssl as tls
from typing import Any, Final, Literal
from urllib.parse import quote_plus

import httpx
import msgspec

from gateway.identity.credentials import MAX_TOKEN_BYTES, Secret, parse_authorization
from gateway.identity.errors import CredentialRefused
from gateway.identity.fetch import FetchError, HttpFetcher

MAX_ANSWER_BYTES: Final = 64 * 1024
"""Bytes of an answer: one token, and a token has 8 KiB at most."""
DEADLINE_S: Final = 5.0
"""Seconds for the whole question. A call waits for it, so it must be shorter than a call may take."""
ASSUMED_LIFE_S: Final = 60.0
"""Seconds that a token is used whose life nobody told (``expires_in`` is only recommended, RFC 6749 section 5.1)."""
MAX_LIFE_S: Final = 3_600.0
"""Seconds that any token is used: a server that says "for ever" must not switch off its own revocation."""

EXCHANGE: Final = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN: Final = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 - a name
_ISSUED: Final = frozenset({ACCESS_TOKEN, "urn:ietf:params:oauth:token-type:jwt"})
_TOO_MANY_REQUESTS: Final = 429


class NoToken(Exception):
    """None was given. ``down``: the endpoint did not answer, so the next question may end otherwise.

    The message holds nothing received.
    """

    def __init__(self, what: str, *, down: bool = False) -> None:
        super().__init__(what)
        self.what = what
        self.down = down


class Registration(msgspec.Struct, frozen=True, kw_only=True):
    """The gateway as a client of one authorization server, and what it asks for there.

    ``resource`` (RFC 8707) and ``audience`` (RFC 8693 section 2.1) name the server the token is for.
    """

    token_url: str
    client_id: str
    client_secret: Secret
    scopes: tuple[str, ...] = ()
    resource: str | None = None
    audience: str | None = None
    auth_method: Literal["client_secret_basic", "client_secret_post"] = "client_secret_basic"


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """An access token and the seconds that it may be used, from the moment it was asked for."""

    token: Secret
    life_s: float


class _Answer(msgspec.Struct):
    access_token: str
    token_type: str
    expires_in: int | float | None = None
    issued_token_type: str | None = None


_ANSWER = msgspec.json.Decoder(_Answer)


class TokenEndpoint:
    """Asks one endpoint, once for each call of :meth:`ask`. Connections are not kept: questions are rare."""

    def __init__(
        self, registration: Registration, *, ssl: tls.SSLContext | None = None, deadline_s: float = DEADLINE_S
    ) -> None:
        self._registration = registration
        self._ssl = ssl or tls.create_default_context()
        self._deadline_s = deadline_s

    async def ask(self, subject: Secret | None) -> Grant:
        """A token for the gateway itself (None), or for whose token ``subject`` is.

        :raises NoToken:
        """
        form, authorization = self._request(subject)
        try:
            async with httpx.AsyncClient(verify=self._ssl, trust_env=False, timeout=self._deadline_s) as http:
                fetcher = HttpFetcher(http, max_bytes=MAX_ANSWER_BYTES, deadline_s=self._deadline_s)
                body = await fetcher.post_form(
                    self._registration.token_url, form, authorization=authorization
                )
        except FetchError as problem:
            status = problem.status
            if status is None or status >= 500 or status == _TOO_MANY_REQUESTS:
                raise NoToken("the token endpoint gave no answer", down=True) from None
            raise NoToken(f"the token endpoint refused with HTTP {status}") from None
        return _granted(body, subject)

    def _request(self, subject: Secret | None) -> tuple[dict[str, str], Secret | None]:
        """The form, and the Authorization header where the client is authenticated by one."""
        own = self._registration
        form = {"grant_type": "client_credentials"}
        if subject is not None:
            form = {
                "grant_type": EXCHANGE,
                "subject_token": subject.expose().decode("ascii"),
                "subject_token_type": ACCESS_TOKEN,
                "requested_token_type": ACCESS_TOKEN,
            }
        if own.scopes:
            form["scope"] = " ".join(own.scopes)
        if own.resource is not None:
            form["resource"] = own.resource
        if own.audience is not None:
            form["audience"] = own.audience
        secret = own.client_secret.expose().decode()
        if own.auth_method == "client_secret_post":
            return {**form, "client_id": own.client_id, "client_secret": secret}, None
        # RFC 6749 section 2.3.1: both are form-encoded before they are joined.
        pair = f"{quote_plus(own.client_id)}:{quote_plus(secret)}".encode()
        return form, Secret(b"Basic " + base64.b64encode(pair))


def _granted(body: bytes, subject: Secret | None) -> Grant:
    """:raises NoToken: the answer is not one, or its token cannot be used."""
    try:
        answer = _ANSWER.decode(body)
    except (ValueError, RecursionError):
        raise NoToken("the token endpoint's answer cannot be read") from None
    if answer.token_type.lower() != "bearer":
        # A client must not use a type that it does not understand (RFC 6749 section 7.1).
        raise NoToken("the token endpoint gave a token that is no bearer token")
    if subject is not None and answer.issued_token_type not in _ISSUED:
        raise NoToken("the token endpoint gave something else than an access token")
    token = _token(answer.access_token)
    # Attack: an authorization server, or whoever sits in its place, hands the caller's token back, and the gateway
    # itself would carry it to the target (invariant 6).
    if subject is not None and hmac.compare_digest(token, subject.expose()):
        raise NoToken("the token endpoint gave the caller's own token back")
    life_s = ASSUMED_LIFE_S if answer.expires_in is None else min(float(answer.expires_in), MAX_LIFE_S)
    if not life_s > 0:
        raise NoToken("the token endpoint gave a token that has expired")
    return Grant(token=Secret(token), life_s=life_s)


def _token(text: Any) -> bytes:
    """The same grammar as for tokens that come in; a line break in one would be a second header."""
    try:
        found = parse_authorization([b"Bearer " + text.encode("ascii")]).bearer
    except (CredentialRefused, UnicodeEncodeError):
        found = None
    if found is None or len(found.expose()) > MAX_TOKEN_BYTES:
        raise NoToken("the token endpoint's answer holds no usable token")
    return found.expose()

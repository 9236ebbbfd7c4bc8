"""What the door found in the Authorization header. Pure.

Only the header is read: tokens in the query string or in the body are forbidden by MCP (basic/authorization,
access token usage) and end up in logs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final, NoReturn

import msgspec

from gateway.identity.errors import Code, CredentialRefused

MAX_TOKEN_BYTES: Final = 8192
"""Bytes of one token. Entra tokens with many groups reach about 6 KiB; more is an attack on parsers and
hashes."""
_MAX_AUTHORIZATION_BYTES: Final = MAX_TOKEN_BYTES + 16
"""Bytes of the header value: the token, the scheme and a few spaces."""

_B64TOKEN_CHARS: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/"
"""RFC 6750 section 2.1 ``b64token``, before its ``=``. Deleting these and looking at the rest is three times as
fast as a regular expression, and this runs for every call."""


class Secret:
    """Bytes that must not be seen. ``repr``, ``str`` and formatting show ``<secret>``; no encoder accepts it.

    Not a ``str`` subclass and not a dataclass: msgspec and json would encode those without a word.
    """

    __slots__ = ("_digest", "_value")

    def __init__(self, value: bytes) -> None:
        self._value = value
        self._digest: bytes | None = None

    def __repr__(self) -> str:
        return "<secret>"

    def __reduce__(self) -> NoReturn:
        """Pickles end up in caches and task queues."""
        raise TypeError("a secret cannot be pickled or copied")

    def expose(self) -> bytes:
        """The value itself. Each use of this name is a place to review."""
        return self._value

    def sha256(self) -> bytes:
        """SHA-256 of the value, 32 bytes, computed once: all lookups by token share one hash."""
        if self._digest is None:
            self._digest = hashlib.sha256(self._value).digest()
        return self._digest


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """Everything in one request that says who asks. A value, like what it holds not encodable."""

    bearer: Secret | None = None


NO_CREDENTIALS: Final = Credentials()


def parse_authorization(values: Sequence[bytes]) -> Credentials:
    """All values of the request's Authorization header fields -> credentials; no header -> no credentials.

    What is *not* checked: that the token is any good.

    :raises CredentialRefused: ``identity.token_malformed`` for two headers, another scheme, two tokens in one
        value, characters outside ``b64token``, or more than :data:`MAX_TOKEN_BYTES`.
    """
    if not values:
        return NO_CREDENTIALS
    # Two headers: which one an intermediary judged and which one we would take is a guess (request
    # smuggling).
    if len(values) > 1 or len(values[0]) > _MAX_AUTHORIZATION_BYTES:
        raise CredentialRefused(Code.TOKEN_MALFORMED)
    # credentials = "Bearer" 1*SP b64token, the scheme without regard to case (RFC 9110 section 11.1).
    scheme, _, rest = values[0].partition(b" ")
    token = rest.lstrip(b" ")
    body = token.rstrip(b"=")
    if scheme.lower() != b"bearer" or not body or body.translate(None, _B64TOKEN_CHARS):
        raise CredentialRefused(Code.TOKEN_MALFORMED)
    if len(token) > MAX_TOKEN_BYTES:
        raise CredentialRefused(Code.TOKEN_MALFORMED)
    return Credentials(bearer=Secret(token))

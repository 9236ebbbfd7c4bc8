"""What the door found in the Authorization header. Pure.

Only the header is read: tokens in the query string or in the body are forbidden by MCP (basic/authorization,
access token usage) and end up in logs. The REST handshake, which is not MCP, has its session token in the body; its
door hands it over as if it had come in the header, so that one grammar holds for both.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final, Literal, NoReturn

import msgspec

from gateway.identity.errors import Code, CredentialRefused

MAX_TOKEN_BYTES: Final = 8192
"""Bytes of one token. Entra tokens with many groups reach about 6 KiB; more is an attack on parsers and
hashes."""
MAX_PROOF_BYTES: Final = 4096
"""Bytes of one DPoP proof. With a 4096 bit RSA key, the largest in use, it has some 2 KiB."""
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


class PresentedProof:
    """The DPoP header of one request, and what the request is that it must fit (RFC 9449 section 4).

    ``below`` is the path below the gateway's own URL: empty, or ``/`` and the server's name. ``beside`` is the whole
    path of a door that stands beside that URL (``/authorize``), and empty otherwise.
    One object per request. A request may be identified more than once on its way, and its own second look is no
    replay: :attr:`accepted` remembers the first.
    """

    __slots__ = ("accepted", "below", "beside", "jws", "method")

    def __init__(self, jws: bytes, *, method: str, below: str, beside: str = "") -> None:
        self.jws = Secret(jws)
        self.method = method
        self.below = below
        self.beside = beside
        self.accepted = False


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """Everything in one request that says who asks. A value, like what it holds not encodable.

    ``bearer``: the access token, whatever the scheme. ``scheme``: how it was presented. ``proof``: the DPoP
    header, if one came. ``server``: the name in ``/mcp/{server}``, empty for ``/mcp``; a token may be for one
    server alone.
    """

    bearer: Secret | None = None
    scheme: Literal["bearer", "dpop"] = "bearer"
    proof: PresentedProof | None = None
    server: str = ""


NO_CREDENTIALS: Final = Credentials()


def credentials_of(
    authorization: Sequence[bytes], dpop: Sequence[bytes], *, method: str, below: str, beside: str = ""
) -> Credentials:
    """All values of the Authorization and DPoP fields of one request -> credentials.

    ``below``: the request's path after the gateway's own (``/mcp``); ``beside``: see :class:`PresentedProof`. What is
    *not* checked: token and proof.

    :raises CredentialRefused: see :func:`parse_authorization`; ``identity.proof_invalid`` for two proofs, one of
        more than :data:`MAX_PROOF_BYTES`, or one beside another scheme than DPoP; ``identity.proof_missing`` for
        the scheme DPoP without a proof.
    """
    found = parse_authorization(authorization)
    server = below[1:]
    if found.scheme == "bearer":
        if dpop and found.bearer is not None:
            raise CredentialRefused(Code.PROOF_INVALID, "a proof came with a token of another scheme")
        return Credentials(bearer=found.bearer, server=server) if server else found
    if not dpop:
        raise CredentialRefused(Code.PROOF_MISSING)
    # Two proofs (RFC 9449 section 4.3, check 1): which one an intermediary looked at is a guess.
    if len(dpop) > 1 or len(dpop[0]) > MAX_PROOF_BYTES:
        raise CredentialRefused(Code.PROOF_INVALID, "more than one proof, or one that is too long")
    proof = PresentedProof(dpop[0], method=method, below=below, beside=beside)
    return Credentials(bearer=found.bearer, scheme="dpop", proof=proof, server=server)


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
    # credentials = ("Bearer" / "DPoP") 1*SP b64token (RFC 6750 section 2.1, RFC 9449 section 7.1), the scheme
    # without regard to case (RFC 9110 section 11.1).
    scheme, _, rest = values[0].partition(b" ")
    token = rest.lstrip(b" ")
    body = token.rstrip(b"=")
    named = scheme.lower()
    if named not in (b"bearer", b"dpop") or not body or body.translate(None, _B64TOKEN_CHARS):
        raise CredentialRefused(Code.TOKEN_MALFORMED)
    if len(token) > MAX_TOKEN_BYTES:
        raise CredentialRefused(Code.TOKEN_MALFORMED)
    if named == b"dpop":
        return Credentials(bearer=Secret(token), scheme="dpop")
    return Credentials(bearer=Secret(token))

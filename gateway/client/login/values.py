"""What sign-in knows and keeps, as values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

import msgspec


class Secret:
    """Text that must not be seen: ``repr`` and formatting show ``<secret>``, no encoder takes it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def __repr__(self) -> str:
        return "<secret>"

    def __reduce__(self) -> NoReturn:
        """Pickles end up where nobody looks."""
        raise TypeError("a secret cannot be pickled or copied")

    def expose(self) -> str:
        """The value itself. Each use of this name is a place to review."""
        return self._value


class Tokens(msgspec.Struct, frozen=True, kw_only=True):
    """What one sign-in brought. ``expires_at``: unix seconds, None where the server did not say.

    ``issuer``, ``client_id``, ``resource`` and ``token_endpoint`` belong to it: a refresh token is only ever sent to
    the server that gave it.
    """

    access: Secret
    dpop: bool = False
    expires_at: float | None = None
    refresh: Secret | None = None
    scopes: tuple[str, ...] = ()
    issuer: str = ""
    client_id: str = ""
    resource: str = ""
    token_endpoint: str = ""


class Stored(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The form of :class:`Tokens` in the vault. Encoded there, and nowhere else."""

    access: str
    dpop: bool = False
    expires_at: float | None = None
    refresh: str | None = None
    scopes: tuple[str, ...] = ()
    issuer: str = ""
    client_id: str = ""
    resource: str = ""
    token_endpoint: str = ""


def to_bytes(tokens: Tokens) -> bytes:
    """For the vault."""
    return msgspec.json.encode(
        Stored(
            access=tokens.access.expose(),
            dpop=tokens.dpop,
            expires_at=tokens.expires_at,
            refresh=tokens.refresh.expose() if tokens.refresh else None,
            scopes=tokens.scopes,
            issuer=tokens.issuer,
            client_id=tokens.client_id,
            resource=tokens.resource,
            token_endpoint=tokens.token_endpoint,
        )
    )


def from_bytes(kept: bytes) -> Tokens | None:
    """From the vault; None where it is not what we wrote."""
    try:
        stored = msgspec.json.decode(kept, type=Stored)
    except msgspec.DecodeError:
        return None
    return Tokens(
        access=Secret(stored.access),
        dpop=stored.dpop,
        expires_at=stored.expires_at,
        refresh=Secret(stored.refresh) if stored.refresh else None,
        scopes=stored.scopes,
        issuer=stored.issuer,
        client_id=stored.client_id,
        resource=stored.resource,
        token_endpoint=stored.token_endpoint,
    )


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """An authorization server as its metadata describes it (RFC 8414), checked."""

    issuer: str
    token_endpoint: str
    authorization_endpoint: str | None = None
    device_endpoint: str | None = None
    registration_endpoint: str | None = None
    iss_in_response: bool = False
    dpop: bool = False
    client_id_documents: bool = False
    offline_access: bool = False


class Resource(msgspec.Struct, frozen=True, kw_only=True):
    """The gateway as its protected resource metadata describes it (RFC 9728), checked."""

    resource: str
    issuers: tuple[str, ...]
    scopes: tuple[str, ...] = ()
    dpop_required: bool = False


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """What to ask for, of whom, as which client."""

    server: Server
    client_id: str
    resource: str
    scopes: tuple[str, ...]
    dpop: bool


def merged(*scopes: Sequence[str]) -> tuple[str, ...]:
    """All of them, each once, in order."""
    return tuple(dict.fromkeys(one for several in scopes for one in several))

"""The tokens that were issued, by their ids, for as long as they live: what introspection and revocation go by.

What is not here was never issued, or is over: a forged token with a stolen key, a token from before a restored backup.
Never the token itself, nor a hash of it. Errors: ``StoreUnavailable``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from gateway.errors import StoreUnavailable
from gateway.state.store import MAX_ENTRIES, Space, Store

KEEP_S: Final = 120
"""Seconds beyond a token's end, for clocks that differ."""
ATTEMPTS: Final = 5
MAX_JTI_CHARS: Final = 64


class Issued(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One token (R118): who has it, for what, from when to when (unix seconds), by which key."""

    jti: str
    provider: str
    client_id: str
    scope: str
    iat: int
    exp: int
    kid: str
    tool_id: str | None = None
    tool_version: str | None = None
    definition_hash: str | None = None
    revoked_at: int | None = None

    def says(self, claims: Mapping[str, Any]) -> bool:
        """Whether these are the very claims that were issued.

        Attack: whoever stole a signing key writes another tool, or another definition, under the id of a token that
        was issued; such ids stand in every definition.
        """
        issued = {
            "sub": self.provider,
            "client_id": self.client_id,
            "scope": self.scope,
            "iat": self.iat,
            "exp": self.exp,
            "tool_id": self.tool_id,
            "tool_version": self.tool_version,
            "tool_provider": None if self.tool_id is None else self.provider,
            "definition_hash": self.definition_hash,
        }
        return all(claims.get(name) == value for name, value in issued.items())


class IssuedTokens:
    """``now``: unix seconds."""

    def __init__(self, store: Store, *, now: Callable[[], float]) -> None:
        self._store = store
        self._now = now

    async def keep(self, issued: Issued) -> None:
        """Before the token is handed out."""
        await self._store.put(
            Space.IDP_TOKEN,
            issued.jti,
            msgspec.json.encode(issued),
            ttl_s=issued.exp - issued.iat + KEEP_S,
        )

    async def find(self, jti: str) -> Issued | None:
        """The record of that token, whatever became of it."""
        if not 0 < len(jti) <= MAX_JTI_CHARS:
            return None
        found = await self._store.get(Space.IDP_TOKEN, jti)
        return None if found is None else _decoded(found)

    async def revoke(self, jti: str) -> Issued | None:
        """From now on it is worth nothing. None: there is no such token, or it was revoked already."""
        if not 0 < len(jti) <= MAX_JTI_CHARS:
            return None
        for _ in range(ATTEMPTS):
            found = await self._store.get(Space.IDP_TOKEN, jti)
            issued = None if found is None else _decoded(found)
            if found is None or issued is None or issued.revoked_at is not None:
                return None
            now = self._now()
            made = msgspec.structs.replace(issued, revoked_at=int(now))
            left_s = max(1.0, issued.exp + KEEP_S - now)
            value = msgspec.json.encode(made)
            if await self._store.swap(Space.IDP_TOKEN, jti, expected=found, value=value, ttl_s=left_s):
                return made
        raise StoreUnavailable("The token changes too often at the moment; try again.", code="idp.contended")

    async def all(self) -> list[Issued]:
        """For people: those that live, and those that were revoked before their time."""
        rows = await self._store.entries(Space.IDP_TOKEN, limit=MAX_ENTRIES)
        now = self._now()
        return [one for one in (_decoded(value) for _, value in rows) if one.exp > now]


def _decoded(document: bytes) -> Issued:
    try:
        return msgspec.json.decode(document, type=Issued)
    except ValueError:  # msgspec's own errors, and broken UTF-8
        raise StoreUnavailable("A token's record cannot be read.", code="idp.unreadable") from None

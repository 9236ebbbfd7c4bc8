"""One-time login links: how a person on a laptop gets a session without an identity provider.

Whoever can run ``countersign console link`` on the gateway's host can read and write its state anyway; the link
turns that into a :class:`~gateway.console.person.Person`, once. The store knows only the SHA-256 of the token.
Opening the link consumes nothing (link previews and scanners open links); pressing the button does.

Another way to sign in (OIDC code flow with PKCE) ends where this one ends: in a ``Person``, with assurance ``oidc``,
handed to :meth:`gateway.console.session.Sessions.start`.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import time
from collections.abc import Callable

import msgspec

from gateway.console.person import Person
from gateway.outcome.view import visible
from gateway.state.store import Space, Store

LINK_ISSUER = "countersign:link"
"""Issuer of everybody who came by a link. No identity provider can have it: it is no https URL."""
LINK_TTL_S = 600
"""Ten minutes: from the terminal to the browser, and no longer."""
MAX_LINK_TTL_S = 3600
MAX_NAME = 200
"""Characters of a subject or a role."""
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)


class _Link(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a token stands for. ``expires_at`` (unix seconds) is checked besides the store's own expiry (C10)."""

    subject: str
    roles: tuple[str, ...]
    expires_at: float


async def mint_login(
    store: Store,
    *,
    subject: str,
    roles: tuple[str, ...],
    ttl_s: int = LINK_TTL_S,
    now: Callable[[], float] = time.time,
) -> str:
    """A new token for ``{public_url}/console/login/{token}``: 256 random bits, 43 URL-safe characters, single use.

    :raises ValueError: an empty, overlong or unprintable name, no role, or a life outside 1..3600 seconds.
    :raises StoreUnavailable: the store cannot keep it.
    """
    if not roles:
        raise ValueError("a link without a role could do nothing")
    for name in (subject, *roles):
        if not name.strip() or len(name) > MAX_NAME or visible(name) != name:
            raise ValueError(f"a name has 1 to {MAX_NAME} visible characters")
    if not 1 <= ttl_s <= MAX_LINK_TTL_S:
        raise ValueError(f"a link lives 1 to {MAX_LINK_TTL_S} seconds")
    token = secrets.token_urlsafe(32)
    link = _Link(subject=subject, roles=roles, expires_at=now() + ttl_s)
    await store.put(Space.LOGIN, _digest(token), msgspec.json.encode(link), ttl_s=ttl_s)
    return token


class LoginLinks:
    """Reads links. Errors: ``StoreUnavailable``."""

    def __init__(self, store: Store, *, now: Callable[[], float]) -> None:
        self._store = store
        self._now = now

    async def peek(self, token: str) -> Person | None:
        """Who the link is for; consumes nothing. None: unknown, used or expired."""
        if not _TOKEN.fullmatch(token):
            return None
        return self._person(await self._store.get(Space.LOGIN, _digest(token)))

    async def redeem(self, token: str) -> Person | None:
        """Burn the link. Of N concurrent redeemers one is given the person."""
        if not _TOKEN.fullmatch(token):
            return None
        return self._person(await self._store.take(Space.LOGIN, _digest(token)))

    def _person(self, value: bytes | None) -> Person | None:
        if value is None:
            return None
        try:
            link = msgspec.json.decode(value, type=_Link)
        except msgspec.DecodeError:
            return None
        if self._now() >= link.expires_at:
            return None
        return Person(issuer=LINK_ISSUER, subject=link.subject, roles=link.roles, assurance="link")


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()

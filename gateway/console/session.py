"""A signed-in browser: a random id in a cookie, its SHA-256 and the person in the store.

Every sign-in starts a new session id (session fixation), every page asks the store, and signing out takes the
session out of it: there is nothing that a stolen cookie could outlive. A change of roles takes effect with the next
sign-in, eight hours at the latest.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable

import msgspec

from gateway.console.person import Person
from gateway.state.store import Space, Store

LIFE_S = 8 * 3600.0
"""A working day, however busy the session is."""
IDLE_S = 30 * 60.0
"""An unwatched browser signs nothing after half an hour."""
TOUCH_S = 60.0
"""The idle clock is written at most once a minute, so that reading pages is not a stream of writes."""
_SESSION_ID = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)


class Session(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the store keeps. Times are unix seconds. ``csrf`` alone opens nothing: it counts only with the cookie."""

    person: Person
    csrf: str
    seen_at: float
    expires_at: float


class Sessions:
    """Sessions over a store. Errors: ``StoreUnavailable``."""

    def __init__(self, store: Store, *, now: Callable[[], float]) -> None:
        self._store = store
        self._now = now

    async def start(self, person: Person) -> str:
        """A new session for somebody who has just proved who they are. Returns its id, for the cookie only.

        The seam for every way to sign in. A redirect back from another site cannot *send* a SameSite=Strict
        cookie, only set it: such a flow has to end in a page with a link to the console, not in a redirect.
        """
        session_id = secrets.token_urlsafe(32)
        now = self._now()
        session = Session(person=person, csrf=secrets.token_urlsafe(32), seen_at=now, expires_at=now + LIFE_S)
        await self._store.put(Space.SESSION, _digest(session_id), msgspec.json.encode(session), ttl_s=IDLE_S)
        return session_id

    async def find(self, session_id: str | None) -> Session | None:
        """The session of that id, its idle clock set back. None: unknown, ended, idle too long or too old."""
        if session_id is None or not _SESSION_ID.fullmatch(session_id):
            return None
        key = _digest(session_id)
        value = await self._store.get(Space.SESSION, key)
        if value is None:
            return None
        try:
            session = msgspec.json.decode(value, type=Session)
        except msgspec.DecodeError:
            return None
        now = self._now()
        if now >= session.expires_at or now - session.seen_at >= IDLE_S:
            return None
        if now - session.seen_at >= TOUCH_S:
            touched = msgspec.json.encode(msgspec.structs.replace(session, seen_at=now))
            life = min(IDLE_S, session.expires_at - now)
            # Compare-and-set: a session that was ended meanwhile is not brought back.
            await self._store.swap(Space.SESSION, key, expected=value, value=touched, ttl_s=life)
        return session

    async def end(self, session_id: str | None) -> None:
        """Sign out. The cookie is worth nothing from here on."""
        if session_id is not None and _SESSION_ID.fullmatch(session_id):
            await self._store.take(Space.SESSION, _digest(session_id))


def _digest(session_id: str) -> str:
    return hashlib.sha256(session_id.encode()).hexdigest()

"""Where an issuer's keys come from: a file, or its JWKS endpoint behind a cache that strangers cannot
lever."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

from gateway.identity.discovery import NOT_HERE, discover_jwks_uri, first_of, metadata_urls
from gateway.identity.endpoints import parse_endpoint
from gateway.identity.errors import IssuerUnavailable
from gateway.identity.fetch import Fetcher, FetchError
from gateway.identity.jwk import KeySet, VerificationKey, parse_key_set

FRESH_S: Final = 600.0
"""Seconds after which a set is fetched anew: how long a key that the issuer withdrew still verifies."""
USABLE_S: Final = 3600.0
"""Seconds after which a set that could not be fetched anew is no longer believed: an attacker who blocks the
endpoint can stretch a withdrawn key's life to this, and no further."""
MIN_REFRESH_INTERVAL_S: Final = 30.0
"""Seconds between two fetches while there are keys. Anybody can send unknown key ids; at most two fetches a
minute come of it."""
RETRY_S: Final = 5.0
"""Seconds between two attempts while there are no keys at all and every token must wait."""

_log = logging.getLogger(__name__)


class KeySource(Protocol):
    """The keys of one issuer."""

    @property
    def generation(self) -> int:
        """Grows whenever a key was withdrawn or replaced; results that rest on older keys must be dropped."""

    async def find(self, kid: str | None, algorithm: str) -> VerificationKey | None:
        """The key for a token header, or None.

        :raises IssuerUnavailable: there are no keys to look in.
        """


class LocalKeys:
    """A fixed set, for issuers that the gateway cannot reach and for the gateway's own identity provider."""

    generation = 0

    def __init__(self, keys: KeySet) -> None:
        self._keys = keys

    @classmethod
    def from_file(cls, path: Path) -> LocalKeys:
        """A JWKS file, read once.

        :raises KeySetError: see :func:`~gateway.identity.jwk.parse_key_set`.
        :raises OSError: unreadable.
        """
        return cls(parse_key_set(path.read_bytes()))

    async def find(self, kid: str | None, algorithm: str) -> VerificationKey | None:
        """See :class:`KeySource`."""
        return self._keys.find(kid, algorithm)

    def current(self) -> bool:
        """They always are."""
        return True

    async def refetch(self) -> bool:
        """There is nothing to ask for."""
        return False


class RemoteKeys:
    """An issuer's published set: cached, one fetch at a time, rate limited, and kept through short outages.

    ``fallbacks``: where the set may be at an issuer that publishes no metadata, tried in order. ``clock`` is monotonic
    seconds. Close with :meth:`aclose` before the loop ends.

    :raises ValueError: the issuer or the ``jwks_uri`` is no https URL (http only to this machine).
    """

    def __init__(
        self,
        *,
        issuer: str,
        fetcher: Fetcher,
        jwks_uri: str | None = None,
        fallbacks: tuple[str, ...] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        metadata_urls(issuer)
        if jwks_uri is not None:
            parse_endpoint(jwks_uri)
        self._issuer = issuer
        self._jwks_uri = jwks_uri
        self._fallbacks = fallbacks
        self._fetcher = fetcher
        self._clock = clock
        self._keys: KeySet | None = None
        self._fetched_at = 0.0
        self._next_attempt = float("-inf")
        self._running: asyncio.Task[None] | None = None
        self._generation = 0

    @property
    def generation(self) -> int:
        """See :class:`KeySource`."""
        return self._generation

    async def find(self, kid: str | None, algorithm: str) -> VerificationKey | None:
        """See :class:`KeySource`. An unknown kid causes a fetch, if the last one is long enough ago."""
        keys = self._usable()
        if keys is None:
            await self._refresh()
            keys = self._usable()
            if keys is None:
                raise IssuerUnavailable
        elif self._age() >= FRESH_S:
            self._start()  # the old keys answer until the new ones are there
        found = keys.find(kid, algorithm)
        if found is None and await self._refresh():
            keys = self._usable()
            found = keys.find(kid, algorithm) if keys is not None else None
        return found

    def current(self) -> bool:
        """Whether there are keys that may still be believed. Never waits; a set that is old is asked for anew
        meanwhile, so that whoever keeps results that rest on it hears of a withdrawn key."""
        if self._usable() is None:
            return False
        if self._age() >= FRESH_S:
            self._start()
        return True

    async def refetch(self) -> bool:
        """Ask for the set anew; False when it is too early for that."""
        return await self._refresh()

    async def prefetch(self) -> bool:
        """Fetch at start, so that the first caller does not wait. False, with a warning logged: no keys
        yet."""
        await self._refresh()
        return self._usable() is not None

    async def aclose(self) -> None:
        """Give up a fetch that is under way."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)

    def _age(self) -> float:
        return self._clock() - self._fetched_at

    def _usable(self) -> KeySet | None:
        return self._keys if self._age() < USABLE_S else None

    async def _refresh(self) -> bool:
        """Wait for the fetch under way, or for a new one; False when it is too early for one."""
        task = self._start()
        if task is None:
            return False
        # Shielded: the caller who started it may hang up, and others wait for the same fetch.
        await asyncio.shield(task)
        return True

    def _start(self) -> asyncio.Task[None] | None:
        if self._running is None and self._clock() >= self._next_attempt:
            self._running = asyncio.create_task(self._load(), name="jwks")
            self._running.add_done_callback(self._done)
        return self._running

    def _done(self, _: asyncio.Task[None]) -> None:
        self._running = None

    async def _document(self) -> bytes:
        """The set as published. :raises FetchError: :raises ValueError:"""
        if self._jwks_uri is not None:
            return await self._fetcher.fetch(self._jwks_uri)
        try:
            uri = await discover_jwks_uri(self._fetcher, self._issuer)
        except FetchError as problem:
            if problem.status not in NOT_HERE:
                raise
            return await first_of(self._fetcher, self._fallbacks, otherwise=problem)
        return await self._fetcher.fetch(uri)

    async def _load(self) -> None:
        interval = RETRY_S if self._usable() is None else MIN_REFRESH_INTERVAL_S
        try:
            keys = parse_key_set(await self._document())
        except (FetchError, ValueError) as problem:
            _log.warning("no keys from issuer %s: %s", self._issuer, problem)
        else:
            interval = MIN_REFRESH_INTERVAL_S
            if self._keys is not None and not self._keys.identities() <= keys.identities():
                self._generation += 1
            self._keys = keys
            self._fetched_at = self._clock()
        finally:
            # Counted from the end: a server that takes its time must not be asked without a pause.
            self._next_attempt = self._clock() + interval

"""The registry of signing keys in the store, changed by compare-and-set, and the private halves that this machine has.

Read anew for each request: a rotation or a revocation that any process made holds here from the next token on.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final

import msgspec

from gateway.errors import StoreUnavailable
from gateway.identity.jwk import jwk_thumbprint
from gateway.idp.errors import IdpRefused, KeyMissing
from gateway.idp.key import Algorithm, IdpKey, KeyRing, KeyState
from gateway.idp.key_files import KeyFiles, PrivateKey, new_private_key, public_jwk
from gateway.state.store import MAX_TTL_S, Space, Store

RING: Final = "keys"
ATTEMPTS: Final = 20
FIRST: Final = "first start"
_LOG = logging.getLogger("countersign.idp")
Change = Callable[[KeyRing, IdpKey, int], KeyRing]


class KeyBook:
    """``propagation_s``: how long a successor is published before it signs. ``now``: unix seconds."""

    def __init__(
        self,
        store: Store,
        files: KeyFiles,
        *,
        algorithm: Algorithm,
        propagation_s: int,
        now: Callable[[], float],
    ) -> None:
        self._store = store
        self._files = files
        self._algorithm = algorithm
        self._propagation_s = propagation_s
        self._now = now
        self._loaded: dict[str, PrivateKey] = {}

    async def read(self) -> KeyRing:
        """The registry. :raises StoreUnavailable: also when what is there cannot be read."""
        return decoded(await self._store.get(Space.IDP, RING))

    async def ensure(self) -> KeyRing:
        """The registry, with a first key if it had none; of several processes that start at once, one makes it."""
        ring = await self.read()
        if ring.keys:
            return ring

        def first(found: KeyRing, made: IdpKey, now: int) -> KeyRing:
            return found if found.keys else found.rotated(made, now, propagation_s=0)

        return await self._changed(first, by=FIRST)

    async def rotate(self, *, by: str, at_once: bool = False) -> KeyRing:
        """A successor, which signs after the propagation; ``at_once``: it, or the one that waits, signs now.

        :raises IdpRefused: ``idp.rotation_under_way``.
        """
        propagation_s = 0 if at_once else self._propagation_s

        def rotated(found: KeyRing, made: IdpKey, now: int) -> KeyRing:
            if at_once and found.waiting(now) is not None:
                return found.hastened(now)
            return found.rotated(made, now, propagation_s=propagation_s)

        return await self._changed(rotated, by=by)

    async def revoke(self, kid: str, *, by: str, reason: str) -> KeyRing:
        """That key vouches for nothing from now on.

        :raises IdpRefused: ``idp.unknown_key``, ``idp.revoked_already``.
        """

        def revoked(found: KeyRing, made: IdpKey, now: int) -> KeyRing:
            return found.revoked(kid, now, reason=reason, replacement=made)

        return await self._changed(revoked, by=by)

    async def signer(self) -> tuple[IdpKey, PrivateKey]:
        """The key that signs now. :raises KeyMissing: there is none, or its private half is not here."""
        key = (await self.ensure()).signing(self._now())
        if key is None:
            raise KeyMissing("There is no signing key; run `countersign idp keys rotate`.")
        private = self._loaded.get(key.kid)
        if private is None:
            private = await asyncio.to_thread(self._files.read, key.kid)
            self._loaded = {key.kid: private}
        return key, private

    async def count_use(self, kid: str) -> int:
        """One more token signed; how many those are."""
        return await self._store.increment(Space.COUNTER, f"idp.key.{kid}", 1, ttl_s=MAX_TTL_S)

    async def uses(self, kid: str) -> int:
        """How many tokens it signed."""
        found = await self._store.get(Space.COUNTER, f"idp.key.{kid}")
        return 0 if found is None else int(found)

    async def _changed(self, change: Change, *, by: str) -> KeyRing:
        private = await asyncio.to_thread(new_private_key, self._algorithm)
        jwk = public_jwk(private)
        now = int(self._now())
        made = IdpKey(
            kid=jwk_thumbprint(jwk), algorithm=self._algorithm, jwk=jwk, created=now, active_from=now, by=by
        )
        # The file first: a registry that names a key which is nowhere would sign nothing.
        try:
            await asyncio.to_thread(self._files.write, made.kid, private)
        except OSError as problem:
            raise KeyMissing(
                f"The signing key cannot be written into idp.folder: {problem.strerror}."
            ) from None
        try:
            ring = await self._swapped(change, made)
        except IdpRefused:
            # Only here nothing changed for certain; a store that did not answer may name the new key by now.
            await asyncio.to_thread(self._files.forget, made.kid)
            raise
        await self._tidy(ring, made)
        return ring

    async def _swapped(self, change: Change, made: IdpKey) -> KeyRing:
        for _ in range(ATTEMPTS):
            found = await self._store.get(Space.IDP, RING)
            ring = decoded(found)
            changed = change(ring, made, int(self._now()))
            if changed == ring:
                return ring
            value = msgspec.json.encode(changed)
            if found is None:
                won = await self._store.add(Space.IDP, RING, value, ttl_s=None)
            else:
                won = await self._store.swap(Space.IDP, RING, expected=found, value=value, ttl_s=None)
            if won:
                return changed
        raise StoreUnavailable(
            "The signing keys change too often at the moment; try again.", code="idp.contended"
        )

    async def _tidy(self, ring: KeyRing, made: IdpKey) -> None:
        """Private halves of what signs no more, and of a key that was not needed after all, are deleted."""
        now = self._now()
        spent = {key.kid for key in ring.keys if key.state(now) in (KeyState.RETIRED, KeyState.REVOKED)}
        if ring.find(made.kid) is None:
            spent.add(made.kid)
        for kid in spent:
            self._loaded.pop(kid, None)
            try:
                await asyncio.to_thread(self._files.forget, kid)
            except (
                OSError
            ) as problem:  # the change is made; what is left behind is for the operator to remove
                _LOG.error(
                    "the private key %s signs no more and cannot be deleted: %s", kid, problem.strerror
                )


def decoded(document: bytes | None) -> KeyRing:
    """The registry of a stored document. :raises StoreUnavailable: ``idp.unreadable``."""
    if document is None:
        return KeyRing()
    try:
        ring = msgspec.json.decode(document, type=KeyRing)
        # Attack: a key of somebody else written into the store under one of our names.
        if all(key.kid == jwk_thumbprint(key.published()) for key in ring.keys):
            return ring
    except (ValueError, KeyError):  # msgspec's own errors, broken UTF-8, a key that lacks a member
        pass
    raise StoreUnavailable("The signing keys in the store cannot be read.", code="idp.unreadable")

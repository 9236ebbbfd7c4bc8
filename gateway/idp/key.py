"""The signing keys as values: which one signs, which still vouch, what rotation and revocation change. Pure.

::

    published --(propagation is over)--> active --(a successor signs)--> retired --(GRACE_S)--> gone from the key set
        |                                  |                               |
        +----------------------------------+-------------------------------+--> revoked: at once, by an operator

States follow from dates and the clock, so that all processes on one store agree without talking to each other
(conflict C35). A successor is published before it signs: verifiers that keep the set for a while know it in time.
A retired key signs nothing more and vouches until the last token it signed has expired. A revoked key vouches for
nothing from that moment on. Times are unix seconds.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, Literal

import msgspec

from gateway.idp.errors import IdpRefused

Algorithm = Literal["ES256", "RS256"]
MAX_LIFETIME_S: Final = 3600
"""Longest life of a token (C28)."""
GRACE_S: Final = MAX_LIFETIME_S + 120
"""How long a retired key vouches: the longest life, and clocks that differ."""
MAX_HISTORY: Final = 200
"""Keys that are remembered; the oldest that vouch for nothing go first. Sixteen years of a rotation each month."""


class KeyState(StrEnum):
    """What a key may do."""

    PUBLISHED = "published"
    ACTIVE = "active"
    RETIRED = "retired"
    REVOKED = "revoked"


class IdpKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One key pair's public half, its name (RFC 7638 thumbprint) and its dates. The private half is a file."""

    kid: str
    algorithm: Algorithm
    jwk: dict[str, str]
    created: int
    active_from: int
    retired_at: int | None = None
    revoked_at: int | None = None
    by: str
    reason: str | None = None

    def state(self, now: float) -> KeyState:
        """Its state at that time."""
        if self.revoked_at is not None:
            return KeyState.REVOKED
        if now < self.active_from:
            return KeyState.PUBLISHED
        return KeyState.ACTIVE if self.retired_at is None or now < self.retired_at else KeyState.RETIRED

    def vouches(self, now: float) -> bool:
        """Whether it stands in the key set. One that does not sign yet stands there, and has signed nothing."""
        return self.revoked_at is None and (self.retired_at is None or now < self.retired_at + GRACE_S)

    def published(self) -> dict[str, str]:
        """Its JWK (RFC 7517); public members only, whatever the record holds (C34)."""
        names = ("crv", "x", "y") if self.algorithm == "ES256" else ("e", "n")
        kty = "EC" if self.algorithm == "ES256" else "RSA"
        return {
            "kty": kty,
            **{name: self.jwk[name] for name in names},
            "kid": self.kid,
            "alg": self.algorithm,
            "use": "sig",
        }


class KeyRing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All keys, oldest first. ``version`` counts the changes, so that a backup can be told from what came after it."""

    version: int = 0
    keys: tuple[IdpKey, ...] = ()

    def find(self, kid: str) -> IdpKey | None:
        """The key of that name, whatever its state."""
        return next((key for key in self.keys if key.kid == kid), None)

    def signing(self, now: float) -> IdpKey | None:
        """The one that signs at that time; there is one at most."""
        return next((key for key in self.keys if key.state(now) is KeyState.ACTIVE), None)

    def waiting(self, now: float) -> IdpKey | None:
        """The successor that is published and does not sign yet."""
        return next((key for key in self.keys if key.state(now) is KeyState.PUBLISHED), None)

    def vouching(self, now: float) -> tuple[IdpKey, ...]:
        """Those of the key set."""
        return tuple(key for key in self.keys if key.vouches(now))

    def rotated(self, successor: IdpKey, now: int, *, propagation_s: int) -> KeyRing:
        """With a successor, which signs after the propagation, or at once where no key signs today.

        :raises IdpRefused: ``idp.rotation_under_way``.
        """
        if self.waiting(now) is not None:
            raise IdpRefused(
                "A rotation is under way; let it come into force, hasten it with --now, or revoke the new key.",
                code="idp.rotation_under_way",
            )
        current = self.signing(now)
        begins = now + propagation_s if current is not None else now
        kept = tuple(
            msgspec.structs.replace(key, retired_at=begins) if key is current else key for key in self.keys
        )
        return self._next((*kept, msgspec.structs.replace(successor, created=now, active_from=begins)), now)

    def hastened(self, now: int) -> KeyRing:
        """The waiting successor signs from now on; verifiers that keep an old set ask again for a key they lack.

        :raises IdpRefused: ``idp.no_rotation``: none waits.
        """
        waiting, current = self.waiting(now), self.signing(now)
        if waiting is None:
            raise IdpRefused("No key waits to come into force.", code="idp.no_rotation")
        return self._next(
            tuple(
                msgspec.structs.replace(key, active_from=now)
                if key is waiting
                else msgspec.structs.replace(key, retired_at=now)
                if key is current
                else key
                for key in self.keys
            ),
            now,
        )

    def revoked(self, kid: str, now: int, *, reason: str, replacement: IdpKey) -> KeyRing:
        """Without that key, which vouches for nothing any more. Somebody always signs afterwards.

        The active one: its waiting successor signs at once, else ``replacement``. A waiting one: its predecessor goes
        on (roll-back). A retired one never comes back, so it just goes.

        :raises IdpRefused: ``idp.unknown_key``; ``idp.revoked_already``.
        """
        found = self.find(kid)
        if found is None:
            raise IdpRefused(
                "There is no key of that name; see `countersign idp keys list`.", code="idp.unknown_key"
            )
        state = found.state(now)
        if state is KeyState.REVOKED:
            raise IdpRefused("That key is revoked already.", code="idp.revoked_already")
        ring = self
        if state is KeyState.ACTIVE:
            ring = self.hastened(now) if self.waiting(now) is not None else self._replaced(replacement, now)
        keys = tuple(
            msgspec.structs.replace(key, revoked_at=now, retired_at=key.retired_at or now, reason=reason)
            if key.kid == kid
            else msgspec.structs.replace(key, retired_at=None)
            if state is KeyState.PUBLISHED and key.state(now) is KeyState.ACTIVE
            else key
            for key in ring.keys
        )
        return msgspec.structs.replace(self._next(keys, now), version=self.version + 1)

    def _replaced(self, replacement: IdpKey, now: int) -> KeyRing:
        kept = tuple(
            msgspec.structs.replace(key, retired_at=now) if key.state(now) is KeyState.ACTIVE else key
            for key in self.keys
        )
        return self._next((*kept, msgspec.structs.replace(replacement, created=now, active_from=now)), now)

    def _next(self, keys: tuple[IdpKey, ...], now: int) -> KeyRing:
        surplus = len(keys) - MAX_HISTORY
        dropped = {key.kid for key in [one for one in keys if not one.vouches(now)][: max(0, surplus)]}
        return KeyRing(version=self.version + 1, keys=tuple(key for key in keys if key.kid not in dropped))

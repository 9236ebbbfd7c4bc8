"""DPoP proofs, each good once, for all gateways on one store (RFC 9449 sections 9 and 11.1)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Callable
from typing import Final, Protocol

from gateway.identity.credentials import PresentedProof, Secret
from gateway.identity.dpop import LEEWAY_S, MAX_AGE_S, ProofRules, check_proof
from gateway.identity.errors import Code, CredentialRefused
from gateway.state.store import Space

REMEMBER_S: Final = MAX_AGE_S + 4 * LEEWAY_S
"""Seconds a ``jti`` is kept. From the earliest moment that a gateway takes a proof to the last is
``MAX_AGE_S + 2 * LEEWAY_S``; the rest is for gateways whose clocks differ."""
NONCE_SLOT_S: Final = 120
"""Seconds after which another nonce is given out; the one before is still taken."""
MIN_NONCE_SECRET_CHARS: Final = 32
"""Characters of the secret behind nonces, which could else be guessed from a nonce."""


class UsedOnce(Protocol):
    """The part of the store that this room needs; see :class:`gateway.state.store.Store`."""

    async def add(self, space: Space, key: str, value: bytes, *, ttl_s: float | None) -> bool:
        """Insert; False when it is there already."""


class Nonces:
    """Nonces that need no memory: an HMAC of the time slot, the same at every gateway with the same secret.

    They bound how long before its use a proof can have been signed (RFC 9449 section 11.2). They are not secret,
    and the same for everybody; single use comes from ``jti``.

    :raises ValueError: a secret shorter than :data:`MIN_NONCE_SECRET_CHARS`.
    """

    def __init__(self, secret: str, *, clock: Callable[[], float] = time.time) -> None:
        if len(secret) < MIN_NONCE_SECRET_CHARS:
            raise ValueError(f"the secret behind nonces needs at least {MIN_NONCE_SECRET_CHARS} characters")
        self._secret = secret.encode()
        self._clock = clock

    def current(self) -> str:
        """What the ``DPoP-Nonce`` header says now."""
        return self._of(int(self._clock()) // NONCE_SLOT_S)

    def good(self, nonce: object) -> bool:
        """Whether it is the current one or the one before."""
        if not isinstance(nonce, str) or not nonce.isascii():
            return False
        slot = int(self._clock()) // NONCE_SLOT_S
        return any(hmac.compare_digest(self._of(one), nonce) for one in (slot, slot - 1))

    def _of(self, slot: int) -> str:
        digest = hmac.digest(self._secret, b"dpop-nonce:%d" % slot, "sha256")
        return base64.urlsafe_b64encode(digest[:18]).decode()


class DpopProofs:
    """See :class:`~gateway.identity.verifier.Proofs`. ``clock`` gives unix seconds.

    The ``jti`` is spent only by a proof that is good in every other way: others cannot burn it.
    """

    def __init__(
        self,
        store: UsedOnce,
        rules: ProofRules,
        *,
        nonces: Nonces | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._rules = rules
        self._nonces = nonces
        self._clock = clock

    async def check(self, presented: PresentedProof, *, token: Secret, thumbprint: str) -> None:
        """See :class:`~gateway.identity.verifier.Proofs`."""
        if presented.accepted:
            return
        jti = check_proof(
            presented,
            token=token,
            thumbprint=thumbprint,
            rules=self._rules,
            now=self._clock(),
            nonce_good=None if self._nonces is None else self._nonces.good,
        )
        # Per key: two clients that pick one jti do not disturb each other.
        key = hashlib.sha256(f"{thumbprint}.{jti}".encode("utf-8", "surrogatepass")).hexdigest()
        if not await self._store.add(Space.PROOF, key, b"", ttl_s=REMEMBER_S):
            raise CredentialRefused(Code.PROOF_REPLAYED)
        presented.accepted = True

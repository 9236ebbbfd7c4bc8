"""A signature over the parameters (tier INTERNAL of the how-to guide): the member ``proof`` of both bodies.

Any object with the one method of :class:`ParametersSigner` will do: a key in a token or a service signs as well.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from gateway.canonical import canonical_hash
from gateway.client.keys import ProofKey, key_of
from gateway.client.signatures import TYPE, parameters_claims


class ParametersSigner(Protocol):
    """Signs one call. A new proof is asked for with each request, since each counts once."""

    def proof(self, server: str, tool: str, parameters: Mapping[str, Any], ath: str) -> str:
        """A compact JWS of the type ``countersign-parameters+jwt``. ``ath``: base64url SHA-256 of the session token,
        which itself no signer sees."""
        ...


class KeySigner:
    """Signs with a private key that this process holds: PEM, or a ``cryptography`` key, or a :class:`ProofKey`.

    ``key_id`` is the name under which the operator registered the key; without one its public half is in the proof.
    The claims are no member of the parameters, so that the signature does not sign itself (conflict C08).

    :raises ValueError: no P-256 or Ed25519 key.
    """

    def __init__(
        self, key: object, *, key_id: str | None = None, now: Callable[[], float] = time.time
    ) -> None:
        self._key = key if isinstance(key, ProofKey) else key_of(key)
        self._key_id = key_id
        self._now = now

    def __repr__(self) -> str:
        return f"<signer {self._key_id or self._key.thumbprint}>"

    def proof(self, server: str, tool: str, parameters: Mapping[str, Any], ath: str) -> str:
        """One call, signed. :raises ValueError: parameters without a canonical form."""
        claims = parameters_claims(tool, canonical_hash(parameters), now=self._now(), server=server, ath=ath)
        return self._key.sign(TYPE, claims, key_id=self._key_id)

"""A signature over the parameters (tier INTERNAL of the how-to guide): the member ``proof`` of both bodies.

Any object with the one method of :class:`ParametersSigner` will do: a key in a token or a service signs as well.
"""

from __future__ import annotations

import base64
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from gateway.canonical import canonical_hash

TYPE: Final = "countersign-parameters+jwt"
ALGORITHMS: Final = frozenset({"ES256", "EdDSA"})


class ParametersSigner(Protocol):
    """Signs one call. A new proof is asked for with each request, since each counts once."""

    def proof(self, server: str, tool: str, parameters: Mapping[str, Any]) -> str:
        """A compact JWS of the type ``countersign-parameters+jwt``."""
        ...


class KeySigner:
    """Signs with a private key that this process holds (PyJWT takes PEM or a ``cryptography`` key).

    Claims: ``jti``, ``iat``, ``server``, ``tool`` and ``args``, the base64url SHA-256 over the RFC 8785 bytes of the
    parameters.
    They are no member of the parameters, so that the signature does not sign itself (conflict C08).
    """

    def __init__(
        self, key: Any, *, key_id: str, algorithm: str = "EdDSA", now: Callable[[], float] = time.time
    ) -> None:
        if algorithm not in ALGORITHMS:
            raise ValueError(f"algorithm: one of {', '.join(sorted(ALGORITHMS))}")
        self._key = key
        self._key_id = key_id
        self._algorithm = algorithm
        self._now = now

    def __repr__(self) -> str:
        return f"<signer {self._key_id}>"

    def proof(self, server: str, tool: str, parameters: Mapping[str, Any]) -> str:
        """One call, signed. :raises ValueError: parameters without a canonical form."""
        import jwt

        claims = {
            "jti": secrets.token_urlsafe(24),
            "iat": int(self._now()),
            "server": server,
            "tool": tool,
            "args": base64.urlsafe_b64encode(bytes.fromhex(canonical_hash(parameters))).rstrip(b"=").decode(),
        }
        headers = {"typ": TYPE, "kid": self._key_id}
        return jwt.encode(claims, self._key, algorithm=self._algorithm, headers=headers)

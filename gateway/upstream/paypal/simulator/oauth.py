"""OAuth as PayPal does it: client credentials with Basic, opaque tokens that end."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Callable
from typing import Any


class TokenDesk:
    """Gives out and knows access tokens. ``clock`` gives unix seconds, ``lifetime`` is in seconds."""

    def __init__(self, client_id: str, client_secret: str, lifetime: int, clock: Callable[[], float]) -> None:
        self.client_id = client_id
        self.client_secret = client_secret
        self.lifetime = lifetime
        self._clock = clock
        self._ends: dict[str, float] = {}
        self.fetches = 0

    def issue(self) -> str:
        """A new token."""
        self.fetches += 1
        token = f"A21AAsimulated{self.fetches:06d}"
        self._ends[token] = self._clock() + self.lifetime
        return token

    def revoke_all(self) -> None:
        """No token is known any more."""
        self._ends.clear()

    def grant(self, authorization: str, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """POST /v1/oauth2/token."""
        expected = f"{self.client_id}:{self.client_secret}"
        if not hmac.compare_digest(_basic(authorization).encode(), expected.encode()):
            return 401, {"error": "invalid_client", "error_description": "Client Authentication failed"}
        if form.get("grant_type") != "client_credentials":
            return 400, {
                "error": "unsupported_grant_type",
                "error_description": "Grant Type is not supported",
            }
        token = self.issue()
        granted = {"scope": "https://uri.paypal.com/services/invoicing", "token_type": "Bearer"}
        return 200, {
            **granted,
            "access_token": token,
            "app_id": "APP-80W284485P519543T",
            "expires_in": self.lifetime,
            "nonce": f"2026-01-01T00:00:00Z{self.fetches}",
        }

    def refusal(self, authorization: str) -> dict[str, Any] | None:
        """The body of the 401 for this header, or None for a good token."""
        token = authorization.removeprefix("Bearer ")
        if token not in self._ends:
            return {"error": "invalid_token", "error_description": "Access Token not found in cache"}
        if self._clock() >= self._ends[token]:
            return {"error": "invalid_token", "error_description": "The token has expired"}
        return None


def _basic(authorization: str) -> str:
    kind, _, value = authorization.partition(" ")
    if kind.lower() != "basic":
        return ""
    try:
        return base64.b64decode(value, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""

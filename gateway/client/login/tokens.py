"""The token endpoint: a code, a device code or a refresh token becomes an access token (RFC 6749, 8707, 9449)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from gateway.client.errors import LoginFailed
from gateway.client.login.challenge import scopes_of
from gateway.client.login.dpop import Prover
from gateway.client.login.values import Grant, Secret, Tokens
from gateway.client.login.web import Reply, Web
from gateway.client.phases import shown

MAX_TOKEN: Final = 16_384
"""Characters of a token; gateways take half of that."""
MAX_LIFE_S: Final = 10 * 365 * 86_400
_B64TOKEN: Final = re.compile(r"[A-Za-z0-9\-._~+/]+=*")
_VISIBLE: Final = re.compile(r"[\x20-\x7e]+")


class Denied(LoginFailed):
    """The server's own error code (RFC 6749 section 5.2)."""

    def __init__(self, error: str) -> None:
        super().__init__(f"The authorization server refuses: {error}.")
        self.error = error


class TokenEndpoint:
    """Asks for tokens. ``prover`` signs where the grant is to be bound."""

    def __init__(self, web: Web, prover: Prover, now: Callable[[], float]) -> None:
        self._web = web
        self._prover = prover
        self._now = now

    async def ask(self, grant: Grant, fields: Mapping[str, str], before: Tokens | None = None) -> Tokens:
        """One token request; ``before`` are the tokens it renews.

        :raises Denied: the server said no. :raises LoginFailed: it said nothing usable.
        """
        url = grant.server.token_endpoint
        form = {**fields, "client_id": grant.client_id, "resource": grant.resource}
        for attempt in (1, 2):
            headers = {"dpop": self._prover.proof("POST", url)} if grant.dpop else {}
            reply = await self._web.post_form(url, form, headers)
            fresh = grant.dpop and self._prover.heard(url, reply.nonce)
            # Once: a server that asks for another nonce each time is not asked for ever.
            if not (fresh and attempt == 1 and reply.document.get("error") == "use_dpop_nonce"):
                return self._tokens(grant, reply, before)
        raise AssertionError("the second attempt returns")

    def _tokens(self, grant: Grant, reply: Reply, before: Tokens | None) -> Tokens:
        document = reply.document
        if reply.status >= 500:
            # Not a no: whoever took it for one would throw a good refresh token away while a server restarts.
            raise LoginFailed("The authorization server does not work at the moment; try again shortly.")
        if reply.status != 200:
            raise Denied(shown(document.get("error"), 64) or f"HTTP {reply.status}")
        access = document.get("access_token")
        if not isinstance(access, str) or len(access) > MAX_TOKEN or not _B64TOKEN.fullmatch(access):
            raise LoginFailed("The authorization server sent no usable access token.")
        kind = document.get("token_type")
        kind = kind.lower() if isinstance(kind, str) else ""
        if kind not in ("bearer", "dpop") or (kind == "dpop" and not grant.dpop):
            raise LoginFailed("The authorization server sent a token of an unknown type.")
        refresh = document.get("refresh_token")
        if not isinstance(refresh, str) or len(refresh) > MAX_TOKEN or not _VISIBLE.fullmatch(refresh):
            refresh = None
        return Tokens(
            access=Secret(access),
            dpop=kind == "dpop",
            expires_at=self._expiry(document.get("expires_in")),
            # A server that does not rotate sends none: the old one goes on (RFC 6749 section 6).
            refresh=Secret(refresh) if refresh else (before.refresh if before else None),
            scopes=scopes_of(document.get("scope")) or grant.scopes,
            issuer=grant.server.issuer,
            client_id=grant.client_id,
            resource=grant.resource,
            token_endpoint=grant.server.token_endpoint,
        )

    def _expiry(self, value: Any) -> float | None:
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < MAX_LIFE_S:
            return None
        return self._now() + value

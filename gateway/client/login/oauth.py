"""Access by OAuth: keep the tokens, renew them, sign in where that is needed, and prove the key where it is bound."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

import httpx

from gateway.client.errors import LoginFailed
from gateway.client.login.challenge import Challenge, challenges
from gateway.client.login.dpop import Prover, nonce_in
from gateway.client.login.login import SignIn
from gateway.client.login.tokens import Denied, TokenEndpoint
from gateway.client.login.values import Grant, Server, Tokens, from_bytes, merged, to_bytes
from gateway.client.login.vault import Vault

LEEWAY_S: Final = 30.0
"""A token that ends within these seconds is renewed before it is used."""
AFTER_FAILURE_S: Final = 30.0
"""Seconds without another attempt after a sign-in failed: a host that repeats would open page after page."""


class OAuthAccess:
    """The credentials of one person at one gateway."""

    def __init__(
        self,
        url: str,
        vault: Vault,
        prover: Prover,
        endpoint: TokenEndpoint,
        sign_in: SignIn,
        now: Callable[[], float],
    ) -> None:
        self._url = url
        self._vault = vault
        self._prover = prover
        self._endpoint = endpoint
        self._sign_in = sign_in
        self._now = now
        self._tokens: Tokens | None = None
        self._loaded = False
        self._one = asyncio.Lock()
        self._not_before = 0.0

    async def headers(self, method: str, url: str) -> dict[str, str]:
        """The current token, renewed if it is about to end; nothing where there is none yet."""
        async with self._one:
            if not self._loaded:
                self._tokens = await self._kept()
                self._loaded = True
            tokens = self._tokens
            if tokens is not None and self._ends_soon(tokens):
                tokens = await self._renewed(tokens)
        if tokens is None:
            return {}
        access = tokens.access.expose()
        if not tokens.dpop:
            return {"authorization": f"Bearer {access}"}
        return {"authorization": f"DPoP {access}", "dpop": self._prover.proof(method, url, access=access)}

    async def refused(self, sent: Mapping[str, str], response: httpx.Response) -> bool:
        """401: a nonce, a renewal, a sign-in, in this order. 403: a sign-in with the scopes that were missing."""
        asked = challenges(response.headers.get_list("www-authenticate"))
        fresh = self._prover.heard(self._url, nonce_in(response.headers.get("dpop-nonce")))
        async with self._one:
            if self._tokens is not None and not self._is_current(sent):
                return True  # another request has renewed it meanwhile
            if response.status_code == 403:
                return await self._step_up(asked)
            if fresh and any(one.error == "use_dpop_nonce" for one in asked):
                return True
            if self._tokens is not None and await self._renewed(self._tokens) is not None:
                return True
            await self._signed_in(asked, ())
            return True

    async def sign_in(self, response: httpx.Response) -> None:
        """Sign in now, whatever is kept. :raises LoginFailed: with the reason."""
        async with self._one:
            await self._signed_in(challenges(response.headers.get_list("www-authenticate")), ())

    def _ends_soon(self, tokens: Tokens) -> bool:
        return tokens.expires_at is not None and tokens.expires_at - LEEWAY_S <= self._now()

    def _is_current(self, sent: Mapping[str, str]) -> bool:
        return self._tokens is not None and sent.get("authorization", "").partition(" ")[2] == (
            self._tokens.access.expose()
        )

    async def _step_up(self, asked: tuple[Challenge, ...]) -> bool:
        needed = next((one.scopes for one in asked if one.error == "insufficient_scope"), ())
        had = self._tokens.scopes if self._tokens else ()
        if not set(needed) - set(had):
            return False  # the same scopes again would be refused again
        await self._signed_in(asked, merged(had, needed))
        return True

    async def _signed_in(self, asked: tuple[Challenge, ...], scopes: tuple[str, ...]) -> None:
        if self._now() < self._not_before:
            raise LoginFailed("The last sign-in failed a moment ago; try again shortly.")
        try:
            self._tokens = await self._sign_in.now(asked, scopes)
        except LoginFailed:
            self._not_before = self._now() + AFTER_FAILURE_S
            raise
        await self._vault.put(self._url, to_bytes(self._tokens))

    async def _renewed(self, tokens: Tokens) -> Tokens | None:
        """New tokens for the refresh token; None: there is none, or it is worth nothing any more.

        One process at a time, and whoever comes second finds what the first one got: a refresh token that is used
        twice revokes the whole sign-in at servers that rotate (RFC 9700 section 4.14).
        """
        async with self._vault.locked(self._url):
            kept = await self._kept()
            if kept is not None and kept.access.expose() != tokens.access.expose():
                self._tokens = kept
                return kept
            if tokens.refresh is None:
                self._tokens = None
                return None
            server = Server(issuer=tokens.issuer, token_endpoint=tokens.token_endpoint)
            grant = Grant(
                server=server,
                client_id=tokens.client_id,
                resource=tokens.resource,
                scopes=tokens.scopes,
                dpop=tokens.dpop,
            )
            fields = {"grant_type": "refresh_token", "refresh_token": tokens.refresh.expose()}
            try:
                renewed = await self._endpoint.ask(grant, fields, tokens)
            except Denied:
                await self._vault.delete(self._url)
                self._tokens = None
                return None
            await self._vault.put(self._url, to_bytes(renewed))
            self._tokens = renewed
            return renewed

    async def _kept(self) -> Tokens | None:
        kept = await self._vault.get(self._url)
        return from_bytes(kept) if kept is not None else None

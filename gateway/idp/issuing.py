"""A token for a provider: what may stand in it, and the signature (R117, R118).

::

    header  alg, kid, typ "etdi+jwt"
    claims  iss, sub (provider id), aud, iat, exp, jti, scope, client_id, and for a tool
            tool_id, tool_version, tool_provider[, definition_hash]

``typ`` and ``aud`` keep it out of every API, this gateway's included (C55, RFC 8725 sections 3.9 and 3.11).
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Mapping
from typing import Any, Final

import jwt
import msgspec

from gateway.idp.errors import OAuthRefused, Refusal
from gateway.idp.issued import Issued, IssuedTokens
from gateway.idp.key_book import KeyBook
from gateway.idp.provider import Provider
from gateway.idp.providers import Providers
from gateway.idp.record import Records
from gateway.idp.renewal import Renewal
from gateway.idp.tool_claims import ToolClaims, foreign_tool, requested_tool

TYPE: Final = "etdi+jwt"
MAX_SCOPES: Final = 100
_LOG = logging.getLogger("countersign.idp")


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """``issuer``: our URL. ``audience``: who verifies. ``lifetime_s``: whole seconds, 3600 at most (C28)."""

    issuer: str
    audience: str
    lifetime_s: int


class Granted(msgspec.Struct, frozen=True, kw_only=True):
    """What the client is given (RFC 6749 section 5.1)."""

    access_token: str
    expires_in: int
    scope: str
    token_type: str = "Bearer"  # noqa: S105 - a name

    def __repr__(self) -> str:
        """Without the token."""
        return f"Granted(scope={self.scope!r})"


def granted_scope(asked: str | None, provider: Provider) -> str:
    """The scopes, each once, in the order asked; empty where none is asked for.

    :raises OAuthRefused: ``idp.invalid_scope``: one of them was not granted. Nothing is dropped in silence (C33).
    """
    scopes = tuple(dict.fromkeys(one for one in (asked or "").split(" ") if one))
    if len(scopes) > MAX_SCOPES or not all(provider.may_have(one) for one in scopes):
        raise OAuthRefused(
            Refusal.INVALID_SCOPE,
            "A scope that is asked for was not granted to this provider; ask for less, or ask the operator.",
        )
    return " ".join(scopes)


class Issuing:
    """Client credentials (RFC 6749 section 4.4), and no other grant."""

    def __init__(
        self,
        rules: Rules,
        keys: KeyBook,
        providers: Providers,
        tokens: IssuedTokens,
        records: Records,
        renewal: Renewal,
        *,
        now: Callable[[], float],
    ) -> None:
        self._rules = rules
        self._keys = keys
        self._providers = providers
        self._tokens = tokens
        self._records = records
        self._renewal = renewal
        self._now = now

    async def issue(self, provider: Provider, form: Mapping[str, str]) -> Granted:
        """A token for what the form asks.

        :raises OAuthRefused: a grant, scope, target or tool that this provider cannot have.
        :raises KeyMissing: nothing here can sign.
        :raises AuditUnavailable: what cannot be recorded is not issued.
        """
        if form.get("grant_type") != "client_credentials":
            raise OAuthRefused(Refusal.UNSUPPORTED_GRANT, "grant_type is client_credentials.")
        for name in ("audience", "resource"):
            # RFC 8707 section 2: a token for another place than ours is not to be had here.
            if form.get(name, self._rules.audience) != self._rules.audience:
                raise OAuthRefused(Refusal.INVALID_TARGET, f"{name} is not what these tokens are for.")
        scope = granted_scope(form.get("scope"), provider)
        tool = requested_tool(form, provider)
        if tool is not None and not await self._providers.claim(tool.tool_id, provider.id):
            raise foreign_tool()
        return await self._signed(provider, scope, tool)

    async def _signed(self, provider: Provider, scope: str, tool: ToolClaims | None) -> Granted:
        key, private = await self._keys.signer()
        rules, now = self._rules, int(self._now())
        issued = Issued(
            jti=secrets.token_hex(16),
            provider=provider.id,
            client_id=provider.client_id,
            scope=scope,
            iat=now,
            exp=now + rules.lifetime_s,
            kid=key.kid,
            tool_id=None if tool is None else tool.tool_id,
            tool_version=None if tool is None else tool.tool_version,
            definition_hash=None if tool is None else tool.definition_hash,
        )
        await self._records.issued(issued)
        await self._tokens.keep(issued)
        uses = await self._keys.count_use(key.kid)
        claims: dict[str, Any] = {
            "iss": rules.issuer,
            "sub": provider.id,
            "aud": rules.audience,
            "iat": issued.iat,
            "exp": issued.exp,
            "jti": issued.jti,
            "scope": scope,
            "client_id": provider.client_id,
            **({} if tool is None else msgspec.to_builtins(tool)),
        }
        token = jwt.encode(claims, private, algorithm=key.algorithm, headers={"kid": key.kid, "typ": TYPE})
        _LOG.info(
            "token issued: jti %s client %s provider %s scope %r from %d to %d tool %s",
            *(issued.jti, issued.client_id, issued.provider, scope, issued.iat, issued.exp, issued.tool_id),
        )
        await self._renewal.look(key, uses)
        return Granted(access_token=token, expires_in=rules.lifetime_s, scope=scope)

"""The settings of each kind of identity provider, under the names of the source documents (R106-R111). Values, checked.

An unknown key is an error, a missing or empty one ``authoring.config_incomplete``. Secrets never show in ``repr``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, Literal
from urllib.parse import urlsplit

import msgspec

from gateway.authoring.errors import ConfigIncomplete, ConfigInvalid, UnsupportedProvider
from gateway.identity.credentials import Secret
from gateway.identity.endpoints import parse_endpoint

DEADLINE_MS: Final = 5_000
"""Milliseconds for a whole question. A listing may wait for it."""
MAX_LIFE_MS: Final = 3_600_000
"""Milliseconds that any token is kept: an hour, whatever the provider says (C28)."""

_DOMAIN: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?")
_SEGMENT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_EVERYBODY: Final = frozenset({"common", "organizations", "consumers"})
"""Entra's tenants that are none: a token from there may be anybody's (C30)."""
_URLS: Final = frozenset({"issuer", "authority", "jwks_uri", "token_endpoint", "introspection_endpoint"})


class _Shared(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """``connection_timeout`` and ``cache_lifetime`` are milliseconds. ``scope_map``: permission -> scope."""

    client_id: str
    client_secret: Secret
    default_scopes: tuple[str, ...] = ()
    scope_map: dict[str, str] = {}
    connection_timeout: int = DEADLINE_MS
    cache_lifetime: int = MAX_LIFE_MS

    def check(self) -> None:
        """:raises ConfigInvalid: naming the key."""
        if not 1 <= self.connection_timeout <= 60_000:
            raise ConfigInvalid("connectionTimeout is 1 to 60000 milliseconds")
        if not 0 <= self.cache_lifetime <= MAX_LIFE_MS:
            raise ConfigInvalid(
                f"cacheLifetime is 0 to {MAX_LIFE_MS} milliseconds: tokens are for an hour at most"
            )
        for key in msgspec.structs.fields(type(self)):
            value = getattr(self, key.name)
            empty = value == "" or (isinstance(value, Secret) and not value.expose())
            if empty:
                raise ConfigIncomplete(f"{key.encode_name} is empty")
            if key.name in _URLS and value is not None:
                checked_url(key.encode_name, value)


class Auth0Config(_Shared, frozen=True, kw_only=True):
    """A tenant (``your-tenant.auth0.com``) and the API whose tokens are asked for. ``organization`` is optional."""

    domain: str
    audience: str
    jwks_uri: str | None = None
    token_endpoint: str | None = None

    def check(self) -> None:
        """:raises ConfigInvalid: naming the key."""
        _Shared.check(self)
        base_url(self.domain)


class OktaConfig(_Shared, frozen=True, kw_only=True):
    """An org by ``domain`` and ``auth_server_id``, or by ``issuer``; not both."""

    domain: str | None = None
    auth_server_id: str = "default"
    issuer: str | None = None
    audience: str
    jwks_uri: str | None = None
    token_endpoint: str | None = None

    def check(self) -> None:
        """:raises ConfigInvalid: naming the key."""
        _Shared.check(self)
        if (self.domain is None) is (self.issuer is None):
            raise ConfigInvalid("okta: give domain (with authServerId) or issuer, and not both")
        if self.domain is not None:
            base_url(self.domain)
        if not _SEGMENT.fullmatch(self.auth_server_id):
            raise ConfigInvalid("okta: authServerId is no id of an authorization server")


class AzureConfig(_Shared, frozen=True, kw_only=True):
    """A tenant by its id. ``token_version`` is what the API's manifest says (``requestedAccessTokenVersion``).

    ``scope`` is what is asked for; left out, it is ``<api_resource_id>/.default``: Entra grants an application its
    roles, all of them, and shows them in ``roles``. ``api_scopes``: those that the answer must name, if it names any.
    """

    tenant_id: str
    scope: str | None = None
    authority: str = "https://login.microsoftonline.com"
    api_resource_id: str | None = None
    api_scopes: tuple[str, ...] = ()
    token_version: Literal[1, 2] = 2

    def check(self) -> None:
        """:raises ConfigInvalid: naming the key."""
        _Shared.check(self)
        if self.tenant_id.lower() in _EVERYBODY:
            raise ConfigInvalid("azure: tenantId names everybody's tenants; give the id of one")
        if not _SEGMENT.fullmatch(self.tenant_id):
            raise ConfigInvalid("azure: tenantId is no id of a tenant")
        if self.scope is None and self.api_resource_id is None:
            raise ConfigIncomplete("azure: give apiResourceId or scope: the API whose tokens are asked for")


class CustomConfig(_Shared, frozen=True, kw_only=True):
    """Any OAuth server, by its issuer; endpoints that are not given are read from its metadata (RFC 8414, OIDC).

    ``resource`` (RFC 8707) and ``audience`` name whom the tokens are for; servers know the one or the other. A token's
    ``aud`` is the ``audience``, or the ``resource`` where no audience is given. ``claims_as``: the tool's claims travel
    as one JSON form field ``tool_claims``, or as fields of their own.
    """

    issuer: str
    audience: str | None = None
    resource: str | None = None
    token_endpoint: str | None = None
    jwks_uri: str | None = None
    introspection_endpoint: str | None = None
    auth_method: Literal["client_secret_basic", "client_secret_post"] = "client_secret_basic"
    claims_as: Literal["tool_claims", "fields"] = "tool_claims"

    def check(self) -> None:
        """:raises ConfigInvalid: naming the key."""
        _Shared.check(self)
        if self.resource is not None and (not urlsplit(self.resource).scheme or "#" in self.resource):
            raise ConfigInvalid("custom: resource is an absolute URI without a fragment (RFC 8707 section 2)")


ProviderConfig = Auth0Config | OktaConfig | AzureConfig | CustomConfig
KINDS: Final[Mapping[str, type[ProviderConfig]]] = {
    "auth0": Auth0Config,
    "okta": OktaConfig,
    "azure": AzureConfig,
    "custom": CustomConfig,
}


def read_config(kind: str, document: Mapping[str, Any]) -> ProviderConfig:
    """The settings of one provider.

    :raises UnsupportedProvider: nobody knows this kind.
    :raises ConfigIncomplete: a key is missing, or empty.
    :raises ConfigInvalid: a key that is unknown or holds what it cannot.
    """
    wanted = KINDS.get(kind)
    if wanted is None:
        raise UnsupportedProvider(kind)
    try:
        config = msgspec.convert(dict(document), wanted, dec_hook=_secret)
    except msgspec.ValidationError as problem:
        if "missing required field" in str(problem):
            raise ConfigIncomplete(f"{kind}: {problem}") from None
        raise ConfigInvalid(f"{kind}: {problem}") from None
    config.check()
    return config


def _secret(wanted: type, value: Any) -> Any:
    if wanted is Secret and isinstance(value, str):
        return Secret(value.encode())
    raise ValueError("a secret is text")


def base_url(domain: str) -> str:
    """``https://<domain>``; plain http for a domain that is this machine.

    Attack: ``tenant.auth0.com@attacker.example``, or one with a path, would send the secret elsewhere.

    :raises ConfigInvalid: not a bare host name with or without a port.
    """
    if not _DOMAIN.fullmatch(domain):
        raise ConfigInvalid("domain is a bare host name, such as your-tenant.auth0.com")
    try:
        loopback = parse_endpoint(f"https://{domain}").loopback
    except ValueError:
        raise ConfigInvalid("domain is no host name") from None
    return f"{'http' if loopback else 'https'}://{domain}"


def checked_url(name: str, url: str) -> str:
    """:raises ConfigInvalid: not https (http only to this machine)."""
    try:
        return parse_endpoint(url).url
    except ValueError as problem:
        raise ConfigInvalid(f"{name}: {problem}") from None

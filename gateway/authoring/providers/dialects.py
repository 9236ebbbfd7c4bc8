"""How a token for a tool is asked for at each kind of provider: settings and claims -> one request. Pure.

=======  ==========================================  =======================  =====================================
kind     endpoint                                    client authenticates by  claims travel as
=======  ==========================================  =======================  =====================================
auth0    https://<domain>/oauth/token                JSON members             JSON members ``https://etdi.tools/...``
okta     <issuer>/v1/token                           Basic                    form fields ``etdi_...``
azure    <authority>/<tenant>/oauth2/v2.0/token      form fields              form fields ``etdi_...``
custom   <issuer>'s metadata, or as configured       Basic, or form fields    one form field ``tool_claims``, JSON
=======  ==========================================  =======================  =====================================

Auth0 needs an Action, Okta a token hook, Entra a claims policy that copies what was asked for into the token, and each
must check it against the client: a claim that a client chose for itself proves nothing (C27).
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, Final, assert_never
from urllib.parse import quote_plus

import msgspec

from gateway.authoring import profiles
from gateway.authoring.claims import ProviderInfo, ToolClaims
from gateway.authoring.profiles import Profile, requested_claims, requested_scopes
from gateway.authoring.providers.config import (
    Auth0Config,
    AzureConfig,
    CustomConfig,
    OktaConfig,
    ProviderConfig,
    base_url,
)
from gateway.identity.credentials import Secret

GRANT: Final = "client_credentials"


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """One question to a token endpoint: ``members`` as JSON, or as a form. ``authorization`` is the header's value."""

    members: dict[str, str]
    as_json: bool = False
    authorization: Secret | None = None


class Dialect(msgspec.Struct, frozen=True, kw_only=True):
    """One configured provider, as far as it is known without asking it.

    ``token_endpoint`` and ``jwks_uri`` None: the issuer's metadata says. ``issuers``: every exact ``iss`` that its
    tokens may have (C18, C30).
    """

    config: ProviderConfig
    info: ProviderInfo
    profile: Profile
    issuers: tuple[str, ...]
    audience: str | None
    token_endpoint: str | None
    jwks_uri: str | None
    introspection_endpoint: str | None = None


def dialect_of(config: ProviderConfig) -> Dialect:
    """:raises ConfigInvalid: a domain that is none."""
    match config:
        case Auth0Config():
            return _auth0(config)
        case OktaConfig():
            return _okta(config)
        case AzureConfig():
            return _azure(config)
        case CustomConfig():
            return _custom(config)
        case _:
            assert_never(config)


def ask(dialect: Dialect, tool: ToolClaims) -> Ask:
    """The question for one tool's token."""
    config = dialect.config
    scopes = requested_scopes(
        dialect.profile, tool.permissions, defaults=config.default_scopes, table=config.scope_map
    )
    claims = requested_claims(dialect.profile, tool.claims())
    form = {"grant_type": GRANT, **({"scope": " ".join(scopes)} if scopes else {})}
    match config:
        case Auth0Config():
            return Ask(members={**form, "audience": config.audience, **_own(config), **claims}, as_json=True)
        case OktaConfig():
            return Ask(members={**form, "audience": config.audience, **claims}, authorization=_basic(config))
        case AzureConfig():
            scope = config.scope or f"{config.api_resource_id}/.default"
            return Ask(members={**form, "scope": scope, **_own(config), **claims})
        case CustomConfig():
            return _ask_custom(config, form, claims)
        case _:
            assert_never(config)


def _ask_custom(config: CustomConfig, form: Mapping[str, str], claims: Mapping[str, str]) -> Ask:
    members = dict(form)
    if config.audience is not None:
        members["audience"] = config.audience
    if config.resource is not None:
        members["resource"] = config.resource
    if config.claims_as == "tool_claims":
        members["tool_claims"] = msgspec.json.encode(claims, order="sorted").decode()
    else:
        members.update(claims)
    if config.auth_method == "client_secret_post":
        return Ask(members={**members, **_own(config)})
    return Ask(members=members, authorization=_basic(config))


def _own(config: ProviderConfig) -> dict[str, str]:
    return {"client_id": config.client_id, "client_secret": config.client_secret.expose().decode()}


def _basic(config: ProviderConfig) -> Secret:
    """RFC 6749 section 2.3.1: both are form-encoded before they are joined."""
    secret = config.client_secret.expose().decode()
    pair = f"{quote_plus(config.client_id)}:{quote_plus(secret)}".encode()
    return Secret(b"Basic " + base64.b64encode(pair))


def _auth0(config: Auth0Config) -> Dialect:
    base = base_url(config.domain)
    return Dialect(
        config=config,
        info=_info("auth0", "Auth0", config.domain, block=config.domain),
        profile=profiles.AUTH0,
        issuers=(f"{base}/",),
        audience=config.audience,
        token_endpoint=config.token_endpoint or f"{base}/oauth/token",
        jwks_uri=config.jwks_uri or f"{base}/.well-known/jwks.json",
    )


def _okta(config: OktaConfig) -> Dialect:
    if config.issuer is not None:
        issuer = config.issuer.rstrip("/")
        domain = issuer.split("/")[2]
    else:
        domain = str(config.domain)
        issuer = f"{base_url(domain)}/oauth2/{config.auth_server_id}"
    return Dialect(
        config=config,
        info=_info("okta", "Okta", domain, block=domain),
        profile=profiles.OKTA,
        issuers=(issuer,),
        audience=config.audience,
        token_endpoint=config.token_endpoint or f"{issuer}/v1/token",
        jwks_uri=config.jwks_uri or f"{issuer}/v1/keys",
        introspection_endpoint=f"{issuer}/v1/introspect",
    )


def _azure(config: AzureConfig) -> Dialect:
    authority = config.authority.rstrip("/")
    tenant = config.tenant_id
    issuer = (
        f"{authority}/{tenant}/v2.0" if config.token_version == 2 else f"https://sts.windows.net/{tenant}/"
    )
    return Dialect(
        config=config,
        info=_info("azure", "Azure AD", tenant, block=f"azure:{tenant}"),
        profile=profiles.AZURE,
        issuers=(issuer,),
        audience=_azure_audience(config),
        token_endpoint=f"{authority}/{tenant}/oauth2/v2.0/token",
        jwks_uri=f"{authority}/{tenant}/discovery/v2.0/keys",
    )


def _azure_audience(config: AzureConfig) -> str | None:
    """``aud`` of a version 2 token is the API's bare id, of a version 1 token its URI as it was asked for."""
    resource = config.api_resource_id
    return resource.removeprefix("api://") if resource is not None and config.token_version == 2 else resource


def _custom(config: CustomConfig) -> Dialect:
    return Dialect(
        config=config,
        info=_info("custom", "OAuth", config.issuer, block=config.issuer),
        profile=profiles.CUSTOM,
        issuers=(config.issuer,),
        audience=config.resource if config.audience is None else config.audience,
        token_endpoint=config.token_endpoint,
        jwks_uri=config.jwks_uri,
        introspection_endpoint=config.introspection_endpoint,
    )


def _info(kind: str, name: str, which: str, *, block: str) -> ProviderInfo:
    return ProviderInfo(id=f"{kind}:{which}", name=f"{name} ({which})", type=kind, block=block)


def answered_scopes(answer: Mapping[str, Any]) -> frozenset[str] | None:
    """The scopes that an answer names; None if it names none (RFC 6749 section 5.1: then as asked for)."""
    scope = answer.get("scope")
    return frozenset(scope.split(" ")) - {""} if isinstance(scope, str) else None

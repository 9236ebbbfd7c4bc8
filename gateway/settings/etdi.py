"""Whose word on a tool's origin counts, and how it is checked (``gateway/etdi``). Values only."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from gateway.etdi.degradation import DegradationRules
from gateway.etdi.profiles import ProfileName
from gateway.etdi.retry import RetryRules
from gateway.etdi.trust import SignatureAlgorithm
from gateway.settings.kinds import Hidden, Text


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """As ``settings/model.py`` has it, which has these."""


class ToolIssuerSettings(Section, frozen=True, kw_only=True):
    """One trusted issuer of tool tokens; what the members mean: ``etdi/trust.py``. Without ``audience`` its tokens are
    for ``public_url`` and ``/etdi``; without ``providers`` it speaks for ``tool_providers``.

    Keys are those of ``jwks_file``, else of ``jwks_uri``, else of the issuer's discovery document, else of the usual
    places below it. With ``introspection_url`` the issuer is also asked whether a token still counts (RFC 7662), and a
    revoked one may go on for ``introspection_remember_s``.
    """

    issuer: Text
    audience: Text | None = None
    providers: tuple[Text, ...] = ()
    names: tuple[Text, ...] = ()
    profile: ProfileName = "custom"
    algorithms: tuple[Text, ...] = ("RS256", "ES256", "EdDSA")
    max_lifetime_s: int = 3600
    leeway_s: int = 30
    require_definition_hash: bool = False
    scope_map: dict[str, str] | None = None
    jwks_uri: Text | None = None
    jwks_file: Text | None = None
    introspection_url: Text | None = None
    introspection_client_id: Text | None = None
    introspection_client_secret: Hidden | None = None
    introspection_remember_s: Annotated[float, Meta(ge=1, le=3600)] = 60.0


class ProviderKeySettings(Section, frozen=True, kw_only=True):
    """A tool provider's public key for direct signatures: ``public_key`` is the PEM itself, or ``public_key_file``
    names its file. ``without_token``: the signature is enough where there is no token. ``expires``: unix seconds."""

    provider: Text
    key_id: Text
    public_key: Text | None = None
    public_key_file: Text | None = None
    without_token: bool = False
    expires: int | None = None


class EtdiSettings(Section, frozen=True, kw_only=True):
    """With neither ``issuers`` nor ``provider_keys`` nobody is trusted, and only what a release pins is verified.

    Which origins are good enough is the policy's to decide, and by default it lists and lets through verified tools
    only. These can narrow that, never widen it: ``strict_mode`` leaves out every tool that is not verified,
    ``allow_non_etdi_tools: false`` those without a token, ``show_unverified_tools: false`` those whose token or
    signature is wrong.
    ``trusted_providers``: of the issuers, only these, by URL or name. ``tool_providers``: for whom those issuers speak
    that say nothing of it, as do those of ``ETDI_AUTH0_*``, ``ETDI_OKTA_*`` and ``ETDI_AZURE_*``. ``timeout_s``: for
    what an issuer is asked about one tool. ``allow_private_addresses``: keys may be at an address off the public
    internet although no setting names its host. ``log_tool_data``: failures are logged with what the tool asks for.
    ``log_security_events_only``: below a warning nothing is logged. ``capability_required``: a server that does not say
    in its handshake that it speaks ETDI has no verified tools, whatever they carry.
    """

    strict_mode: bool = False
    allow_non_etdi_tools: bool = True
    show_unverified_tools: bool = True
    oauth_enabled: bool = True
    prefer_oauth: bool = True
    signature_algorithms: tuple[SignatureAlgorithm, ...] = ("ES256", "RS256")
    trusted_providers: tuple[Text, ...] | None = None
    tool_providers: tuple[Text, ...] = ()
    issuers: tuple[ToolIssuerSettings, ...] = ()
    provider_keys: tuple[ProviderKeySettings, ...] = ()
    enable_caching: bool = True
    cache_ttl_s: Annotated[float, Meta(gt=0, le=24 * 3600)] = 3600.0
    max_cache_size: Annotated[int, Meta(ge=1, le=1_000_000)] = 1000
    parallel_verification: bool = True
    max_concurrent_verifications: Annotated[int, Meta(ge=1, le=64)] = 5
    timeout_s: Annotated[float, Meta(gt=0, le=30)] = 2.0
    retry: RetryRules = RetryRules()
    degradation: DegradationRules = DegradationRules()
    allow_private_addresses: bool = False
    log_level: Annotated[str, Meta(pattern="^(error|warn|info|debug)$")] = "info"
    log_tool_data: bool = False
    log_security_events_only: bool = False
    capability_required: bool = False

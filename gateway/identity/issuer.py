"""What the operator says about an issuer: the whole trust decision, as a frozen value. Pure."""

from __future__ import annotations

from typing import Final

import msgspec

from gateway.identity.discovery import metadata_urls
from gateway.identity.jwk import SUPPORTED_ALGORITHMS

MAX_LIFETIME_S: Final = 24 * 3600
"""Seconds. The longest lifetime that can be configured: a bearer token that lives longer is a password."""
MAX_LEEWAY_S: Final = 120
"""Seconds of clock difference that can be configured; more hides a broken clock."""


class TrustedIssuer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One issuer whose access tokens are accepted.

    ``issuer``: the exact string of ``iss``; compared as it is, no normalising, no suffix, no wildcard (C18).
    ``algorithms``: the allow-list; a token's header chooses within it at most (C57).
    ``audience``: what this issuer writes into ``aud`` for the gateway, if it cannot write the gateway's URL.
    ``require_at_jwt``: only ``typ: at+jwt`` (RFC 9068 section 4). False also takes ``JWT`` and no ``typ``,
    for issuers that know nothing else; then only the audience keeps ID tokens out.
    ``max_lifetime_s``: a token with a longer ``exp - iat`` is refused. ``leeway_s``: for ``iat`` and ``nbf``
    only. ``role_claim``: member names from the top of the claims to the roles, e.g. ``("realm_access",
    "roles")``; empty: this issuer grants no roles. ``scope_claim``: the same for scopes; empty: ``scope`` or
    ``scp``. ``scope_map``, ``role_map``: the issuer's name -> the name that the policy knows; with a map, a name
    that is not in it grants nothing.

    :raises ValueError: a setting that would be unsafe or could not work.
    """

    issuer: str
    algorithms: tuple[str, ...] = ("RS256", "ES256", "EdDSA")
    audience: str | None = None
    require_at_jwt: bool = True
    max_lifetime_s: int = 3600
    leeway_s: int = 30
    role_claim: tuple[str, ...] = ()
    scope_claim: tuple[str, ...] = ()
    scope_map: dict[str, str] | None = None
    role_map: dict[str, str] | None = None

    def __post_init__(self) -> None:
        metadata_urls(self.issuer)
        if not self.algorithms or not SUPPORTED_ALGORITHMS.issuperset(self.algorithms):
            raise ValueError(f"algorithms must be some of {', '.join(sorted(SUPPORTED_ALGORITHMS))}")
        if self.audience == "":
            raise ValueError("audience must not be empty; leave it out to require the gateway's URL")
        if not 0 < self.max_lifetime_s <= MAX_LIFETIME_S:
            raise ValueError(f"max_lifetime_s must be within 1..{MAX_LIFETIME_S}")
        if not 0 <= self.leeway_s <= MAX_LEEWAY_S:
            raise ValueError(f"leeway_s must be within 0..{MAX_LEEWAY_S}")
        if not all(self.role_claim) or not all(self.scope_claim):
            raise ValueError("role_claim and scope_claim must not hold an empty name")
        for name, mapping in (("scope_map", self.scope_map), ("role_map", self.role_map)):
            if not all(outside and inside for outside, inside in (mapping or {}).items()):
                raise ValueError(f"{name} must not hold an empty name")

"""How kinds of issuers write the same facts: claim names, scope claims, scope prefixes (C27, C29, C30). Data.

One internal spelling: a permission is its name, and the scope that grants it is ``tool:<permission>``. Everything
else is decoded into that, and nothing is renamed on the way.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

ProfileName = Literal["custom", "auth0", "okta", "azure"]

CLAIM_PREFIXES: Final = ("", "https://etdi.tools/", "etdi_")
"""Every prefix that exists. All that a token carries must agree, whichever the profile reads."""


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """``claim_prefixes``: of ``tool_id`` and its like; one of them must be there. ``scope_claims``: where scopes stand.
    ``scope_prefixes``: what stands before the permission. ``tenant_claim``: a claim that must be the tenant in the
    issuer's own URL."""

    claim_prefixes: tuple[str, ...]
    scope_claims: tuple[str, ...]
    scope_prefixes: tuple[str, ...] = ("tool:",)
    tenant_claim: str | None = None


PROFILES: Final[dict[ProfileName, Profile]] = {
    "custom": Profile(claim_prefixes=("", "https://etdi.tools/", "etdi_"), scope_claims=("scope", "scp")),
    "auth0": Profile(claim_prefixes=("https://etdi.tools/", ""), scope_claims=("scope",)),
    "okta": Profile(
        claim_prefixes=("etdi_", ""), scope_claims=("scp", "scope"), scope_prefixes=("tool.", "tool:")
    ),
    # An application's own permissions are roles there; `scp` is what a person delegated.
    "azure": Profile(
        claim_prefixes=("etdi_", ""),
        scope_claims=("roles", "scp"),
        scope_prefixes=("tool:", "tool."),
        tenant_claim="tid",
    ),
}


def granted(profile: Profile, scopes: tuple[str, ...], scope_map: dict[str, str] | None) -> frozenset[str]:
    """Permissions that these scopes grant. A scope without a known prefix, and not in the operator's map, grants none;
    there is no wildcard (C33)."""
    names: set[str] = set()
    for scope in scopes:
        if scope_map is not None and scope in scope_map:
            names.add(scope_map[scope])
            continue
        for prefix in profile.scope_prefixes:
            if scope.startswith(prefix):
                names.add(scope.removeprefix(prefix))
                break
    return frozenset(names)

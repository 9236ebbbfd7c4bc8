"""How the token of each kind of identity provider spells the claims and scopes of a tool. Data, and pure readers of it.

One internal form: the claims ``tool_id``, ``tool_version``, ``tool_provider``, ``definition_hash`` and the scope
``tool:<permission>``. What a provider writes instead is an encoding, read back here and nowhere else (conflicts C27,
C29, C30). It imports nothing but the standard library, so that whoever verifies tokens can use the same tables.

What is *not* checked here: signature, issuer, audience and times of the token.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

TOOL_CLAIMS: Final = ("tool_id", "tool_version", "tool_provider", "definition_hash")
CANONICAL_PREFIX: Final = "tool:"

_SCOPE_TOKEN: Final = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]+")
"""RFC 6749 section 3.3 ``scope-token``."""
MAX_PERMISSION_CHARS: Final = 512


@dataclass(frozen=True, kw_only=True, slots=True)
class Profile:
    """One kind of provider.

    ``claim_prefixes``: spellings of a claim, prefix by prefix; the first is the one that is asked for, all are read.
    ``scope_prefixes``: likewise, of a permission as a scope. ``scope_claims``: where granted scopes stand in a token.
    """

    kind: str
    claim_prefixes: tuple[str, ...]
    scope_prefixes: tuple[str, ...]
    scope_claims: tuple[str, ...]


AUTH0: Final = Profile(
    kind="auth0",
    claim_prefixes=("https://etdi.tools/", ""),
    scope_prefixes=("tool:",),
    scope_claims=("scope",),
)
OKTA: Final = Profile(
    kind="okta",
    claim_prefixes=("etdi_", ""),
    scope_prefixes=("tool.", "tool:"),
    scope_claims=("scp", "scope"),
)
AZURE: Final = Profile(
    kind="azure",
    claim_prefixes=("etdi_", ""),
    scope_prefixes=("tool.", "tool:"),
    scope_claims=("scp", "roles"),
)
CUSTOM: Final = Profile(
    kind="custom", claim_prefixes=("",), scope_prefixes=("tool:",), scope_claims=("scope", "scp")
)
PROFILES: Final[Mapping[str, Profile]] = {one.kind: one for one in (AUTH0, OKTA, AZURE, CUSTOM)}


def check_permission(permission: str) -> str:
    """The permission itself. Attack: ``"read tool:admin"`` would be two scopes once it stands in a request.

    :raises ValueError: characters that a scope cannot have (RFC 6749 section 3.3), nothing, or too much.
    """
    if len(permission) > MAX_PERMISSION_CHARS or not _SCOPE_TOKEN.fullmatch(permission):
        raise ValueError(
            f"{permission[:80]!r} is no permission: visible ASCII, no spaces, quotes or backslashes"
        )
    return permission


def split_permission(permission: str) -> tuple[str, str, str | None]:
    """``filesystem:read:/a:b`` -> (``filesystem``, ``read``, ``/a:b``): a path may hold colons (C29).

    :raises ValueError: not ``category:action`` or ``category:action:path``.
    """
    parts = permission.split(":", 2)
    if len(parts) < 2 or not parts[0] or not parts[1]:
        raise ValueError(f"{permission[:80]!r} is not category:action or category:action:path")
    return parts[0], parts[1], parts[2] if len(parts) > 2 else None


def requested_scopes(
    profile: Profile,
    permissions: Iterable[str],
    *,
    defaults: Iterable[str] = (),
    table: Mapping[str, str] | None = None,
) -> tuple[str, ...]:
    """The scopes to ask for, each once: permissions by the ``table``, else with the prefix; then ``defaults``."""
    table = table or {}
    mapped = (table.get(one, profile.scope_prefixes[0] + one) for one in permissions)
    return tuple(dict.fromkeys((*mapped, *defaults)))


def requested_claims(profile: Profile, claims: Mapping[str, str]) -> dict[str, str]:
    """The claims as this provider's token request spells them."""
    return {profile.claim_prefixes[0] + name: value for name, value in claims.items()}


def tool_claims(profile: Profile, payload: Mapping[str, Any]) -> dict[str, str]:
    """The tool's claims in a verified payload, under their internal names; a claim that is not there is left out.

    :raises ValueError: two spellings of one claim disagree, or one is not text: two readers would see two tools (C27).
    """
    found: dict[str, str] = {}
    for name in TOOL_CLAIMS:
        values = [payload[prefix + name] for prefix in profile.claim_prefixes if prefix + name in payload]
        if not all(isinstance(value, str) for value in values):
            raise ValueError(f"the claim {name} is not text")
        if len(set(values)) > 1:
            raise ValueError(f"the claim {name} is there in two spellings that disagree")
        if values:
            found[name] = values[0]
    return found


def granted_scopes(profile: Profile, payload: Mapping[str, Any]) -> frozenset[str]:
    """The scopes of a verified payload, as they are spelt there.

    :raises ValueError: a scope claim that is neither text nor a list of texts.
    """
    granted: set[str] = set()
    for claim in profile.scope_claims:
        value = payload.get(claim)
        if value is None:
            continue
        if isinstance(value, str):
            granted.update(value.split(" "))
        elif isinstance(value, list) and all(isinstance(one, str) for one in value):
            granted.update(value)
        else:
            raise ValueError(f"the claim {claim} is neither text nor a list of texts")
    return frozenset(granted - {""})


def granted_permissions(
    profile: Profile, payload: Mapping[str, Any], *, table: Mapping[str, str] | None = None
) -> frozenset[str]:
    """The permissions that a verified payload grants. A scope that is none of a tool's is not counted.

    :raises ValueError: as :func:`granted_scopes`.
    """
    named = {scope: permission for permission, scope in (table or {}).items()}
    granted: set[str] = set()
    for scope in granted_scopes(profile, payload):
        if scope in named:
            granted.add(named[scope])
            continue
        prefix = next((one for one in profile.scope_prefixes if scope.startswith(one)), None)
        if prefix is not None:
            granted.add(scope.removeprefix(prefix))
    return frozenset(granted)

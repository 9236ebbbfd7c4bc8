"""Where a client finds what: RFC 8414, and the same under the name that OpenID Connect Discovery looks for. Pure."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

from gateway.idp.client_auth import METHODS
from gateway.idp.key import KeyRing

OAUTH: Final = "/.well-known/oauth-authorization-server"
OPENID: Final = "/.well-known/openid-configuration"
JWKS: Final = "/.well-known/jwks.json"
_ASSERTION_ALGORITHMS: Final = ["ES256", "ES384", "ES512", "EdDSA", "RS256"]


def path_of(issuer: str) -> str:
    """The path beneath which everything stands; empty at a root."""
    return urlsplit(issuer).path.rstrip("/")


def well_known_paths(issuer: str, base: str) -> tuple[str, ...]:
    """Where the document is looked for: RFC 8414 section 3 puts the well-known part first, OpenID Connect last.

    ``base`` is the path as requests show it here, behind a proxy that may take a part of it away.
    """
    path = path_of(issuer)
    return tuple(dict.fromkeys((OAUTH + path, OPENID + path, base + OAUTH, base + OPENID)))


def metadata(issuer: str, algorithm: str) -> dict[str, Any]:
    """The document. Registration is not in it: ours is not that of RFC 7591."""
    return {
        "issuer": issuer,
        "token_endpoint": f"{issuer}/token",
        "jwks_uri": issuer + JWKS,
        "introspection_endpoint": f"{issuer}/introspect",
        "revocation_endpoint": f"{issuer}/revoke",
        "grant_types_supported": ["client_credentials"],
        "response_types_supported": [],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [algorithm],
        "token_endpoint_auth_methods_supported": list(METHODS),
        "token_endpoint_auth_signing_alg_values_supported": _ASSERTION_ALGORITHMS,
        "introspection_endpoint_auth_methods_supported": list(METHODS),
        "introspection_endpoint_auth_signing_alg_values_supported": _ASSERTION_ALGORITHMS,
        "revocation_endpoint_auth_methods_supported": list(METHODS),
        "revocation_endpoint_auth_signing_alg_values_supported": _ASSERTION_ALGORITHMS,
    }


def key_set(ring: KeyRing, now: float) -> dict[str, Any]:
    """The JWK set: what vouches now, the successor that waits included; asymmetric and public, or it is not there."""
    return {"keys": [key.published() for key in ring.vouching(now)]}

"""What an OAuth client needs to find its way: RFC 9728 metadata and the WWW-Authenticate challenge. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final, Literal

from gateway.identity.endpoints import parse_endpoint

WELL_KNOWN: Final = "/.well-known/oauth-protected-resource"
_MAX_DESCRIPTION_CHARS: Final = 200
"""Characters of ``error_description``: a sentence, and a header line that no proxy cuts."""

_SCOPE: Final = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")
"""RFC 6749 section 3.3 scope-token: no space, no quote, no backslash."""
_NOT_QUOTABLE: Final = re.compile(r"[^\x20\x21\x23-\x5b\x5d-\x7e]")
"""What RFC 6750 section 3 does not allow in ``error_description``. It holds CR, LF, quote and backslash."""

ChallengeError = Literal[
    "invalid_request", "invalid_token", "insufficient_scope", "invalid_dpop_proof", "use_dpop_nonce"
]


def canonical_resource(url: str) -> str:
    """The gateway's own URL as audiences must name it: no trailing slash, query or fragment (RFC 8707 section
    2).

    :raises ValueError: another shape of URL. Nothing is repaired: tokens are compared with it byte for byte.
    """
    endpoint = parse_endpoint(url)
    if endpoint.query or url.endswith("/") or url != endpoint.origin.lower() + endpoint.path:
        raise ValueError("the gateway's URL must have a lower-case origin, no query and no trailing slash")
    return url


def metadata_path(resource: str) -> str:
    """Where the document is served: well-known path, then the resource's own path (RFC 9728 section 3.1)."""
    return WELL_KNOWN + parse_endpoint(resource).path


def metadata_url(resource: str) -> str:
    """The absolute URL for ``resource_metadata`` of the challenge."""
    endpoint = parse_endpoint(resource)
    return endpoint.origin + WELL_KNOWN + endpoint.path


def protected_resource_metadata(
    *,
    resource: str,
    authorization_servers: Sequence[str],
    scopes_supported: Sequence[str] = (),
    resource_name: str | None = None,
    resource_documentation: str | None = None,
    dpop_algorithms: Sequence[str] = (),
    dpop_required: bool = False,
) -> dict[str, Any]:
    """The RFC 9728 section 2 document. MCP wants at least one authorization server (basic/authorization).

    ``scopes_supported`` is what a first request needs, not everything there is: clients ask for all of it.

    :raises ValueError: no authorization server, an unusable URL or scope, or ``offline_access`` (MCP: a
        resource has no business asking for refresh tokens).
    """
    if not authorization_servers:
        raise ValueError("protected resource metadata needs at least one authorization server")
    for url in authorization_servers:
        parse_endpoint(url)
    if "offline_access" in scopes_supported:
        raise ValueError("offline_access is not a scope of this resource")
    document: dict[str, Any] = {
        "resource": canonical_resource(resource),
        "authorization_servers": list(authorization_servers),
        "bearer_methods_supported": ["header"],
    }
    if scopes_supported:
        document["scopes_supported"] = _scopes(scopes_supported).split(" ")
    if resource_name is not None:
        document["resource_name"] = resource_name
    if dpop_algorithms:
        document["dpop_signing_alg_values_supported"] = list(dpop_algorithms)
    if dpop_required:
        document["dpop_bound_access_tokens_required"] = True
    if resource_documentation is not None:
        document["resource_documentation"] = parse_endpoint(resource_documentation).url
    return document


def www_authenticate(
    error: ChallengeError | None,
    *,
    resource_metadata: str | None,
    scope: Sequence[str] = (),
    description: str | None = None,
    dpop_algorithms: Sequence[str] = (),
) -> str:
    """The value of WWW-Authenticate for 401 and 403 (RFC 6750 section 3, RFC 9728 section 5.1, MCP step-up).

    ``error`` None: no credential came, and nothing is said about errors. ``scope`` is everything the
    operation needs, at once, or a client steps up once per scope. ``resource_metadata`` None: static tokens
    only, and no authorization server to point to. With ``dpop_algorithms`` it is the challenge of that scheme (RFC
    9449 section 7.1). Characters of ``description`` that could end the quoted
    string or the header line are shown as ``?``.

    :raises ValueError: an unusable URL or scope.
    """
    parameters = []
    if error is not None:
        parameters.append(f'error="{error}"')
        if description:
            safe = _NOT_QUOTABLE.sub("?", description)[:_MAX_DESCRIPTION_CHARS]
            parameters.append(f'error_description="{safe}"')
    if scope:
        parameters.append(f'scope="{_scopes(scope)}"')
    if resource_metadata is not None:
        parameters.append(f'resource_metadata="{parse_endpoint(resource_metadata).url}"')
    scheme = "DPoP" if dpop_algorithms else "Bearer"
    if dpop_algorithms:
        parameters.append(f'algs="{" ".join(dpop_algorithms)}"')
    return " ".join([scheme, ", ".join(parameters)]) if parameters else scheme


def _scopes(scopes: Sequence[str]) -> str:
    for scope in scopes:
        if _SCOPE.fullmatch(scope) is None:
            raise ValueError("a scope must be an RFC 6749 scope-token")
    return " ".join(dict.fromkeys(scopes))

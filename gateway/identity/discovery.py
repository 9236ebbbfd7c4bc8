"""Issuer -> where its keys are: RFC 8414 and OpenID Connect discovery, the exact issuer or not at all."""

from __future__ import annotations

from typing import Final

from gateway.door import strict_json
from gateway.errors import MalformedRequest
from gateway.identity.endpoints import parse_endpoint
from gateway.identity.fetch import Fetcher, FetchError

NOT_HERE: Final = frozenset({400, 401, 403, 404, 405, 410})
"""Statuses after which the next well-known spelling is tried. A server in trouble (5xx) is asked again
later."""


def metadata_urls(issuer: str) -> tuple[str, ...]:
    """Where an issuer may publish its metadata, in MCP's order (basic/authorization, server metadata
    discovery).

    :raises ValueError: the issuer is no https URL, or has a query (RFC 8414 section 2).
    """
    endpoint = parse_endpoint(issuer)
    if endpoint.query:
        raise ValueError("an issuer has no query (RFC 8414 section 2)")
    path = endpoint.path.rstrip("/")
    inserted = (
        f"{endpoint.origin}/.well-known/oauth-authorization-server{path}",
        f"{endpoint.origin}/.well-known/openid-configuration{path}",
    )
    return (*inserted, f"{endpoint.origin}{path}/.well-known/openid-configuration") if path else inserted


def jwks_uri_of(metadata: bytes, *, issuer: str) -> str:
    """The ``jwks_uri`` of a metadata document.

    Its issuer must be the configured one, character by character (RFC 8414 section 3.3): one host may serve
    many tenants, and a mix-up would bring another tenant's keys. The URI may be on another host (large
    issuers do that), but not at a private address that the issuer itself does not live at (SSRF).

    :raises ValueError: anything else. The message quotes nothing from the document.
    """
    try:
        document = strict_json.parse(metadata)
    except MalformedRequest as problem:
        raise ValueError(f"the issuer's metadata is not strict JSON ({problem.code})") from None
    if not isinstance(document, dict) or document.get("issuer") != issuer:
        raise ValueError("the metadata is another issuer's")
    uri = document.get("jwks_uri")
    if not isinstance(uri, str):
        raise ValueError("the issuer's metadata has no jwks_uri")
    endpoint, home = parse_endpoint(uri), parse_endpoint(issuer)
    if endpoint.private and endpoint.host != home.host:
        raise ValueError("the jwks_uri points to a private address")
    return uri


async def discover_jwks_uri(fetcher: Fetcher, issuer: str) -> str:
    """Ask the well-known places in order; the first document found decides.

    :raises FetchError: no document.
    :raises ValueError: an unusable one.
    """
    failed = FetchError("the issuer publishes no metadata")
    for url in metadata_urls(issuer):
        try:
            metadata = await fetcher.fetch(url)
        except FetchError as problem:
            if problem.status not in NOT_HERE:
                raise
            failed = problem
        else:
            return jwks_uri_of(metadata, issuer=issuer)
    raise failed


async def first_of(fetcher: Fetcher, urls: tuple[str, ...], *, otherwise: FetchError) -> bytes:
    """The first document that is there. :raises FetchError: a server in trouble, or ``otherwise``: there is none."""
    for url in urls:
        try:
            return await fetcher.fetch(url)
        except FetchError as problem:
            if problem.status not in NOT_HERE:
                raise
    raise otherwise

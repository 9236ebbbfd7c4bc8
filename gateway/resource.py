"""The gateway as an OAuth protected resource: its metadata (RFC 9728) and its challenges, from the settings."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from gateway.errors import SettingsError
from gateway.identity.challenge import Access
from gateway.identity.metadata import WELL_KNOWN, metadata_path, metadata_url, protected_resource_metadata
from gateway.recognition import nonces_of, resource_of
from gateway.settings import Settings


def access_of(settings: Settings, servers: Iterable[str], *, now: Callable[[], float] = time.time) -> Access:
    """What refused callers are told. :raises SettingsError:"""
    identity = settings.identity
    issuers = identity.issuers
    try:
        nonces = nonces_of(settings, now=now)
    except ValueError as problem:
        raise SettingsError(f"identity.dpop: {problem}.") from None
    names = {
        # Of several names that mean the same to the policy, the first is asked for.
        one.issuer: None
        if one.scope_map is None
        else {inside: outside for outside, inside in reversed(one.scope_map.items())}
        for one in issuers
    }
    return Access(
        metadata={name: metadata_url(url) for name, url in _resources(settings, servers)} if issuers else {},
        scopes=identity.scopes_supported,
        # With static bearer tokens only there is nobody to bind a token; a challenge would lead nowhere.
        algorithms=identity.dpop.algorithms
        if issuers or any(one.key_thumbprint for one in identity.tokens)
        else (),
        bound_only=identity.dpop.required,
        names=names,
        nonce=nonces.current if nonces is not None else None,
    )


def metadata_routes(settings: Settings, servers: Iterable[str]) -> list[BaseRoute]:
    """One document for the gateway (also at the root, where MCP clients look last) and one for each server.

    A document's ``resource`` is the URL that it was found for, character by character (RFC 9728 section 3.3).
    """
    if not settings.identity.issuers:
        return []
    routes: list[BaseRoute] = []
    for name, url in _resources(settings, servers):
        try:
            document = protected_resource_metadata(
                resource=url,
                authorization_servers=[one.issuer for one in settings.identity.issuers],
                scopes_supported=settings.identity.scopes_supported,
                resource_name=f"Countersign gateway: {name}" if name else "Countersign gateway",
                dpop_algorithms=settings.identity.dpop.algorithms,
                dpop_required=settings.identity.dpop.required,
            )
        except ValueError as problem:
            raise SettingsError(f"identity: {problem}.") from None

        async def metadata(_: Request, document: dict[str, object] = document) -> Response:
            return JSONResponse(document, headers={"cache-control": "max-age=3600"})

        routes.append(Route(metadata_path(url), metadata))
        if not name:
            routes.append(Route(WELL_KNOWN, metadata))
    return routes


def _resources(settings: Settings, servers: Iterable[str]) -> list[tuple[str, str]]:
    base = resource_of(settings)
    return [("", base), *((name, f"{base}/{name}") for name in servers)]

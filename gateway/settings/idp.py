"""Contradictions in ``idp``. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.identity.endpoints import parse_endpoint
from gateway.settings.model import Settings

_ADDRESS = re.compile(r"(?:[A-Za-z0-9.-]+|\[[0-9a-fA-F:.]+\]):[0-9]{1,5}", re.ASCII)


def issuer_of(settings: Settings) -> str:
    """The issuer of its tokens, beneath which it is reached."""
    return settings.idp.url or f"{settings.public_url.rstrip('/')}/idp"


def audience_of(settings: Settings) -> str:
    """Whom its tokens are for: who verifies definitions, and no API (C32, C55)."""
    return settings.idp.audience or f"{settings.public_url.rstrip('/')}/etdi"


def idp_problems(settings: Settings) -> Iterator[str]:
    """One line for each, naming the key and what to do; never a secret."""
    idp = settings.idp
    if not _ADDRESS.fullmatch(idp.listen):
        yield "idp.listen: is not host:port."
    if idp.url is not None:
        yield from _url(settings, idp.url)
    audience = audience_of(settings)
    if not audience.isascii() or not audience.isprintable() or " " in audience:
        yield "idp.audience: has visible characters only."
    elif audience == f"{settings.public_url.rstrip('/')}/mcp" or audience == issuer_of(settings):
        # Every client reads these tokens; one for an API would let each of them in (C55).
        yield "idp.audience: is an API's; a tool's token is published, and must open nothing."
    if idp.propagation_seconds < idp.jwks_max_age_seconds:
        # A key that signs before verifiers can have heard of it (C35).
        yield "idp.propagation_seconds: is shorter than idp.jwks_max_age_seconds; a new key would sign unknown."


def _url(settings: Settings, url: str) -> Iterator[str]:
    try:
        endpoint = parse_endpoint(url)
        usable = (
            not endpoint.query and not url.endswith("/") and url == endpoint.origin.lower() + endpoint.path
        )
    except ValueError:
        usable = False
    if not usable:
        yield "idp.url: must be https, or http to loopback, in lower case, without query and closing slash."
    elif settings.idp.mounted and not url.startswith(settings.public_url.rstrip("/") + "/"):
        yield "idp.url: lies outside public_url; a mounted identity provider is reached through the gateway."

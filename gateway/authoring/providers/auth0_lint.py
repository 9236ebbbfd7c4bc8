"""Whether an exported Auth0 tenant is set up as tools' tokens want it (R108, C28). Pure.

The recommendations: RS256, an hour at most, client credentials and nothing else, protection against guessing, no open
client registration, scopes of tools. What the export does not say is a finding too: nobody has looked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

MAX_LIFE_S: Final = 3_600


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """``place`` is a path in the export; ``remedy`` says what it should be."""

    place: str
    said: str
    remedy: str


def lint(export: Mapping[str, Any]) -> tuple[Finding, ...]:
    """Everything that is not as recommended, in the order of the export's sections."""
    return tuple(_findings(export))


def _findings(export: Mapping[str, Any]) -> Iterator[Finding]:
    yield from _is(export, "tenant.brute_force_protection", True, "switch brute force protection on")
    yield from _is(export, "tenant.enable_client_connections", False, "no connections for new clients")
    yield from _is(export, "application.jwt_configuration.alg", "RS256", "sign with RS256: no shared secret")
    yield from _is(
        export, "application.grant_types", ["client_credentials"], "client_credentials, and no other grant"
    )
    yield from _is(export, "application.callbacks", [], "no callbacks: nobody signs in here")
    yield from _is(export, "api.signing_alg", "RS256", "sign with RS256: verifiers hold no secret")
    for place in ("application.jwt_configuration.lifetime_in_seconds", "api.token_lifetime"):
        life = _at(export, place)
        if isinstance(life, bool) or not isinstance(life, int) or not 0 < life <= MAX_LIFE_S:
            yield _finding(
                place, life, f"{MAX_LIFE_S} seconds at most: a longer token outlives its revocation"
            )
    scopes = _at(export, "api.scopes")
    names = scopes if isinstance(scopes, Mapping | list) else ()
    if not any(str(name).startswith("tool:") for name in names):
        yield _finding("api.scopes", scopes, "define the tools' scopes, tool:<permission>")
    if any(str(name) in ("tool:*", "*") for name in names):
        yield _finding("api.scopes", "a wildcard", "name each permission; a wildcard grants those to come")


def _is(export: Mapping[str, Any], place: str, wanted: Any, remedy: str) -> Iterator[Finding]:
    value = _at(export, place)
    if value != wanted or type(value) is not type(wanted):
        yield _finding(place, value, remedy)


def _at(export: Mapping[str, Any], place: str) -> Any:
    value: Any = export
    for step in place.split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def _finding(place: str, said: Any, remedy: str) -> Finding:
    return Finding(place=place, said="nothing" if said is None else str(said)[:80], remedy=remedy)

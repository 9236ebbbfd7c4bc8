"""What a tool author's server reads from the environment (R137, R139-R142): who it is, and who grants its tokens.

============================  =========================================================================
variable                      what it is
============================  =========================================================================
``ETDI_PROVIDER_ID``          ``default-provider`` where it is not set
``ETDI_PROVIDER_NAME``        its id where it is not set
``ETDI_TOKEN_CACHE_TTL``      milliseconds, 3600000 at most and where it is not set
``ETDI_LOG_LEVEL``            ``debug``, ``info``, ``warning``, ``error``
``ETDI_LOG_INCLUDE_TOKENS``   must not be true: a log is read by more people than may hold a token
``ETDI_AUTH0_...``            ``DOMAIN``, ``CLIENT_ID``, ``CLIENT_SECRET``, ``AUDIENCE``
``ETDI_OKTA_...``             the same, and ``AUTH_SERVER_ID``
``ETDI_AZURE_...``            ``TENANT_ID``, ``CLIENT_ID``, ``CLIENT_SECRET``, ``SCOPE``, ``API_RESOURCE_ID``
``ETDI_OAUTH_...``            any other: ``ISSUER``, ``CLIENT_ID``, ``CLIENT_SECRET``, ``AUDIENCE``, ``RESOURCE``,
                              ``TOKEN_ENDPOINT``
============================  =========================================================================

A variable whose name ends in ``_FILE`` names a file that holds the value. A kind of provider is configured by its first
variable; two kinds are an error, not a guess.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from gateway.authoring.declaration import Author
from gateway.authoring.errors import ConfigIncomplete, ConfigInvalid
from gateway.authoring.providers.config import MAX_LIFE_MS, ProviderConfig, read_config

NONE_FOUND: Final = "No OAuth provider configuration found in environment"
PREFIX: Final = "ETDI_"
DEFAULT_PROVIDER_ID: Final = "default-provider"
FILE_SUFFIX: Final = "_FILE"
_SECRET: Final = "CLIENT_SECRET"  # noqa: S105 - a name
_FIELDS: Final[Mapping[str, Mapping[str, str]]] = {
    "auth0": {
        "DOMAIN": "domain",
        "CLIENT_ID": "clientId",
        _SECRET: "clientSecret",
        "AUDIENCE": "audience",
    },
    "okta": {
        "DOMAIN": "domain",
        "AUTH_SERVER_ID": "authServerId",
        "CLIENT_ID": "clientId",
        _SECRET: "clientSecret",
        "AUDIENCE": "audience",
    },
    "azure": {
        "TENANT_ID": "tenantId",
        "CLIENT_ID": "clientId",
        _SECRET: "clientSecret",
        "SCOPE": "scope",
        "API_RESOURCE_ID": "apiResourceId",
    },
    "custom": {
        "ISSUER": "issuer",
        "CLIENT_ID": "clientId",
        _SECRET: "clientSecret",
        "AUDIENCE": "audience",
        "RESOURCE": "resource",
        "TOKEN_ENDPOINT": "tokenEndpoint",
    },
}
"""In the order of detection; the first variable of each says that the kind is meant."""
_NAMES: Final = {"auth0": "AUTH0", "okta": "OKTA", "azure": "AZURE", "custom": "OAUTH"}
_BOOLEANS: Final = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
_LEVELS: Final = ("debug", "info", "warning", "error")


class AuthorSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the environment says. ``kind`` and ``provider`` are for ``Provider``; ``log_level`` for the logger."""

    author: Author
    kind: str
    provider: ProviderConfig
    log_level: str


def author_settings(environ: Mapping[str, str] | None = None) -> AuthorSettings:
    """The settings of this process.

    :raises ConfigIncomplete: no provider, or one that lacks a variable; an empty one is a missing one.
    :raises ConfigInvalid: two providers, a switch that is neither true nor false, a number that is none.
    """
    environ = os.environ if environ is None else environ
    said = {name: value for name, value in environ.items() if name.startswith(PREFIX)}
    if _switch(said, "ETDI_LOG_INCLUDE_TOKENS"):
        raise ConfigInvalid("ETDI_LOG_INCLUDE_TOKENS: tokens are never logged; unset it.")
    kind = _kind(said)
    document: dict[str, object] = {
        field: value
        for name, field in _FIELDS[kind].items()
        if (value := _value(said, f"{PREFIX}{_NAMES[kind]}_{name}")) is not None
    }
    document["cacheLifetime"] = _milliseconds(said, "ETDI_TOKEN_CACHE_TTL", MAX_LIFE_MS)
    if kind == "azure" and document.get("scope") == ".default":
        # The source's default; alone it names no API.
        document.pop("scope")
    try:
        provider = read_config(kind, document)
    except ConfigIncomplete as problem:
        raise ConfigIncomplete(f"ETDI_{_NAMES[kind]}_*: {problem.message}") from None
    provider_id = _value(said, "ETDI_PROVIDER_ID") or DEFAULT_PROVIDER_ID
    name = _value(said, "ETDI_PROVIDER_NAME") or provider_id
    return AuthorSettings(
        author=Author(id=provider_id, name=name), kind=kind, provider=provider, log_level=_level(said)
    )


def _kind(said: Mapping[str, str]) -> str:
    found = []
    for kind, fields in _FIELDS.items():
        first = f"{PREFIX}{_NAMES[kind]}_{next(iter(fields))}"
        if first in said or first + FILE_SUFFIX in said:
            found.append(kind)
    if not found:
        raise ConfigIncomplete(NONE_FOUND)
    if len(found) > 1:
        raise ConfigInvalid(f"the environment configures {' and '.join(found)}; unset all but one.")
    return found[0]


def _value(said: Mapping[str, str], name: str) -> str | None:
    """The variable, or the content of the file it names. None where it is not set."""
    value, file = said.get(name), said.get(name + FILE_SUFFIX)
    if value is not None and file is not None:
        raise ConfigInvalid(f"{name}: {name}{FILE_SUFFIX} says it too; unset one of them.")
    if file is not None:
        try:
            value = Path(file).read_text(encoding="utf-8").strip()
        except (OSError, ValueError):
            raise ConfigInvalid(f"{name}{FILE_SUFFIX}: the file cannot be read.") from None
    if value == "":
        raise ConfigIncomplete(f"{name}: is empty; unset it, or give it a value.")
    return value


def _switch(said: Mapping[str, str], name: str) -> bool:
    value = said.get(name, "false").lower()
    if value not in _BOOLEANS:
        raise ConfigInvalid(f"{name}: is true or false.")
    return _BOOLEANS[value]


def _milliseconds(said: Mapping[str, str], name: str, default: int) -> int:
    value = said.get(name)
    if value is None:
        return default
    if not (value.isascii() and value.isdecimal()) or int(value[:12]) > MAX_LIFE_MS:
        raise ConfigInvalid(f"{name}: is milliseconds, {MAX_LIFE_MS} at most.")
    return int(value)


def _level(said: Mapping[str, str]) -> str:
    value = said.get("ETDI_LOG_LEVEL", "info").lower()
    if value not in _LEVELS:
        raise ConfigInvalid(f"ETDI_LOG_LEVEL: is one of {', '.join(_LEVELS)}.")
    return value

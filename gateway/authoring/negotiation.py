"""Who speaks ETDI, said in the handshake and read out of it, in every spelling (R165, R166, C49). Pure.

Read: ``capabilities.etdi``, ``capabilities.extensions.etdi``, and ``dev.countersign/etdi`` below ``extensions`` or
``experimental``. Written: the last two, with the form of the source documents beside them; stock peers drop what they
do not know. Spellings that contradict each other are refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from gateway.authoring.errors import NegotiationFailed
from gateway.catalog.tool import ETDI_META_KEY

VERSION: Final = "1.0.0"
ALGORITHMS: Final = ("RS256", "ES256")
FLOWS: Final = ("client_credentials",)
_VERSION: Final = re.compile(r"([0-9]{1,6})(?:\.([0-9]{1,6}))?(?:\.([0-9]{1,6}))?(?:[-+][0-9A-Za-z.+-]*)?")


class Capability(msgspec.Struct, frozen=True, kw_only=True):
    """What one side says. ``providers`` empty: none in particular. ``required``: without ETDI it will not go on."""

    version: str = VERSION
    providers: tuple[str, ...] = ()
    required: bool = False
    algorithms: tuple[str, ...] = ALGORITHMS
    flows: tuple[str, ...] = FLOWS


class Agreement(msgspec.Struct, frozen=True, kw_only=True):
    """What both can do. ``version`` None: ETDI is not spoken here; ``why`` then says why, for a warning."""

    version: str | None = None
    provider: str | None = None
    why: str | None = None


def read_capability(capabilities: Mapping[str, Any] | None) -> Capability | None:
    """What a side's capabilities say of ETDI, or None.

    :raises NegotiationFailed: a spelling that is malformed, or two that contradict each other.
    """
    found = list(_spellings(capabilities or {}))
    if not found:
        return None
    said = [_read(one) for one in found]
    merged = said[0]
    for other in said[1:]:
        merged = _merge(merged, other)
    return Capability(**{key: value for key, value in merged.items() if value is not None})


def with_capability(
    capabilities: Mapping[str, Any], own: Capability, *, client: bool, modern: bool
) -> dict[str, Any]:
    """A side's capabilities with ETDI in them. ``modern``: the protocol has ``extensions`` (2026-07-28)."""
    said = client_form(own) if client else _server_form(own)
    place = "extensions" if modern else "experimental"
    return {
        **capabilities,
        "etdi": said,
        place: {**(capabilities.get(place) or {}), ETDI_META_KEY: said},
    }


def negotiate(client: Capability | None, server: Capability | None) -> Agreement:
    """What the two can do together.

    :raises NegotiationFailed: one requires ETDI, and the other has none, or no common major version or provider.
    """
    why = _unsupported(client, server)
    if why is not None:
        if (client is not None and client.required) or (server is not None and server.required):
            raise NegotiationFailed(f"ETDI is required: {why}")
        return Agreement(why=why)
    assert client is not None
    assert server is not None
    version = min((client.version, server.version), key=_numbers)
    common = _common(client, server)
    return Agreement(version=version, provider=common[0] if common else None)


def _unsupported(client: Capability | None, server: Capability | None) -> str | None:
    if client is None or server is None:
        return "the client does not speak it" if client is None else "the server does not speak it"
    if _numbers(client.version)[0] != _numbers(server.version)[0]:
        return f"versions {client.version} and {server.version} have nothing in common"
    if client.providers and server.providers and not _common(client, server):
        return "there is no OAuth provider that both know"
    return None


def _common(client: Capability, server: Capability) -> list[str]:
    return [name for name in server.providers if not client.providers or _known(name, client.providers)]


_ALIASES: Final = {"auth0": "auth0.com", "okta": "okta.com", "azure": "azure.microsoft.com"}


def _known(name: str, names: tuple[str, ...]) -> bool:
    """``auth0`` and ``auth0.com`` are one, in the words of the sources; only these whole words, never a part of one."""
    return _ALIASES.get(name, name) in {_ALIASES.get(one, one) for one in names}


def _spellings(capabilities: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    extensions, experimental = (
        {} if capabilities.get(place) is None else capabilities[place]
        for place in ("extensions", "experimental")
    )
    if not isinstance(extensions, Mapping) or not isinstance(experimental, Mapping):
        raise NegotiationFailed("extensions and experimental are objects")
    said = (
        capabilities.get("etdi"),
        extensions.get("etdi"),
        extensions.get(ETDI_META_KEY),
        experimental.get("etdi"),
        experimental.get(ETDI_META_KEY),
    )
    found = [one for one in said if one is not None]
    if not all(isinstance(one, Mapping) for one in found):
        raise NegotiationFailed("the etdi capability is not an object")
    return [one for one in found if isinstance(one, Mapping)]


def _read(said: Mapping[str, Any]) -> dict[str, Any]:
    version = said.get("version", VERSION)
    required = said.get("required")
    if not isinstance(version, str) or not isinstance(required, bool | None):
        raise NegotiationFailed(
            "the etdi capability has a version that is text, and required is true or false"
        )
    providers = said.get("supportedOAuthProviders")
    if providers is None and said.get("oauthProvider") is not None:
        providers = [said["oauthProvider"]]
    return {
        "version": ".".join(map(str, _numbers(version))),
        "required": required,
        "providers": _texts(providers, "providers"),
        "algorithms": _texts(said.get("supportedAlgorithms"), "supportedAlgorithms"),
        "flows": _texts(said.get("supportedOAuthFlows"), "supportedOAuthFlows"),
    }


def _merge(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    for key, value in other.items():
        if value is not None and one[key] not in (None, value):
            raise NegotiationFailed(f"two spellings of the etdi capability disagree on {key}")
    return {key: value if value is not None else other[key] for key, value in one.items()}


def _texts(value: Any, what: str) -> tuple[str, ...] | None:
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise NegotiationFailed(f"{what} of the etdi capability is not a list of texts")
    return tuple(value)


def _numbers(version: str) -> tuple[int, int, int]:
    """``1.0`` and ``1.0.0`` are one version. :raises NegotiationFailed:"""
    match = _VERSION.fullmatch(version)
    if match is None:
        raise NegotiationFailed("the etdi capability's version is no semantic version")
    return int(match[1]), int(match[2] or 0), int(match[3] or 0)


def client_form(own: Capability) -> dict[str, Any]:
    """What a client says of itself."""
    return {
        "version": own.version,
        "required": own.required,
        "supportedOAuthProviders": list(own.providers),
        "supportedAlgorithms": list(own.algorithms),
        "supportedOAuthFlows": list(own.flows),
    }


def _server_form(own: Capability) -> dict[str, Any]:
    form: dict[str, Any] = {"version": own.version}
    if own.providers:
        form["oauthProvider"] = own.providers[0]
    return form

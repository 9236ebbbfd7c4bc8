"""Several identity providers at hand, and making one from its settings (R112)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gateway.authoring.claims import ProviderInfo
from gateway.authoring.errors import ConfigInvalid
from gateway.authoring.providers.config import read_config
from gateway.authoring.providers.provider import OAuthProvider, Provider


def create_provider(kind: str, config: Mapping[str, Any]) -> Provider:
    """The provider of this kind.

    :raises UnsupportedProvider: ``Unsupported OAuth provider type: <kind>``.
    :raises ConfigInvalid: its settings cannot be used.
    """
    return Provider(read_config(kind, config))


class Registry:
    """Providers by what they say of themselves. Where several fit, the one registered first is given."""

    def __init__(self) -> None:
        self._providers: dict[str, OAuthProvider] = {}

    def register(self, provider: OAuthProvider) -> None:
        """:raises ConfigInvalid: there is one with this id: which of the two would sign for a tool?"""
        if provider.info.id in self._providers:
            raise ConfigInvalid(f"the provider {provider.info.id} is registered already")
        self._providers[provider.info.id] = provider

    def get(self, provider_id: str) -> OAuthProvider | None:
        """By its id, ``auth0:<domain>`` and the like."""
        return self._providers.get(provider_id)

    def by_name(self, name: str) -> OAuthProvider | None:
        """By its name, ``Auth0 (<domain>)`` and the like."""
        return self._first(lambda info: info.name == name)

    def by_type(self, kind: str) -> OAuthProvider | None:
        """By its kind: auth0, okta, azure, custom."""
        return self._first(lambda info: info.type == kind)

    def all(self) -> tuple[OAuthProvider, ...]:
        """In the order of registration."""
        return tuple(self._providers.values())

    def _first(self, fits: Callable[[ProviderInfo], bool]) -> OAuthProvider | None:
        return next((one for one in self._providers.values() if fits(one.info)), None)

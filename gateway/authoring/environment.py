"""A server's ETDI from its manifest and its environment: what most servers need, in one call."""

from __future__ import annotations

from pathlib import Path

from gateway.authoring.errors import ConfigInvalid
from gateway.authoring.etdi import Etdi
from gateway.authoring.migration.manifest import etdi_from_manifest, load_manifest
from gateway.authoring.providers.provider import Provider
from gateway.settings.authoring import DEFAULT_PROVIDER_ID, author_settings


def etdi_from_environment(manifest: Path) -> Etdi:
    """Tools, key and history from the manifest; who grants the tokens from ``ETDI_*`` variables.

    :raises ConfigInvalid: either cannot be used, or they name two providers of the tools.
    :raises HistoryUnusable: the history of versions.
    """
    settings = author_settings()
    provider = load_manifest(manifest).provider
    if settings.author.id not in (DEFAULT_PROVIDER_ID, provider.id):
        raise ConfigInvalid(
            f"ETDI_PROVIDER_ID is {settings.author.id!r}, and {manifest.name} says {provider.id!r}; unset one of them"
        )
    return etdi_from_manifest(manifest, Provider(settings.provider))

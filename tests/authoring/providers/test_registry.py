"""Providers at hand, by what they say of themselves (R112)."""

from __future__ import annotations

import pytest

from gateway.authoring.errors import ConfigInvalid, UnsupportedProvider
from gateway.authoring.providers.registry import Registry, create_provider
from tests.authoring.providers.test_config import GOOD


def test_each_kind_is_made_and_found() -> None:
    """By id, name and type."""
    registry = Registry()
    made = {kind: create_provider(kind, config) for kind, config in GOOD.items()}
    for provider in made.values():
        registry.register(provider)
    assert registry.all() == tuple(made.values())
    assert registry.get("auth0:tenant.auth0.com") is made["auth0"]
    assert registry.by_name("Okta (org.okta.com)") is made["okta"]
    assert registry.by_type("azure") is made["azure"]
    assert registry.get("x") is registry.by_name("x") is registry.by_type("x") is None


def test_one_id_is_one_provider() -> None:
    """Which of two would sign?"""
    registry = Registry()
    registry.register(create_provider("auth0", GOOD["auth0"]))
    with pytest.raises(ConfigInvalid, match="registered already"):
        registry.register(create_provider("auth0", GOOD["auth0"]))


def test_an_unknown_kind() -> None:
    """In the source's words."""
    with pytest.raises(UnsupportedProvider, match=r"^Unsupported OAuth provider type: ldap$"):
        create_provider("ldap", {})


def test_endpoints_that_are_known_without_asking() -> None:
    """R111; a custom issuer's are in its metadata."""
    uris = {kind: create_provider(kind, config).jwks_uri for kind, config in GOOD.items()}
    assert uris == {
        "auth0": "https://tenant.auth0.com/.well-known/jwks.json",
        "okta": "https://org.okta.com/oauth2/default/v1/keys",
        "azure": "https://login.microsoftonline.com/6f1b0d0e-7a0c-4a53-9a06-0c2f6d2f9d11/discovery/v2.0/keys",
        "custom": None,
    }

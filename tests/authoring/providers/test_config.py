"""Settings of identity providers: what is missing, unknown or unsafe is named, and nothing leaks."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.authoring.errors import ConfigIncomplete, ConfigInvalid, UnsupportedProvider
from gateway.authoring.providers.config import base_url, read_config

OWN = {"clientId": "c", "clientSecret": "very-secret"}
GOOD: dict[str, dict[str, Any]] = {
    "auth0": {**OWN, "domain": "tenant.auth0.com", "audience": "https://gateway.example"},
    "okta": {**OWN, "domain": "org.okta.com", "audience": "https://gateway.example"},
    "azure": {**OWN, "tenantId": "6f1b0d0e-7a0c-4a53-9a06-0c2f6d2f9d11", "apiResourceId": "api://x"},
    "custom": {**OWN, "issuer": "https://idp.example"},
}


@pytest.mark.parametrize("kind", GOOD)
def test_good_settings_are_read_and_hide_their_secret(kind: str) -> None:
    """Under the sources' names."""
    config = read_config(kind, GOOD[kind])
    assert config.client_secret.expose() == b"very-secret"
    assert "very-secret" not in repr(config)


@pytest.mark.parametrize("kind", GOOD)
def test_each_key_is_needed_and_no_other_is_known(kind: str) -> None:
    """A missing key, an empty one, and one that nobody reads."""
    for key in GOOD[kind]:
        with pytest.raises(ConfigInvalid):
            read_config(kind, {name: value for name, value in GOOD[kind].items() if name != key})
        with pytest.raises(ConfigInvalid):
            read_config(kind, {**GOOD[kind], key: ""})
    with pytest.raises(ConfigInvalid, match="unknown field"):
        read_config(kind, {**GOOD[kind], "clientSecrt": "x"})


def test_an_empty_secret_is_incomplete() -> None:
    """R139."""
    with pytest.raises(ConfigIncomplete, match="clientSecret is empty"):
        read_config("auth0", {**GOOD["auth0"], "clientSecret": ""})
    with pytest.raises(ConfigIncomplete, match="client"):
        read_config("auth0", {"domain": "tenant.auth0.com", "audience": "a", "clientId": "c"})


@pytest.mark.parametrize("kind", ["Auth0", "google", "", "saml"])
def test_an_unknown_kind_is_named(kind: str) -> None:
    """In the source's words (R112)."""
    with pytest.raises(UnsupportedProvider, match=f"^Unsupported OAuth provider type: {kind}$"):
        read_config(kind, {})


@pytest.mark.parametrize(
    "domain",
    [
        "tenant.auth0.com@attacker.example",
        "tenant.auth0.com/x",
        "https://tenant.auth0.com",
        "tenant.auth0.com?x",
        "tenant.auth0.com#x",
        " tenant.auth0.com",
        "2130706433",
        "",
        "a\nb",
    ],
)
def test_a_domain_is_a_bare_host(domain: str) -> None:
    """Attack: a secret that is sent elsewhere by a domain that is more than one."""
    with pytest.raises(ConfigInvalid):
        read_config("auth0", {**GOOD["auth0"], "domain": domain})


def test_plain_http_is_for_this_machine() -> None:
    """A tenant is asked over https."""
    assert base_url("tenant.auth0.com") == "https://tenant.auth0.com"
    assert base_url("127.0.0.1:8080") == "http://127.0.0.1:8080"
    for key in ("tokenEndpoint", "jwksUri"):
        with pytest.raises(ConfigInvalid, match=key):
            read_config("auth0", {**GOOD["auth0"], key: "http://idp.example/x"})
    with pytest.raises(ConfigInvalid, match="issuer"):
        read_config("custom", {**GOOD["custom"], "issuer": "http://idp.example"})


@pytest.mark.parametrize("tenant", ["common", "organizations", "Consumers"])
def test_everybodys_tenants_are_refused(tenant: str) -> None:
    """C30."""
    with pytest.raises(ConfigInvalid, match="everybody"):
        read_config("azure", {**GOOD["azure"], "tenantId": tenant})


@pytest.mark.parametrize(
    ("kind", "changed"),
    [
        ("okta", {"issuer": "https://org.okta.com/oauth2/default"}),
        ("okta", {"authServerId": "../x"}),
        ("azure", {"tenantId": "a/b"}),
        ("auth0", {"connectionTimeout": 0}),
        ("auth0", {"cacheLifetime": 86_400_000}),
        ("custom", {"authMethod": "none"}),
        ("custom", {"resource": "gateway.example/etdi"}),
        ("custom", {"resource": "https://gateway.example/etdi#tools"}),
    ],
)
def test_what_cannot_be_is_refused(kind: str, changed: dict[str, Any]) -> None:
    """Two issuers, ids that are paths, no timeout, a token for a day (C28), a resource that is none (RFC 8707)."""
    with pytest.raises(ConfigInvalid):
        read_config(kind, {**GOOD[kind], **changed})

"""What a tool author's server reads from the environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.authoring.errors import ConfigIncomplete, ConfigInvalid
from gateway.authoring.providers.config import Auth0Config, AzureConfig, CustomConfig, OktaConfig
from gateway.settings.authoring import author_settings

AUTH0 = {
    "ETDI_AUTH0_DOMAIN": "tenant.auth0.com",
    "ETDI_AUTH0_CLIENT_ID": "c",
    "ETDI_AUTH0_CLIENT_SECRET": "s3cret",
    "ETDI_AUTH0_AUDIENCE": "https://gateway.example",
}
OKTA = {
    "ETDI_OKTA_DOMAIN": "org.okta.com",
    "ETDI_OKTA_CLIENT_ID": "c",
    "ETDI_OKTA_CLIENT_SECRET": "s3cret",
    "ETDI_OKTA_AUDIENCE": "a",
}
AZURE = {
    "ETDI_AZURE_TENANT_ID": "6f1b0d0e-7a0c-4a53-9a06-0c2f6d2f9d11",
    "ETDI_AZURE_CLIENT_ID": "c",
    "ETDI_AZURE_CLIENT_SECRET": "s3cret",
    "ETDI_AZURE_SCOPE": "api://x/.default",
}
CUSTOM = {
    "ETDI_OAUTH_ISSUER": "https://gateway.example/idp",
    "ETDI_OAUTH_CLIENT_ID": "c",
    "ETDI_OAUTH_CLIENT_SECRET": "s3cret",
}


def test_each_provider_by_its_variables() -> None:
    """R139, and the defaults of R140."""
    found = author_settings(AUTH0)
    assert isinstance(found.provider, Auth0Config)
    assert (found.author.id, found.author.name) == ("default-provider", "default-provider")
    assert (found.log_level, found.provider.cache_lifetime) == ("info", 3_600_000)
    okta = author_settings(OKTA).provider
    assert isinstance(okta, OktaConfig)
    assert okta.auth_server_id == "default"
    azure = author_settings(AZURE).provider
    assert isinstance(azure, AzureConfig)
    assert azure.scope == "api://x/.default"
    custom = author_settings({**CUSTOM, "ETDI_OAUTH_RESOURCE": "https://gateway.example/etdi"}).provider
    assert isinstance(custom, CustomConfig)
    assert custom.resource == "https://gateway.example/etdi"
    assert "s3cret" not in repr(author_settings(CUSTOM))


def test_what_is_said_counts() -> None:
    """Names, times, levels."""
    found = author_settings(
        {
            **AUTH0,
            "ETDI_PROVIDER_ID": "files-inc",
            "ETDI_PROVIDER_NAME": "Files Inc.",
            "ETDI_TOKEN_CACHE_TTL": "60000",
            "ETDI_LOG_LEVEL": "WARNING",
        }
    )
    assert (found.author.id, found.author.name, found.log_level) == ("files-inc", "Files Inc.", "warning")
    assert found.provider.cache_lifetime == 60_000


def test_no_provider_at_all() -> None:
    """In the source's words; an empty environment starts nothing (R142)."""
    with pytest.raises(ConfigIncomplete, match=r"^No OAuth provider configuration found in environment$"):
        author_settings({})


@pytest.mark.parametrize("other", [OKTA, AZURE, CUSTOM])
def test_two_providers_are_not_guessed_between(other: dict[str, str]) -> None:
    """R141."""
    with pytest.raises(ConfigInvalid, match="unset all but one"):
        author_settings({**AUTH0, **other})


@pytest.mark.parametrize("variables", [AUTH0, OKTA, AZURE, CUSTOM])
def test_a_missing_or_empty_variable_is_incomplete(variables: dict[str, str]) -> None:
    """R139: an empty secret is none; and no message says one."""
    for name in list(variables)[1:]:
        with pytest.raises(ConfigIncomplete) as missing:
            author_settings({key: value for key, value in variables.items() if key != name} | {"X": "1"})
        with pytest.raises(ConfigIncomplete) as empty:
            author_settings({**variables, name: ""})
        assert "s3cret" not in f"{missing.value} {empty.value}"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ETDI_LOG_INCLUDE_TOKENS", "true"),
        ("ETDI_LOG_INCLUDE_TOKENS", "on"),
        ("ETDI_LOG_INCLUDE_TOKENS", ""),
        ("ETDI_TOKEN_CACHE_TTL", "1h"),
        ("ETDI_TOKEN_CACHE_TTL", "86400000"),
        ("ETDI_TOKEN_CACHE_TTL", "-1"),
        ("ETDI_LOG_LEVEL", "loud"),
        ("ETDI_AUTH0_DOMAIN", "https://tenant.auth0.com"),
        ("ETDI_PROVIDER_NAME", "a\u202eb"),
    ],
)
def test_garbage_does_not_start(name: str, value: str) -> None:
    """C39: a word that is neither yes nor no switches nothing off."""
    with pytest.raises(ConfigInvalid):
        author_settings({**AUTH0, name: value})


@pytest.mark.parametrize("value", ["false", "0", "no", "False"])
def test_tokens_are_not_logged(value: str) -> None:
    """However that is said."""
    author_settings({**AUTH0, "ETDI_LOG_INCLUDE_TOKENS": value})


def test_a_secret_from_a_file(tmp_path: Path) -> None:
    """As containers bring them; not both ways at once, and not from nowhere."""
    path = tmp_path / "secret"
    path.write_text("from-file\n")
    without = {key: value for key, value in AUTH0.items() if not key.endswith("SECRET")}
    found = author_settings({**without, "ETDI_AUTH0_CLIENT_SECRET_FILE": str(path)})
    assert found.provider.client_secret.expose() == b"from-file"
    with pytest.raises(ConfigInvalid, match="says it too"):
        author_settings({**AUTH0, "ETDI_AUTH0_CLIENT_SECRET_FILE": str(path)})
    with pytest.raises(ConfigInvalid, match="cannot be read"):
        author_settings({**without, "ETDI_AUTH0_CLIENT_SECRET_FILE": str(tmp_path / "none")})

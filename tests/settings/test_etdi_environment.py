"""The design's variables are our settings; what cannot be read refuses to start, by its name (R138 to R141, C39)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.errors import SettingsError
from gateway.settings import Settings
from gateway.settings.etdi_environment import BOOLEANS, NAMES
from tests.settings.test_etdi import loaded

TENANT = "11111111-2222-3333-4444-555555555555"
AUTH0 = {
    "ETDI_AUTH0_DOMAIN": "tenant.auth0.com",
    "ETDI_AUTH0_CLIENT_ID": "id",
    "ETDI_AUTH0_CLIENT_SECRET": "secret",
    "ETDI_AUTH0_AUDIENCE": "https://gateway.example.com/etdi",
}
OKTA = {name.replace("AUTH0", "OKTA"): value.replace("auth0", "okta") for name, value in AUTH0.items()}
AZURE = {
    "ETDI_AZURE_TENANT_ID": TENANT,
    "ETDI_AZURE_CLIENT_ID": "id",
    "ETDI_AZURE_CLIENT_SECRET": "secret",
}
SPEAKING = {"COUNTERSIGN_ETDI_TOOL_PROVIDERS": "bank"}


def at(settings: Settings, place: str) -> Any:
    """The setting at a dotted place."""
    found: Any = settings
    for step in place.split("."):
        found = getattr(found, step)
    return found


@pytest.mark.parametrize(
    ("name", "value", "place", "expected"),
    [
        ("ETDI_STRICT_MODE", "false", "etdi.strict_mode", False),
        ("ETDI_STRICT_MODE", "YES", "etdi.strict_mode", True),
        ("ETDI_ALLOW_NON_ETDI_TOOLS", "1", "etdi.allow_non_etdi_tools", True),
        ("ETDI_SHOW_UNVERIFIED_TOOLS", "0", "etdi.show_unverified_tools", False),
        ("ETDI_OAUTH_ENABLED", "false", "etdi.oauth_enabled", False),
        ("ETDI_TRUSTED_PROVIDERS", "a, b ,c", "etdi.trusted_providers", ("a", "b", "c")),
        ("ETDI_VALIDATION_CACHE_TTL", "90000", "etdi.cache_ttl_s", 90),
        ("ETDI_ENABLE_CACHING", "false", "etdi.enable_caching", False),
        ("ETDI_MAX_CACHE_SIZE", "7", "etdi.max_cache_size", 7),
        ("ETDI_PARALLEL_VERIFICATION", "false", "etdi.parallel_verification", False),
        ("ETDI_MAX_CONCURRENT_VERIFICATIONS", "9", "etdi.max_concurrent_verifications", 9),
        ("ETDI_LOG_LEVEL", "WARN", "etdi.log_level", "warn"),
        ("ETDI_LOG_INCLUDE_TOOL_DATA", "true", "etdi.log_tool_data", True),
        ("ETDI_LOG_SECURITY_EVENTS_ONLY", "true", "etdi.log_security_events_only", True),
        ("ETDI_APPROVAL_STORAGE_PATH", "/data/approvals.db", "state.url", "sqlite:////data/approvals.db"),
        ("ETDI_APPROVAL_STORAGE_PATH", "approvals/", "state.url", "sqlite:///approvals/state.sqlite3"),
    ],
)
def test_a_variable_is_a_setting(tmp_path: Path, name: str, value: str, place: str, expected: Any) -> None:
    """Its name, its type; the file says something else, the variable wins."""
    assert at(loaded(tmp_path, "", {name: value}), place) == expected


def test_the_defaults_are_the_designs() -> None:
    """R138, R140; where the design's switch would only repeat what the policy decides, it is not set."""
    etdi = Settings().etdi
    assert (etdi.oauth_enabled, etdi.enable_caching) == (True, True)
    assert (etdi.cache_ttl_s, etdi.max_cache_size, etdi.max_concurrent_verifications) == (3600, 1000, 5)
    assert (etdi.parallel_verification, etdi.log_level, etdi.log_tool_data) == (True, "info", False)
    assert not etdi.log_security_events_only


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, "on") for name, (_, read) in NAMES.items() if read.__name__ == "boolean"),
        *((name, "perhaps") for name, (_, read) in NAMES.items() if read.__name__ == "boolean"),
        *(
            (name, bad)
            for name in ("ETDI_MAX_CACHE_SIZE", "ETDI_VALIDATION_CACHE_TTL")
            for bad in ("0", "-1")
        ),
        *(("ETDI_MAX_CACHE_SIZE", bad) for bad in ("many", "1.5", "0x10", "1_000", "\u0663", "9" * 30)),
        *(("ETDI_TOKEN_CACHE_TTL", bad) for bad in ("soon", "999999999")),
        ("ETDI_MAX_CONCURRENT_VERIFICATIONS", "1e3"),
        ("ETDI_TRUSTED_PROVIDERS", "a,,b"),
        ("ETDI_TRUSTED_PROVIDERS", ","),
        ("ETDI_LOG_LEVEL", "loud"),
        ("ETDI_LOG_INCLUDE_TOKENS", "true"),
        ("ETDI_LOG_INCLUDE_TOKENS", "maybe"),
        ("ETDI_WARNING_FOR_UNVERIFIED", "no"),
        ("ETDI_WARNING_FOR_UNVERIFIED", "perhaps"),
        ("ETDI_APPROVAL_STORAGE_TYPE", "cloud"),
        ("ETDI_APPROVAL_STORAGE_URL", "redis://host"),
    ],
)
def test_garbage_refuses_to_start(tmp_path: Path, name: str, value: str) -> None:
    """C39: it must not read as false, as nothing, or as the default."""
    with pytest.raises(SettingsError) as problem:
        loaded(tmp_path, "", {name: value})
    assert problem.value.code == "config_invalid"
    assert problem.value.message.startswith(name)


@pytest.mark.parametrize("name", [*NAMES, *AUTH0, *OKTA, *AZURE, "ETDI_APPROVAL_STORAGE_PATH"])
def test_an_empty_variable_is_incomplete(tmp_path: Path, name: str) -> None:
    """Neither a value nor the default; an empty secret with a domain least of all (R139)."""
    with pytest.raises(SettingsError) as problem:
        loaded(tmp_path, "", {**AUTH0, **OKTA, **AZURE, **SPEAKING, name: ""})
    assert problem.value.code == "config_incomplete"
    assert problem.value.message.startswith(name)


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        (
            AUTH0,
            {
                "issuer": "https://tenant.auth0.com/",
                "profile": "auth0",
                "names": ("tenant.auth0.com", "auth0:tenant.auth0.com"),
                "audience": "https://gateway.example.com/etdi",
            },
        ),
        (
            OKTA,
            {"issuer": "https://tenant.okta.com/oauth2/default", "profile": "okta"},
        ),
        (
            {**OKTA, "ETDI_OKTA_AUTH_SERVER_ID": "tools"},
            {"issuer": "https://tenant.okta.com/oauth2/tools"},
        ),
        (
            AZURE,
            {
                "issuer": f"https://login.microsoftonline.com/{TENANT}/v2.0",
                "profile": "azure",
                "names": (TENANT, f"azure:{TENANT}"),
                "audience": "id",
            },
        ),
        (
            {**AZURE, "ETDI_AZURE_SCOPE": "api://etdi/.default"},
            {"audience": "api://etdi"},
        ),
    ],
)
def test_an_issuer_of_the_environment(
    tmp_path: Path, environ: dict[str, str], expected: dict[str, Any]
) -> None:
    """By its exact URL, after those of the file."""
    text = "etdi: {issuers: [{issuer: https://idp.example.com}]}"
    issuers = loaded(tmp_path, text, {**environ, **SPEAKING}).etdi.issuers
    assert issuers[0].issuer == "https://idp.example.com"
    made = msgspec.structs.asdict(issuers[1])
    assert {key: made[key] for key in expected} == expected


@pytest.mark.parametrize("kind", [AUTH0, OKTA, AZURE], ids=["auth0", "okta", "azure"])
def test_a_part_of_an_issuer_is_incomplete(tmp_path: Path, kind: dict[str, str]) -> None:
    """Whichever is missing; and for whom it speaks must be said (C56)."""
    for missing in kind:
        environ = {name: value for name, value in kind.items() if name != missing}
        with pytest.raises(SettingsError, match=f"{missing}: is missing") as problem:
            loaded(tmp_path, "", {**environ, **SPEAKING})
        assert problem.value.code == "config_incomplete"
    with pytest.raises(SettingsError, match="tool_providers") as problem:
        loaded(tmp_path, "", kind)
    assert problem.value.code == "config_incomplete"


def test_all_three_may_be_trusted(tmp_path: Path) -> None:
    """A gateway, other than a tool author, may believe several."""
    assert len(loaded(tmp_path, "", {**AUTH0, **OKTA, **AZURE, **SPEAKING}).etdi.issuers) == 3


def test_secrets_come_from_files(tmp_path: Path) -> None:
    """As container secrets do; said twice is refused, and so is a file that is not there."""
    path = tmp_path / "secret"
    path.write_text("hush\n")
    environ = {name: value for name, value in AUTH0.items() if "SECRET" not in name}
    environ |= {"ETDI_AUTH0_CLIENT_SECRET_FILE": str(path), **SPEAKING}
    assert len(loaded(tmp_path, "", environ).etdi.issuers) == 1
    for wrong in ({"ETDI_AUTH0_CLIENT_SECRET": "x"}, {"ETDI_AUTH0_CLIENT_SECRET_FILE": "/nowhere"}):
        with pytest.raises(SettingsError, match="ETDI_AUTH0_CLIENT_SECRET"):
            loaded(tmp_path, "", {**environ, **wrong})


def test_remote_storage(tmp_path: Path) -> None:
    """Redis, by its URL; anything else, and a part of it, is refused."""
    remote = {"ETDI_APPROVAL_STORAGE_TYPE": "remote"}
    found = loaded(tmp_path, "", {**remote, "ETDI_APPROVAL_STORAGE_URL": "rediss://host:6380/1"})
    assert found.state.url == "rediss://host:6380/1"
    for more, code in (
        ({}, "config_incomplete"),
        ({"ETDI_APPROVAL_STORAGE_URL": "https://host"}, "config_invalid"),
        ({"ETDI_APPROVAL_STORAGE_PATH": "x.db"}, "config_invalid"),
    ):
        with pytest.raises(SettingsError) as problem:
            loaded(tmp_path, "", {**remote, **more})
        assert problem.value.code == code


def test_two_names_for_one_setting_are_refused(tmp_path: Path) -> None:
    """Which of them holds would depend on their spelling."""
    for name, ours in (
        ("ETDI_STRICT_MODE", "COUNTERSIGN_ETDI_STRICT_MODE"),
        ("ETDI_VALIDATION_CACHE_TTL", "COUNTERSIGN_ETDI_CACHE_TTL_S"),
    ):
        with pytest.raises(SettingsError, match=ours):
            loaded(tmp_path, "", {name: "1", ours: "1"})


def test_an_encryption_key_is_used_or_refused(tmp_path: Path) -> None:
    """It must not be a setting that nobody reads."""
    environ = {"ETDI_APPROVAL_ENCRYPTION_KEY": "a" * 64}
    if "approvals" in Settings.__struct_fields__:
        assert at(loaded(tmp_path, "", environ), "approvals.key") == "a" * 64
    else:
        with pytest.raises(SettingsError, match="ETDI_APPROVAL_ENCRYPTION_KEY"):
            loaded(tmp_path, "", environ)


def test_names_of_tool_authors_are_left_to_them(tmp_path: Path) -> None:
    """They may share an environment."""
    loaded(tmp_path, "", {"ETDI_WARNING_FOR_UNVERIFIED": "true"})
    loaded(
        tmp_path, "", {"ETDI_PROVIDER_ID": "bank", "ETDI_OAUTH_ISSUER": "x", "ETDI_TOKEN_CACHE_TTL": "1000"}
    )
    assert set(BOOLEANS.values()) == {True, False}

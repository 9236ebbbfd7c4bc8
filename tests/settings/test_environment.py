"""Variables, and what they set."""

from pathlib import Path
from typing import Any

import pytest

from gateway.errors import SettingsError
from gateway.settings.environment import ALIASES, PREFIX, SECTIONS, merge_environment


def merged(environ: dict[str, str], document: dict[str, Any] | None = None) -> dict[str, Any]:
    """The document after the variables."""
    made = document or {}
    merge_environment(made, environ)
    return made


def refusal(environ: dict[str, str], document: dict[str, Any] | None = None) -> str:
    """Why the variables are refused."""
    with pytest.raises(SettingsError) as caught:
        merged(environ, document)
    return caught.value.message


@pytest.mark.parametrize(
    ("name", "value", "document"),
    [
        ("COUNTERSIGN_LISTEN", "0.0.0.0:1", {"listen": "0.0.0.0:1"}),
        ("COUNTERSIGN_PUBLIC_URL", "https://x", {"public_url": "https://x"}),
        ("COUNTERSIGN_POLICY_OPA_URL", "http://opa:8181", {"policy": {"opa_url": "http://opa:8181"}}),
        ("COUNTERSIGN_POLICY_RELOAD", "no", {"policy": {"reload": False}}),
        ("COUNTERSIGN_PAYPAL_ENABLED", "TRUE", {"paypal": {"enabled": True}}),
        ("COUNTERSIGN_POLICY_TIMEOUT_S", "0.5", {"policy": {"timeout_s": 0.5}}),
        ("COUNTERSIGN_AUDIT_CHECKPOINT_EVERY", "10", {"audit": {"checkpoint_every": 10}}),
        ("COUNTERSIGN_DOOR_ALLOWED_HOSTS", "a:1, b", {"door": {"allowed_hosts": ["a:1", "b"]}}),
        ("PAYPAL_CLIENT_ID", "123", {"paypal": {"client_id": "123"}}),
        ("PAYPAL_ENVIRONMENT", "production", {"paypal": {"environment": "PRODUCTION"}}),
        ("COUNTERSIGN_PAYPAL_ENVIRONMENT", "sandbox", {"paypal": {"environment": "SANDBOX"}}),
        ("EPHEMERAL_TOKEN_TTL", "30", {"handshake": {"ttl_seconds": 30}}),
    ],
)
def test_a_variable_is_a_setting_of_its_type(name: str, value: str, document: dict[str, Any]) -> None:
    """Numbers, booleans, comma separated lists, and text that looks like a number."""
    assert merged({name: value}) == document


def test_a_variable_wins_over_the_file() -> None:
    """The rest of the section stays."""
    document = {"policy": {"engine": "opa", "timeout_s": 9}}
    merged({"COUNTERSIGN_POLICY_TIMEOUT_S": "2"}, document)
    assert document == {"policy": {"engine": "opa", "timeout_s": 2.0}}


@pytest.mark.parametrize(
    "name",
    [
        "COUNTERSIGN_LISTENS",
        "COUNTERSIGN_POLICY",
        "COUNTERSIGN_POLICY_URL",
        "COUNTERSIGN_IDENTITY_TOKENS",
        "COUNTERSIGN_UPSTREAMS_X_URL",
        "COUNTERSIGN_",
        "COUNTERSIGN_FILE",
        "COUNTERSIGN_CONFIG_FILE",
        "COUNTERSIGN_POLICY___STRUCT_FIELDS__",
    ],
)
def test_an_unknown_name_of_ours_is_refused(name: str) -> None:
    """A misspelt variable would be a setting that nobody reads."""
    assert refusal({name: "x"}).startswith(f"{name}: there is no such setting")


@pytest.mark.parametrize(
    "name", ["PATH", "PAYPAL_CLIENT", "PAYPAL_WEBHOOK_ID", "_FILE", "CONFIG_FILE", "COUNTERSIGN"]
)
def test_variables_of_others_are_left_alone(name: str) -> None:
    """And so is the one that names the settings file."""
    assert merged({name: "/nowhere", "COUNTERSIGN_CONFIG": "/nowhere"}) == {}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("COUNTERSIGN_POLICY_RELOAD", "maybe"),
        ("COUNTERSIGN_POLICY_RELOAD", "on "),
        ("COUNTERSIGN_POLICY_TIMEOUT_S", "soon"),
        ("COUNTERSIGN_POLICY_TIMEOUT_S", "0"),
        ("COUNTERSIGN_POLICY_TIMEOUT_S", "inf"),
        ("COUNTERSIGN_POLICY_TIMEOUT_S", "nan"),
        ("EPHEMERAL_TOKEN_TTL", "61"),
        ("EPHEMERAL_TOKEN_TTL", "30.5"),
        ("EPHEMERAL_TOKEN_TTL", "1_0"),
        ("COUNTERSIGN_DOOR_MAX_BODY_BYTES", "1"),
        ("COUNTERSIGN_DOOR_ALLOWED_HOSTS", "a,,b"),
        ("COUNTERSIGN_DOOR_ALLOWED_HOSTS", "a,"),
        ("COUNTERSIGN_DOOR_ALLOWED_HOSTS", " "),
        ("PAYPAL_CLIENT_ID", ""),
        ("COUNTERSIGN_LISTEN", ""),
    ],
)
def test_an_unusable_value_is_refused_by_the_name_of_its_variable(name: str, value: str) -> None:
    """An empty value is neither the default nor a value."""
    assert refusal({name: value}).startswith(f"{name}: ")


@pytest.mark.parametrize(
    "environ",
    [
        {"PAYPAL_CLIENT_ID": "a", "COUNTERSIGN_PAYPAL_CLIENT_ID": "a"},
        {"EPHEMERAL_TOKEN_TTL": "9", "COUNTERSIGN_HANDSHAKE_TTL_SECONDS": "8"},
        {"PAYPAL_CLIENT_SECRET": "a", "PAYPAL_CLIENT_SECRET_FILE": "/nowhere"},
        {"COUNTERSIGN_LISTEN": "a:1", "COUNTERSIGN_listen": "b:2"},
    ],
)
def test_two_names_for_one_setting_are_refused(environ: dict[str, str]) -> None:
    """Both names are said; which of them would hold depended on their spelling."""
    said = refusal(environ)
    assert all(name in said for name in environ)


def test_a_secret_comes_from_a_file(tmp_path: Path) -> None:
    """As containers mount them; the line end is not part of it, and every setting can."""
    path = tmp_path / "secret"
    path.write_text("s3cret with blanks \n")
    assert merged({"PAYPAL_CLIENT_SECRET_FILE": str(path)}) == {
        "paypal": {"client_secret": "s3cret with blanks"}
    }
    path.write_text("7")
    assert merged({"EPHEMERAL_TOKEN_TTL_FILE": str(path)}) == {"handshake": {"ttl_seconds": 7}}
    assert merged({"COUNTERSIGN_AUDIT_CHECKPOINT_EVERY_FILE": str(path)})["audit"] == {"checkpoint_every": 7}


@pytest.mark.parametrize("content", [b"\xff\xfe", b"", b"\n"])
def test_a_file_that_holds_no_text_is_refused(tmp_path: Path, content: bytes) -> None:
    """Binary or empty; the variable is named and the content is not."""
    path = tmp_path / "secret"
    path.write_bytes(content)
    assert refusal({"PAYPAL_CLIENT_SECRET_FILE": str(path)}).startswith("PAYPAL_CLIENT_SECRET_FILE: ")


@pytest.mark.parametrize("path", ["/nowhere/at/all", "/", "a\0b"])
def test_a_file_that_cannot_be_read_is_refused(path: str) -> None:
    """Missing, a folder, or no path."""
    assert refusal({"PAYPAL_CLIENT_SECRET_FILE": path}).startswith("PAYPAL_CLIENT_SECRET_FILE: the file ")


def test_a_section_that_is_none_is_refused() -> None:
    """The file says ``policy: on``, the variable wants to set something in it."""
    assert "policy" in refusal({"COUNTERSIGN_POLICY_ENGINE": "opa"}, {"policy": True})


def test_every_alias_is_a_setting() -> None:
    """The table names nothing that is not there."""
    for section, key in ALIASES.values():
        assert key in SECTIONS[section].__struct_fields__


def test_no_name_can_be_two_settings() -> None:
    """With NAME_FILE for every NAME, all names stay different."""
    names = list(ALIASES)
    for section, kind in SECTIONS.items():
        names += [f"{PREFIX}{section}_{key}".upper() for key in kind.__struct_fields__]
    spelled = names + [f"{name}_FILE" for name in names]
    assert len(spelled) == len(set(spelled))

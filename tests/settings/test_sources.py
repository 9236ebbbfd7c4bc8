"""File and environment together, converted and checked."""

from pathlib import Path

import pytest

from gateway.errors import SettingsError
from gateway.settings import load_settings
from gateway.settings.sources import load_paypal_settings
from tests.settings.conftest import HASH, Load, Refusal

SECRET = "hunter2-hunter2"


def test_the_least_that_starts(load: Load) -> None:
    """Somebody who may ask; everything else has a default."""
    settings = load()
    assert settings.identity.tokens[0].subject == "agent"
    assert settings.listen == "127.0.0.1:3000"


def test_without_a_file_there_is_nobody(tmp_path: Path) -> None:
    """Unset is not open."""
    with pytest.raises(SettingsError, match=r"^identity: nobody could be recognised"):
        load_settings(None, {})


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("lisen: x\n", "lisen"),
        ("paypal: {clientid: x}\n", "clientid"),
        ("upstreams: {x: {url: 'https://x', token: y}}\n", "upstreams"),
        ("paypal: {client_id: 5}\n", "paypal.client_id"),
        ("paypal: {client_id: ''}\n", "paypal.client_id"),
        ("paypal: {environment: LIVE}\n", "paypal.environment"),
        ("paypal: {environment: sandbox}\n", "paypal.environment"),
        ("paypal: {enabled: 'yes'}\n", "paypal.enabled"),
        ("paypal: [a]\n", "paypal"),
        ("policy: {engine: cedar}\n", "policy.engine"),
        ("policy: {timeout_s: .inf}\n", "policy.timeout_s"),
        ("policy: {timeout_s: '1'}\n", "policy.timeout_s"),
        ("handshake: {ttl_seconds: 61}\n", "handshake.ttl_seconds"),
        ("confirm: {hold_seconds: 21}\n", "confirm.hold_seconds"),
        ("door: {max_body_bytes: 10}\n", "door.max_body_bytes"),
        ("door: {allowed_hosts: example.com}\n", "door.allowed_hosts"),
        ("door: {allowed_origins: ['']}\n", "door.allowed_origins"),
        ("audit: {checkpoint_every: 0}\n", "audit.checkpoint_every"),
        ("1: 2\n", "settings"),
    ],
)
def test_an_unusable_setting_is_named(refusal: Refusal, text: str, key: str) -> None:
    """The key first, then what is wrong with it."""
    said = refusal(text)
    assert key in said.split(":")[0] or f"`{key}`" in said


@pytest.mark.parametrize(
    "tokens",
    [
        '[{sha256: "short", subject: a}]',
        f'[{{sha256: "{HASH.upper()}", subject: a}}]',
        f'[{{sha256: "{HASH}", subject: ""}}]',
        f'[{{sha256: "{HASH}"}}]',
        f'[{{sha256: "{HASH}", subject: a, token: b}}]',
        f'[{{sha256: "{HASH}", subject: a, expires: 2026-01-01}}]',
    ],
)
def test_an_unusable_caller_is_named(refusal: Refusal, tokens: str) -> None:
    """Which of the list it is."""
    assert refusal(f"identity: {{tokens: {tokens}}}\n".encode()).startswith("identity.tokens[")


@pytest.mark.parametrize(
    "text",
    [
        f"paypal: {{client_id: a, client_secret: {{x: {SECRET}}}}}\n",
        f"paypal: {{client_id: a, client_secret: [{SECRET}]}}\n",
        f"paypal: {{client_id: a, client_secret: '{SECRET}\u00e9'}}\n",
        f'paypal: {{client_id: a, client_secret: "{SECRET}\\nx"}}\n',
        f"paypal: {{client_id: a, client_secret: {SECRET}, access_token: {SECRET}}}\n",
        f"paypal: {{client_secret: {SECRET}}}\n",
        f"paypal: {{base_url: 'https://u:{SECRET}@paypal.example'}}\n",
        f"policy: {{opa_url: 'http://u:{SECRET}@opa:8181'}}\n",
        f"public_url: 'https://u:{SECRET}@gateway.example'\n",
        f"upstreams: {{x: {{url: 'https://u:{SECRET}@x.example'}}}}\n",
    ],
)
def test_a_refusal_never_repeats_a_secret(refusal: Refusal, text: str) -> None:
    """It ends up on a terminal, in a log, in a bug report."""
    assert SECRET not in refusal(text)


@pytest.mark.parametrize("secret", ["''", "' '", "5", "true", "{x: 1}"])
def test_a_secret_is_text(refusal: Refusal, secret: str) -> None:
    """YAML reads 12345 as a number and yes as a boolean: they want quotes."""
    assert refusal(f"paypal: {{client_id: a, client_secret: {secret}}}\n").startswith("paypal")


def test_loaded_secrets_stay_hidden(load: Load) -> None:
    """From the file and from the environment alike."""
    from_file = load(
        f"paypal: {{client_id: a, client_secret: {SECRET}}}\nstate: {{url: 'redis://u:{SECRET}@r'}}\n"
    )
    from_environment = load("", {"PAYPAL_ACCESS_TOKEN": SECRET, "COUNTERSIGN_POLICY_OPA_TOKEN": SECRET})
    assert from_file.paypal.client_secret == from_environment.paypal.access_token == SECRET
    assert SECRET not in f"{from_file!r} {from_environment!r}"


def test_a_moved_gateway_on_this_machine_knows_its_url(load: Load) -> None:
    """The console's links lead to where it listens, whoever moved it."""
    assert load("listen: 127.0.0.1:4000\n").public_url == "http://127.0.0.1:4000"
    assert load("", {"COUNTERSIGN_LISTEN": "[::1]:5"}).public_url == "http://[::1]:5"
    assert load("listen: 127.0.0.1:4000\n", listen="localhost:6").public_url == "http://localhost:6"
    assert load("public_url: http://localhost:9\n", listen="127.0.0.1:6").public_url == "http://localhost:9"


def test_a_gateway_beyond_this_machine_is_told_its_url(refusal: Refusal, load: Load) -> None:
    """Nobody can guess it, and with the default every other host would be turned away."""
    assert refusal("listen: 0.0.0.0:3000\n").startswith("public_url: ")
    assert load("listen: 0.0.0.0:3000\npublic_url: https://gateway.example\n").host == "0.0.0.0"


@pytest.mark.parametrize(
    "listen", ["3000", "x", ":3000", "a:b", "a:99999", "a:", "::1:5", "[]:5", "a:\u0663"]
)
def test_an_override_is_checked_like_the_rest(refusal: Refusal, listen: str) -> None:
    """``serve --listen`` too."""
    assert refusal("", listen=listen).startswith("listen: ")


def test_the_paypal_server_alone_reads_variables_only() -> None:
    """And the same rules hold."""
    settings = load_paypal_settings({"PAYPAL_CLIENT_ID": "a", "PAYPAL_CLIENT_SECRET": SECRET})
    assert settings.client_id == "a"
    assert SECRET not in repr(settings)


@pytest.mark.parametrize(
    ("environ", "key"),
    [
        ({"PAYPAL_CLIENT_ID": "a"}, "paypal.client_secret"),
        ({"PAYPAL_ENVIRONMENT": "live"}, "paypal.environment"),
        ({"PAYPAL_ENVIRONMENT": "production", "COUNTERSIGN_PAYPAL_BASE_URL": "https://x"}, "paypal.base_url"),
        ({"COUNTERSIGN_PAYPAL_ENV": "x"}, "COUNTERSIGN_PAYPAL_ENV"),
    ],
)
def test_the_paypal_server_alone_is_refused_the_same(environ: dict[str, str], key: str) -> None:
    """Naming the key."""
    with pytest.raises(SettingsError) as caught:
        load_paypal_settings(environ)
    assert caught.value.message.startswith(f"{key}: ")


def test_the_process_environment_is_the_default(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where no other is given."""
    path = tmp_path / "c.yaml"
    path.write_text(f'identity: {{tokens: [{{sha256: "{HASH}", subject: a}}]}}\n')
    monkeypatch.setenv("COUNTERSIGN_CONFIRM_HOLD_SECONDS", "1")
    assert load_settings(path).confirm.hold_seconds == 1
    monkeypatch.setenv("PAYPAL_ENVIRONMENT", "sandbox")
    assert load_paypal_settings().environment == "SANDBOX"

"""The section ``etdi``: careful defaults, and nothing that is not one of its words."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.errors import SettingsError
from gateway.etdi.degradation import Mode
from gateway.settings import Settings, load_settings

LEAST = "identity: {tokens: [{sha256: %s, subject: a}]}\npaypal: {client_id: a, client_secret: b}\n" % (
    "a" * 64
)


def loaded(folder: Path, text: str, environ: dict[str, str] | None = None) -> Settings:
    """Settings from a file."""
    path = folder / "countersign.yaml"
    path.write_text(LEAST + text)
    return load_settings(path, environ or {})


def test_the_defaults_fail_closed() -> None:
    """R142: nobody is trusted, nothing degrades, nothing private is asked, and everything present must verify."""
    etdi = Settings().etdi
    assert (etdi.issuers, etdi.provider_keys, etdi.trusted_providers) == ((), (), None)
    assert etdi.degradation.mode is Mode.STRICT
    assert not etdi.degradation.allow_legacy_fallback
    assert not etdi.allow_private_addresses
    assert etdi.oauth_enabled
    assert (etdi.cache_ttl_s, etdi.max_cache_size, etdi.max_concurrent_verifications) == (3600, 1000, 5)
    assert not etdi.log_tool_data


FULL = """
etdi:
  strict_mode: true
  issuers:
    - issuer: https://idp.example.com
      audience: https://gateway.example.com/etdi
      providers: [bank]
      names: [idp]
      profile: okta
      jwks_uri: https://idp.example.com/keys
      introspection_url: https://idp.example.com/introspect
      introspection_client_id: gateway
      introspection_client_secret: secret
  provider_keys:
    - {provider: bank, key_id: k, public_key_file: bank.pem, without_token: true, expires: 5}
  retry: {max_retries: 1, initial_delay_s: 0.5, retryable: [token_invalid_signature]}
  degradation: {mode: permissive, cache_tolerance_s: 60, allow_legacy_fallback: true}
"""


def test_everything_can_be_said(tmp_path: Path) -> None:
    """In the file; the secret stays hidden."""
    etdi = loaded(tmp_path, FULL).etdi
    assert etdi.issuers[0].profile == "okta"
    assert etdi.provider_keys[0].without_token
    assert etdi.degradation.mode is Mode.PERMISSIVE
    assert "secret'" not in repr(etdi)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("etdi: {strictmode: true}", "etdi"),
        ("etdi: {strict_mode: on please}", "etdi.strict_mode"),
        ("etdi: {issuers: [{audience: a}]}", "etdi.issuers"),
        ("etdi: {issuers: [{issuer: https://a.example.com, profile: keycloak}]}", "etdi.issuers"),
        ("etdi: {signature_algorithms: [HS256]}", "etdi.signature_algorithms"),
        ("etdi: {max_concurrent_verifications: 0}", "etdi.max_concurrent_verifications"),
        ("etdi: {degradation: {mode: lenient}}", "etdi.degradation"),
        ("etdi: {degradation: {mode: moderate, allow_legacy_fallback: true}}", "etdi.degradation"),
        ("etdi: {retry: {max_retries: 99}}", "etdi.retry"),
        ("etdi: {log_level: loud}", "etdi.log_level"),
    ],
)
def test_what_is_no_setting_is_named(tmp_path: Path, text: str, key: str) -> None:
    """Before anything starts."""
    with pytest.raises(SettingsError) as problem:
        loaded(tmp_path, text)
    assert problem.value.message.startswith(key)


def test_our_own_variables(tmp_path: Path) -> None:
    """``COUNTERSIGN_ETDI_*``, for what one variable can say."""
    environ = {
        "COUNTERSIGN_ETDI_STRICT_MODE": "false",
        "COUNTERSIGN_ETDI_TOOL_PROVIDERS": "bank, depot",
        "COUNTERSIGN_ETDI_CACHE_TTL_S": "60",
        "COUNTERSIGN_ETDI_TRUSTED_PROVIDERS": "idp",
    }
    etdi = loaded(tmp_path, "", environ).etdi
    assert (etdi.strict_mode, etdi.cache_ttl_s) == (False, 60)
    assert (etdi.tool_providers, etdi.trusted_providers) == (("bank", "depot"), ("idp",))
    for name in ("COUNTERSIGN_ETDI_ISSUERS", "COUNTERSIGN_ETDI_RETRY"):
        with pytest.raises(SettingsError, match=name):
            loaded(tmp_path, "", {name: "x"})

"""The design's two configuration models in the settings file (C38)."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.errors import SettingsError
from tests.settings.test_etdi import loaded

MODEL_A = """
etdi:
  security: {strictMode: true, allowNonETDITools: false, warningForUnverifiedTools: true}
  oauth: {enabled: true, trustedProviders: [idp], validationCacheTtl: 60000}
  performance: {enableCaching: true, maxCacheSize: 5, parallelVerification: true, maxConcurrentVerifications: 2}
  logging: {level: debug, includeToolData: false, securityEventsOnly: true}
"""
MODEL_B = """
etdi:
  security: {strictMode: true, allowUnverifiedTools: false, requiredSignatureAlgorithms: [ES256]}
  oauth: {enabled: true, preferOAuthOverDirectSignatures: false}
  providerTrust:
    trustedProviders: {bank: {name: The Bank, publicKeyPem: pem, keyId: k}}
    autoTrustFromRegistry: false
  performance: {enableCaching: true, cacheTtl: 60000}
"""


def test_model_a(tmp_path: Path) -> None:
    """LLD-A 7.1."""
    etdi = loaded(tmp_path, MODEL_A).etdi
    assert (etdi.strict_mode, etdi.allow_non_etdi_tools) == (True, False)
    assert (etdi.trusted_providers, etdi.cache_ttl_s, etdi.max_cache_size) == (("idp",), 60, 5)
    assert (etdi.max_concurrent_verifications, etdi.log_level) == (2, "debug")
    assert etdi.log_security_events_only


def test_model_b(tmp_path: Path) -> None:
    """LLD-B 10.1."""
    etdi = loaded(tmp_path, MODEL_B).etdi
    assert (etdi.allow_non_etdi_tools, etdi.signature_algorithms, etdi.prefer_oauth) == (
        False,
        ("ES256",),
        False,
    )
    (key,) = etdi.provider_keys
    assert (key.provider, key.key_id, key.public_key) == ("bank", "k", "pem")
    assert etdi.cache_ttl_s == 60


def test_said_twice_alike(tmp_path: Path) -> None:
    """By both models and by us."""
    text = "etdi: {allow_non_etdi_tools: false, security: {allowNonETDITools: false, allowUnverifiedTools: false}}"
    assert loaded(tmp_path, text).etdi.allow_non_etdi_tools is False


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (
            "etdi: {security: {allowNonETDITools: true, allowUnverifiedTools: false}}",
            "etdi.security.allowUnverifiedTools",
        ),
        ("etdi: {strict_mode: false, security: {strictMode: true}}", "etdi.security.strictMode"),
        (
            "etdi: {oauth: {validationCacheTtl: 1000}, performance: {cacheTtl: 2000}}",
            "etdi.performance.cacheTtl",
        ),
        ("etdi: {security: {strict: true}}", "etdi.security.strict"),
        ("etdi: {security: true}", "etdi.security"),
        ("etdi: {security: {warningForUnverifiedTools: false}}", "etdi.security.warningForUnverifiedTools"),
        ("etdi: {oauth: {validationCacheTtl: soon}}", "etdi.oauth.validationCacheTtl"),
        ("etdi: {oauth: {validationCacheTtl: true}}", "etdi.oauth.validationCacheTtl"),
        ("etdi: {providerTrust: {autoTrustFromRegistry: true}}", "etdi.providerTrust.autoTrustFromRegistry"),
        ("etdi: {providerTrust: {trustedProviders: {a: {key: x}}}}", "etdi.providerTrust.trustedProviders.a"),
        ("etdi: {security: {strictMode: please}}", "etdi.strict_mode"),
    ],
)
def test_contradictions_and_strangers_are_refused(tmp_path: Path, text: str, key: str) -> None:
    """``config_invalid`` where our own settings do not say it already."""
    with pytest.raises(SettingsError) as problem:
        loaded(tmp_path, text)
    assert problem.value.message.startswith(key)

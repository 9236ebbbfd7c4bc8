"""The two configuration models of the design (LLD-A 7.1, LLD-B 10.1) in the settings file, as ours (C38). Pure.

Below ``etdi`` the file may use the design's own sections (``security``, ``oauth``, ``providerTrust``, ``performance``,
``logging``); each of their members is one of our settings. Said twice and differently is an error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from gateway.etdi.errors import EtdiCode
from gateway.settings.etdi_environment import refused

Convert = Callable[[str, Any], Any]


def same(key: str, value: Any) -> Any:
    """As it is; our own settings check its type."""
    del key
    return value


def from_ms(key: str, value: Any) -> float:
    """Milliseconds as seconds."""
    if type(value) is not int or value < 1:
        refused(EtdiCode.CONFIG_INVALID, f"{key}: is milliseconds, a whole number above zero.")
    return float(value) / 1000


def never(key: str, value: Any) -> None:
    """Trust from a registry would need a key of the registry's own, which nothing here has (R126)."""
    if value is not False:
        refused(EtdiCode.CONFIG_INVALID, f"{key}: is not supported; list the providers you trust.")


def always(key: str, value: Any) -> None:
    """Warnings are the policy's."""
    if value is not True:
        refused(
            EtdiCode.CONFIG_INVALID, f"{key}: warnings are switched off in the policy, migration/data.yaml."
        )


def provider_keys(key: str, value: Any) -> list[dict[str, Any]]:
    """``{id: {name, publicKeyPem, keyId}}`` -> ``provider_keys``."""
    return [
        {"provider": provider, "key_id": one.get("keyId"), "public_key": one.get("publicKeyPem")}
        for provider, one in _mapping(key, value).items()
        if _only(f"{key}.{provider}", one, {"name", "publicKeyPem", "keyId"})
    ]


def _only(key: str, value: Any, known: set[str]) -> bool:
    unknown = sorted(set(_mapping(key, value)) - known)
    if unknown:
        refused(EtdiCode.CONFIG_INVALID, f"{key}: there is no setting {unknown[0]!r}.")
    return True


MEMBERS: Final[Mapping[str, tuple[str | None, Convert]]] = {
    "security.strictMode": ("strict_mode", same),
    "security.allowNonETDITools": ("allow_non_etdi_tools", same),
    "security.allowUnverifiedTools": ("allow_non_etdi_tools", same),
    "security.showUnverifiedTools": ("show_unverified_tools", same),
    "security.warningForUnverifiedTools": (None, always),
    "security.requiredSignatureAlgorithms": ("signature_algorithms", same),
    "oauth.enabled": ("oauth_enabled", same),
    "oauth.preferOAuthOverDirectSignatures": ("prefer_oauth", same),
    "oauth.trustedProviders": ("trusted_providers", same),
    "oauth.validationCacheTtl": ("cache_ttl_s", from_ms),
    "providerTrust.trustedProviders": ("provider_keys", provider_keys),
    "providerTrust.autoTrustFromRegistry": (None, never),
    "performance.enableCaching": ("enable_caching", same),
    "performance.cacheTtl": ("cache_ttl_s", from_ms),
    "performance.maxCacheSize": ("max_cache_size", same),
    "performance.parallelVerification": ("parallel_verification", same),
    "performance.maxConcurrentVerifications": ("max_concurrent_verifications", same),
    "logging.level": ("log_level", same),
    "logging.includeToolData": ("log_tool_data", same),
    "logging.securityEventsOnly": ("log_security_events_only", same),
}
SECTIONS: Final = frozenset(path.partition(".")[0] for path in MEMBERS)


def in_our_words(document: dict[str, Any]) -> None:
    """Rewrite the section ``etdi`` of a settings file.

    :raises SettingsError: ``config_invalid``: an unknown member, or two that say one thing differently.
    """
    section = document.get("etdi")
    if not isinstance(section, dict) or SECTIONS.isdisjoint(section):
        return
    found = {key: value for key, value in section.items() if key not in SECTIONS}
    said_by = dict.fromkeys(found, "")
    for name in sorted(SECTIONS & section.keys()):
        for member, value in _mapping(f"etdi.{name}", section[name]).items():
            path = f"{name}.{member}"
            if path not in MEMBERS:
                refused(EtdiCode.CONFIG_INVALID, f"etdi.{path}: there is no such setting.")
            ours, convert = MEMBERS[path]
            made = convert(f"etdi.{path}", value)
            if ours is None:
                continue
            if ours in said_by and found[ours] != made:
                other = said_by[ours] or ours
                refused(EtdiCode.CONFIG_INVALID, f"etdi.{path}: etdi.{other} says something else.")
            found[ours], said_by[ours] = made, path
    document["etdi"] = found


def _mapping(key: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        refused(EtdiCode.CONFIG_INVALID, f"{key}: is a section of settings.")
    return value

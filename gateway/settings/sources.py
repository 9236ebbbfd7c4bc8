"""Where settings come from: the YAML file and the environment, merged into one document."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import yaml

from gateway.errors import SettingsError
from gateway.settings.checks import check, check_paypal
from gateway.settings.model import (
    AuditSettings,
    ConfirmSettings,
    DoorSettings,
    HandshakeSettings,
    Hidden,
    PayPalSettings,
    PolicySettings,
    Section,
    Settings,
    StateSettings,
)

ALIASES: Mapping[str, tuple[str, ...]] = {
    "PAYPAL_CLIENT_ID": ("paypal", "client_id"),
    "PAYPAL_CLIENT_SECRET": ("paypal", "client_secret"),
    "PAYPAL_ACCESS_TOKEN": ("paypal", "access_token"),
    "PAYPAL_ENVIRONMENT": ("paypal", "environment"),
    "EPHEMERAL_TOKEN_TTL": ("handshake", "ttl_seconds"),
}
"""Names from the source documents (R030, R047)."""
PREFIX = "COUNTERSIGN_"
CONFIG_VARIABLE = "COUNTERSIGN_CONFIG"
SECTIONS: Mapping[str, type[Section]] = {
    "paypal": PayPalSettings,
    "policy": PolicySettings,
    "state": StateSettings,
    "audit": AuditSettings,
    "handshake": HandshakeSettings,
    "confirm": ConfirmSettings,
    "door": DoorSettings,
}


def load_settings(path: Path | None, environ: Mapping[str, str] | None = None) -> Settings:
    """Read, merge, check. Without ``environ`` the process environment is read.

    :raises SettingsError: naming the key and what to do.
    """
    document = _read_file(path) if path is not None else {}
    _merge_environment(document, os.environ if environ is None else environ)
    try:
        settings = msgspec.convert(document, Settings, dec_hook=_hidden, strict=True)
    except msgspec.ValidationError as problem:
        raise SettingsError(_one_line(str(problem))) from None
    check(settings)
    return settings


def load_paypal_settings(environ: Mapping[str, str] | None = None) -> PayPalSettings:
    """The target alone, from the environment: for the PayPal server without the gateway.

    :raises SettingsError: naming the variable.
    """
    document: dict[str, Any] = {}
    _merge_environment(document, os.environ if environ is None else environ)
    try:
        paypal = msgspec.convert(document.get("paypal", {}), PayPalSettings, dec_hook=_hidden, strict=True)
    except msgspec.ValidationError as problem:
        raise SettingsError(f"paypal: {_one_line(str(problem))}") from None
    check_paypal(paypal)
    return paypal


def _hidden(kind: type, value: Any) -> Any:
    if kind is Hidden and isinstance(value, str):
        return Hidden(value)
    raise TypeError(f"expected text for a {kind.__name__} setting")


def _read_file(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as problem:
        raise SettingsError(f"{path}: cannot be read: {problem.strerror}.") from None
    try:
        document = yaml.load(text, Loader=_UniqueKeys)  # noqa: S506 - a SafeLoader that refuses duplicate keys
    except yaml.YAMLError as problem:
        raise SettingsError(f"{path}: is not YAML: {_one_line(str(problem))}") from None
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise SettingsError(f"{path}: the top level must be a mapping of settings.")
    return document


class _UniqueKeys(yaml.SafeLoader):
    """The second of two equal keys would win silently, and with it a setting nobody reads."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} stands twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


def _merge_environment(document: dict[str, Any], environ: Mapping[str, str]) -> None:
    for name in sorted(environ):
        if name == CONFIG_VARIABLE:
            continue
        plain = name.removesuffix("_FILE")
        place = ALIASES.get(name) or (ALIASES.get(plain) if plain != name else None)
        if place is None and name.startswith(PREFIX):
            place = _place(name) or _place(plain)
        if place is None:
            if name.startswith(PREFIX):
                raise SettingsError(f"{name}: there is no such setting; see `countersign settings`.")
            continue
        # A name that is a setting of its own is that setting, even if it happens to end in _FILE.
        from_file = name != plain and ALIASES.get(name) is None and _place(name) is None
        value = _secret_file(name, environ[name]) if from_file else environ[name]
        section = document
        for step in place[:-1]:
            section = section.setdefault(step, {})
            if not isinstance(section, dict):
                raise SettingsError(f"{name}: the setting {step!r} is not a section.")
        if place == ("paypal", "environment"):
            value = value.upper()
        section[place[-1]] = _typed(name, place, value)


def _place(name: str) -> tuple[str, ...] | None:
    """``COUNTERSIGN_POLICY_OPA_URL`` -> ``("policy", "opa_url")``."""
    rest = name.removeprefix(PREFIX).lower()
    if rest in ("listen", "public_url"):
        return (rest,)
    section, _, key = rest.partition("_")
    kind = SECTIONS.get(section)
    return (section, key) if kind is not None and key in kind.__struct_fields__ else None


def _typed(name: str, place: tuple[str, ...], value: str) -> Any:
    """Text of a variable -> the type of its setting. Lists are comma separated; an empty item is an error."""
    kind: Any = str
    if len(place) == 2:
        fields = {field.name: field.type for field in msgspec.structs.fields(SECTIONS[place[0]])}
        kind = fields[place[1]]
    try:
        if kind == tuple[str, ...]:
            items = [item.strip() for item in value.split(",")]
            if not all(items):
                raise SettingsError(f"{name}: an item of the list is empty.")
            return items
        if kind is bool:
            return {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}[
                value.lower()
            ]
        if kind is str or "Hidden" in str(kind) or "str" in str(kind) or "Literal" in str(kind):
            return value
        return msgspec.convert(value, kind, strict=False)
    except (KeyError, msgspec.ValidationError):
        raise SettingsError(f"{name}: {value[:40]!r} is not a usable value.") from None


def _secret_file(name: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as problem:
        raise SettingsError(f"{name}: the file cannot be read: {problem.strerror}.") from None


def _one_line(text: str) -> str:
    return " ".join(text.split())[:300]

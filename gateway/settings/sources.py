"""Where settings come from: the YAML file and the environment, merged into one document and checked."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from gateway.errors import SettingsError
from gateway.settings.checks import check, check_idp, check_paypal, is_address, is_loopback
from gateway.settings.environment import merge_environment
from gateway.settings.etdi_document import in_our_words
from gateway.settings.model import Hidden, PayPalSettings, Settings
from gateway.settings.yaml_file import read_yaml

T = TypeVar("T")
_AT = re.compile(r"(?P<what>.*) - at (?:`key` in )?`\$\.?(?P<key>.*)`", re.DOTALL)


def load_settings(
    path: Path | None, environ: Mapping[str, str] | None = None, *, listen: str | None = None
) -> Settings:
    """Read, merge, check. Without ``environ`` the process environment is read; ``listen`` overrides both.

    :raises SettingsError: naming the key and what to do.
    """
    document = read_yaml(path) if path is not None else {}
    in_our_words(document)
    merge_environment(document, os.environ if environ is None else environ)
    if listen is not None:
        document["listen"] = listen
    _name_ourselves(document)
    settings = _converted(document, Settings, "")
    check(settings)
    return settings


def load_idp_settings(path: Path | None, environ: Mapping[str, str] | None = None) -> Settings:
    """For the identity provider without the gateway: who may call, and what for, need not be said.

    :raises SettingsError: naming the key and what to do.
    """
    document = read_yaml(path) if path is not None else {}
    merge_environment(document, os.environ if environ is None else environ)
    _name_ourselves(document)
    settings = _converted(document, Settings, "")
    check_idp(settings)
    return settings


def load_paypal_settings(environ: Mapping[str, str] | None = None) -> PayPalSettings:
    """The target alone, from the environment: for the PayPal server without the gateway.

    :raises SettingsError: naming the variable.
    """
    document: dict[str, Any] = {}
    merge_environment(document, os.environ if environ is None else environ)
    paypal = _converted(document.get("paypal", {}), PayPalSettings, "paypal")
    check_paypal(paypal)
    return paypal


def _name_ourselves(document: dict[str, Any]) -> None:
    """Who moves ``listen`` on this machine has moved the URL with it; beyond this machine only a person knows it.

    With the default left in place the console's links would lead to another port, and every host but loopback would
    be turned away.
    """
    listen = document.get("listen")
    if "public_url" in document or not isinstance(listen, str) or not is_address(listen):
        return
    if not is_loopback(listen.rpartition(":")[0].strip("[]")):
        raise SettingsError(
            "public_url: say under which URL hosts reach the gateway; listen is not loopback only."
        )
    document["public_url"] = f"http://{listen.lower()}"


def _converted(document: Any, kind: type[T], below: str) -> T:
    try:
        return msgspec.convert(document, kind, dec_hook=_hidden, strict=True)
    except msgspec.ValidationError as problem:
        found = _AT.fullmatch(str(problem))
        what, key = (found["what"], found["key"]) if found else (str(problem), "")
        named = ".".join(part for part in (below, key) if part)
        raise SettingsError(f"{named or 'settings'}: {what}.") from None


def _hidden(kind: type, value: Any) -> Any:
    if kind is not Hidden or not isinstance(value, str):
        raise TypeError("Expected text; put it in quotes")
    if not value.isascii() or not value.isprintable() or not value.strip():
        raise ValueError("A secret has printable ASCII characters, and at least one")
    return Hidden(value)

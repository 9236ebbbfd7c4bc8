"""The environment's part of the settings: which variable is which setting, and its text as that setting's type."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec

from gateway.errors import SettingsError
from gateway.settings.bundles import BundleSettings
from gateway.settings.etdi import EtdiSettings
from gateway.settings.etdi_environment import merge_etdi
from gateway.settings.idp_model import IdpSettings
from gateway.settings.model import (
    ApprovalSettings,
    AuditSettings,
    ConfirmSettings,
    DecisionSettings,
    DoorSettings,
    HandshakeSettings,
    PayPalSettings,
    PolicySettings,
    RateSettings,
    ReceiptSettings,
    Settings,
    StateSettings,
    TransactionSettings,
)
from gateway.settings.shadow import ShadowSettings

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
TOKEN_VARIABLE = "COUNTERSIGN_TOKEN"  # noqa: S105 - a name
"""The bridge's, not the gateway's (``settings/client.py``); somebody may well run both."""
FILE_SUFFIX = "_FILE"
SECTIONS: Mapping[str, type[msgspec.Struct]] = {
    "paypal": PayPalSettings,
    "policy": PolicySettings,
    "bundles": BundleSettings,
    "state": StateSettings,
    "audit": AuditSettings,
    "receipts": ReceiptSettings,
    "decisions": DecisionSettings,
    "shadow": ShadowSettings,
    "approvals": ApprovalSettings,
    "handshake": HandshakeSettings,
    "confirm": ConfirmSettings,
    "transactions": TransactionSettings,
    "door": DoorSettings,
    "rates": RateSettings,
    "idp": IdpSettings,
    "etdi": EtdiSettings,
}
FILE_ONLY = frozenset(
    {
        *(("confirm", "agents"), ("confirm", "notify")),
        *(("etdi", key) for key in ("issuers", "provider_keys", "retry", "degradation")),
    }
)
"""Settings of those sections that no single variable could say."""
_BOOLEANS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def merge_environment(document: dict[str, Any], environ: Mapping[str, str]) -> None:
    """Write what the variables say into the document of the file.

    :raises SettingsError: naming the variable: an unknown ``COUNTERSIGN_*``, two names for one setting, an empty or
        unusable value, a file that cannot be read.
    """
    said_by: dict[tuple[str, ...], str] = {}
    for name in sorted(environ):
        if name in (CONFIG_VARIABLE, TOKEN_VARIABLE):
            continue
        place, from_file = _meant(name)
        if place is None:
            if name.startswith(PREFIX):
                raise SettingsError(f"{name}: there is no such setting; see `countersign settings`.")
            continue
        if place in said_by:
            # Which of the two holds would depend on their spelling, and the loser would be a setting nobody reads.
            raise SettingsError(f"{name}: {said_by[place]} sets {'.'.join(place)} too; unset one of them.")
        said_by[place] = name
        value = _content(name, environ[name]) if from_file else environ[name]
        if not value:
            raise SettingsError(f"{name}: is empty; unset it, or give it a value.")
        if place == ("paypal", "environment"):
            value = value.upper()
        section = document
        for step in place[:-1]:
            section = section.setdefault(step, {})
            if not isinstance(section, dict):
                raise SettingsError(f"{name}: the setting {step!r} is not a section.")
        section[place[-1]] = _typed(name, place, value)
    merge_etdi(document, environ, content=_content, sections=frozenset(Settings.__struct_fields__))


def inherited(environ: Mapping[str, str] | None = None) -> Mapping[str, str]:
    """The gateway's own environment, for whoever starts a child; which of it the child may have is for them to say."""
    return os.environ if environ is None else environ


def _meant(name: str) -> tuple[tuple[str, ...] | None, bool]:
    """The setting a variable names, and whether its value is the path of a file.

    A name that is a setting of its own is that setting, even if it happens to end in ``_FILE``.
    """
    place = _place(name)
    if place is None and name.endswith(FILE_SUFFIX):
        return _place(name.removesuffix(FILE_SUFFIX)), True
    return place, False


def _place(name: str) -> tuple[str, ...] | None:
    """``COUNTERSIGN_POLICY_OPA_URL`` -> ``("policy", "opa_url")``."""
    if name in ALIASES:
        return ALIASES[name]
    if not name.startswith(PREFIX):
        return None
    rest = name.removeprefix(PREFIX).lower()
    if rest in ("listen", "public_url"):
        return (rest,)
    section, _, key = rest.partition("_")
    kind = SECTIONS.get(section)
    known = kind is not None and key in kind.__struct_fields__ and (section, key) not in FILE_ONLY
    return (section, key) if known else None


def _typed(name: str, place: tuple[str, ...], value: str) -> Any:
    """Text of a variable -> the type of its setting. Lists are comma separated; an empty item is an error."""
    kind = _kind(place)
    if get_origin(kind) is tuple:
        items = [item.strip() for item in value.split(",")]
        if not all(items):
            raise SettingsError(f"{name}: an item of the list is empty.")
        return items
    if kind is bool:
        if value.lower() not in _BOOLEANS:
            raise SettingsError(f"{name}: is true or false.")
        return _BOOLEANS[value.lower()]
    if get_origin(kind) is Annotated and get_args(kind)[0] in (int, float):
        try:
            return msgspec.convert(value, kind, strict=False)
        except msgspec.ValidationError as problem:
            raise SettingsError(f"{name}: {problem}.") from None
    return value


def _kind(place: tuple[str, ...]) -> Any:
    if len(place) == 1:
        return str
    fields = msgspec.structs.fields(SECTIONS[place[0]])
    kind = next(field.type for field in fields if field.name == place[1])
    said = [one for one in get_args(kind) if one is not type(None)]
    return said[0] if get_origin(kind) in (Union, UnionType) and len(said) == 1 else kind


def _content(name: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as problem:
        raise SettingsError(f"{name}: the file cannot be read: {problem.strerror}.") from None
    except ValueError:  # not UTF-8, or a path that cannot be one
        raise SettingsError(f"{name}: the file is not text.") from None

"""Whose word on origins counts, as a file that is carried from one gateway to another (LLD-B 13.5, R134).

What goes out holds public keys only, and nothing that is a secret or a file of this machine. What comes in is checked
like settings, and trusted by nobody: a person compares the fingerprints and puts it into the settings.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, Literal

import msgspec
from msgspec.structs import replace

from gateway.errors import SettingsError
from gateway.etdi.errors import EtdiCode
from gateway.idp.errors import IdpRefused
from gateway.idp.public_key import read_public_key
from gateway.origins import trust_of
from gateway.settings.etdi import EtdiSettings, ProviderKeySettings, Section, ToolIssuerSettings

MAX_BYTES: Final = 1024 * 1024
_AUDIENCE: Final = "https://gateway.invalid/etdi"
"""Stands for the importing gateway's own; what is checked here does not depend on it."""

Standing = Literal["new", "as here", "differs"]


class TrustStore(Section, frozen=True, kw_only=True):
    """``issuers`` and ``provider_keys`` as the settings have them (``settings/etdi.py``)."""

    format: Literal["countersign-trust-store/1"]
    issuers: tuple[ToolIssuerSettings, ...] = ()
    provider_keys: tuple[ProviderKeySettings, ...] = ()


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One line for the person who imports. ``fingerprint`` is the key's RFC 7638 thumbprint."""

    kind: Literal["issuer", "provider key"]
    name: str
    speaks_for: tuple[str, ...]
    standing: Standing
    fingerprint: str | None = None


def exported(settings: EtdiSettings) -> tuple[TrustStore, tuple[str, ...]]:
    """What is trusted here, and in words what could not go with it. :raises SettingsError: it is unusable as it is."""
    trust = trust_of(settings, audience=_AUDIENCE)
    # Without those that `trusted_providers` leaves out: carried along they would be trusted over there.
    issuers = [one for one in settings.issuers if trust.issuer(one.issuer) is not None]
    left: list[str] = []
    for one in issuers:
        if one.jwks_file is not None:
            left.append(
                f"{one.issuer}: its keys are in a file of this machine (jwks_file); carry that yourself"
            )
        if one.introspection_client_secret is not None:
            left.append(f"{one.issuer}: introspection_client_secret stays here")
    store = TrustStore(
        format="countersign-trust-store/1",
        issuers=tuple(_carried(one, settings) for one in issuers),
        provider_keys=tuple(_inlined(one) for one in settings.provider_keys),
    )
    return store, tuple(left)


def document_of(store: TrustStore) -> dict[str, Any]:
    """As it is written: what is not said has its default."""
    return {
        "format": store.format,
        "issuers": [_said(one) for one in store.issuers],
        "provider_keys": [_said(one) for one in store.provider_keys],
    }


def read_store(data: bytes) -> TrustStore:
    """A file that somebody sent. :raises SettingsError: what is wrong with it; its content is not repeated."""
    if len(data) > MAX_BYTES:
        raise _unusable(f"it is larger than {MAX_BYTES} bytes")
    try:
        store = msgspec.json.decode(data, type=TrustStore)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as problem:
        because = str(problem) if isinstance(problem, msgspec.ValidationError) else "it is not JSON"
        raise _unusable(because) from None
    for issuer in store.issuers:
        # Attack: a file that makes this gateway read another file, or use credentials of the sender's.
        if issuer.jwks_file is not None or issuer.introspection_client_secret is not None:
            raise _unusable("an issuer brings a file name or a secret")
        if not issuer.providers:
            raise _unusable("an issuer does not say whom it speaks for")
    for key in store.provider_keys:
        if key.public_key is None or key.public_key_file is not None:
            raise _unusable("a provider key is not in the file itself")
        _fingerprint(key)
    _check(store.issuers, store.provider_keys)
    return store


def compared(store: TrustStore, settings: EtdiSettings) -> tuple[Item, ...]:
    """Each entry beside the one of the same name here. :raises SettingsError: a key of here cannot be read."""
    issuers = {one.issuer: _carried(one, settings) for one in settings.issuers}
    keys = {(one.provider, one.key_id): _inlined(one) for one in settings.provider_keys}
    return (
        *(
            Item(
                kind="issuer",
                name=one.issuer,
                speaks_for=one.providers,
                standing=_standing(one, issuers.get(one.issuer)),
            )
            for one in store.issuers
        ),
        *(
            Item(
                kind="provider key",
                name=one.key_id,
                speaks_for=(one.provider,),
                standing=_standing(one, keys.get((one.provider, one.key_id))),
                fingerprint=_fingerprint(one),
            )
            for one in store.provider_keys
        ),
    )


def additions(store: TrustStore, settings: EtdiSettings) -> dict[str, Any]:
    """What is new of it, as lines for the settings section ``etdi``; entries of here stay as they are.

    :raises SettingsError: an entry differs from the one of the same name here, or the two do not go together.
    """
    items = compared(store, settings)
    differing = [one.name for one in items if one.standing == "differs"]
    if differing:
        raise _unusable(f"{', '.join(differing)}: differs from what is trusted here; take that out first")
    new = {(one.kind, one.speaks_for, one.name) for one in items if one.standing == "new"}
    issuers = [one for one in store.issuers if ("issuer", one.providers, one.issuer) in new]
    keys = [one for one in store.provider_keys if ("provider key", (one.provider,), one.key_id) in new]
    _check((*settings.issuers, *issuers), (*settings.provider_keys, *keys), settings)
    return {"issuers": [_said(one) for one in issuers], "provider_keys": [_said(one) for one in keys]}


def _check(
    issuers: Iterable[ToolIssuerSettings],
    keys: Iterable[ProviderKeySettings],
    settings: EtdiSettings | None = None,
) -> None:
    base = EtdiSettings() if settings is None else settings
    trust_of(replace(base, issuers=tuple(issuers), provider_keys=tuple(keys)), audience=_AUDIENCE)


def _carried(one: ToolIssuerSettings, settings: EtdiSettings) -> ToolIssuerSettings:
    # What this gateway's `tool_providers` adds must not become another set of providers over there.
    providers = tuple(one.providers or settings.tool_providers)
    return replace(one, jwks_file=None, introspection_client_secret=None, providers=providers)


def _inlined(one: ProviderKeySettings) -> ProviderKeySettings:
    try:
        pem = one.public_key or Path(one.public_key_file or "").read_text(errors="replace")
    except OSError as problem:
        raise _unusable(f"{one.provider} {one.key_id}: {problem.strerror}") from None
    inlined = replace(one, public_key=pem, public_key_file=None)
    _fingerprint(inlined)
    return inlined


def _fingerprint(one: ProviderKeySettings) -> str:
    """Exactly one public key and nothing around it: a private one beside it would travel, too."""
    try:
        return read_public_key(one.public_key)[0]
    except IdpRefused as problem:
        raise _unusable(f"{one.provider} {one.key_id}: {problem.message}") from None


def _standing(one: msgspec.Struct, here: msgspec.Struct | None) -> Standing:
    if here is None:
        return "new"
    return "as here" if one == here else "differs"


def _said(one: msgspec.Struct) -> dict[str, Any]:
    values = {field.name: (getattr(one, field.name), field.default) for field in msgspec.structs.fields(one)}
    return {name: msgspec.to_builtins(value) for name, (value, default) in values.items() if value != default}


def _unusable(because: str) -> SettingsError:
    return SettingsError(f"The trust store cannot be used: {because}.", code=EtdiCode.CONFIG_INVALID)

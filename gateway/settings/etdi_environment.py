"""The names of the ETDI design in the environment (LLD-A 7.2), read into our settings. One reader, nothing guessed.

What cannot be read refuses to start (C39): ``ETDI_STRICT_MODE=on`` must not switch strictness off. Times are
milliseconds there. ``<NAME>_FILE`` reads a value from a file. Variables that are for tool authors only
(``ETDI_PROVIDER_ID`` and others) are left to them; what they share with us is checked here too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePath
from typing import Any, Final, NoReturn

from gateway.errors import SettingsError
from gateway.etdi.errors import EtdiCode

BOOLEANS: Final = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
MAX_MS: Final = 24 * 3600 * 1000
FILE: Final = "_FILE"
LEVELS: Final = {"error": "error", "warn": "warn", "warning": "warn", "info": "info", "debug": "debug"}
Place = tuple[str, ...]
Content = Callable[[str, str], str]
"""A variable's name and the path it holds -> the content of that file. :raises SettingsError:"""


def refused(code: EtdiCode, message: str) -> NoReturn:
    """:raises SettingsError: with a code of the design."""
    raise SettingsError(message, code=code.value)


def boolean(name: str, text: str) -> bool:
    """true, 1, yes, false, 0, no; in any case."""
    if text.lower() not in BOOLEANS:
        refused(EtdiCode.CONFIG_INVALID, f"{name}: is true or false.")
    return BOOLEANS[text.lower()]


def whole(name: str, text: str) -> int:
    """A whole number above zero."""
    if not text.isascii() or not text.isdecimal() or len(text) > 9 or int(text) < 1:
        refused(EtdiCode.CONFIG_INVALID, f"{name}: is a whole number above zero.")
    return int(text)


def seconds(name: str, text: str) -> float:
    """Milliseconds as seconds."""
    found = whole(name, text)
    if found > MAX_MS:
        refused(EtdiCode.CONFIG_INVALID, f"{name}: is milliseconds, {MAX_MS} at most.")
    return found / 1000


def texts(name: str, text: str) -> list[str]:
    """Comma separated, trimmed."""
    items = [item.strip() for item in text.split(",")]
    if not all(items):
        refused(EtdiCode.CONFIG_INVALID, f"{name}: an item of the list is empty.")
    return items


def level(name: str, text: str) -> str:
    """A log level."""
    if text.lower() not in LEVELS:
        refused(EtdiCode.CONFIG_INVALID, f"{name}: is error, warn, info or debug.")
    return LEVELS[text.lower()]


def plain(name: str, text: str) -> str:
    """As it is."""
    del name
    return text


def no_tokens(name: str, text: str) -> None:
    """A log is read by more people than may hold a token (R137)."""
    if boolean(name, text):
        refused(EtdiCode.CONFIG_INVALID, f"{name}: tokens are never logged; unset it.")


def warned(name: str, text: str) -> None:
    """Warnings are the policy's: a variable must not take back what it says."""
    if not boolean(name, text):
        refused(
            EtdiCode.CONFIG_INVALID, f"{name}: warnings are switched off in the policy, migration/data.yaml."
        )


NAMES: Final[Mapping[str, tuple[Place | None, Callable[[str, str], Any]]]] = {
    "ETDI_STRICT_MODE": (("etdi", "strict_mode"), boolean),
    "ETDI_ALLOW_NON_ETDI_TOOLS": (("etdi", "allow_non_etdi_tools"), boolean),
    "ETDI_SHOW_UNVERIFIED_TOOLS": (("etdi", "show_unverified_tools"), boolean),
    "ETDI_WARNING_FOR_UNVERIFIED": (None, warned),
    "ETDI_OAUTH_ENABLED": (("etdi", "oauth_enabled"), boolean),
    "ETDI_TRUSTED_PROVIDERS": (("etdi", "trusted_providers"), texts),
    "ETDI_VALIDATION_CACHE_TTL": (("etdi", "cache_ttl_s"), seconds),
    "ETDI_ENABLE_CACHING": (("etdi", "enable_caching"), boolean),
    "ETDI_MAX_CACHE_SIZE": (("etdi", "max_cache_size"), whole),
    "ETDI_PARALLEL_VERIFICATION": (("etdi", "parallel_verification"), boolean),
    "ETDI_MAX_CONCURRENT_VERIFICATIONS": (("etdi", "max_concurrent_verifications"), whole),
    "ETDI_LOG_LEVEL": (("etdi", "log_level"), level),
    "ETDI_LOG_INCLUDE_TOOL_DATA": (("etdi", "log_tool_data"), boolean),
    "ETDI_LOG_SECURITY_EVENTS_ONLY": (("etdi", "log_security_events_only"), boolean),
    "ETDI_APPROVAL_ENCRYPTION_KEY": (("approvals", "key"), plain),
    # A tool author's; checked so that a typing error does not wait until a tool is registered.
    "ETDI_TOKEN_CACHE_TTL": (None, seconds),
    "ETDI_LOG_INCLUDE_TOKENS": (None, no_tokens),
}
KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "AUTH0": ("DOMAIN", "CLIENT_ID", "CLIENT_SECRET", "AUDIENCE"),
    "OKTA": ("DOMAIN", "CLIENT_ID", "CLIENT_SECRET", "AUDIENCE", "AUTH_SERVER_ID"),
    "AZURE": ("TENANT_ID", "CLIENT_ID", "CLIENT_SECRET", "SCOPE"),
}
"""Their variables; the first says that the kind is meant. All are needed but the last ones, which have defaults."""
_OPTIONAL: Final = {"AUTH_SERVER_ID": "default", "SCOPE": ".default"}


def merge_etdi(
    document: dict[str, Any], environ: Mapping[str, str], *, content: Content, sections: frozenset[str]
) -> None:
    """Write what these variables say into the document. ``sections``: those that the settings have.

    :raises SettingsError: ``config_invalid`` or ``config_incomplete``, naming the variable.
    """
    said = dict(_said(environ, content))
    ours = {name.lower() for name in environ}
    for name, (place, read) in NAMES.items():
        if name not in said:
            continue
        value = read(name, said[name])
        if place is None:
            continue
        if place[0] not in sections:
            refused(EtdiCode.CONFIG_INVALID, f"{name}: this gateway has no setting for it; unset it.")
        _write(document, name, place, value, ours)
    _storage(document, said, ours)
    issuers = [made for kind in KINDS if (made := _issuer(kind, said, document)) is not None]
    if issuers:
        section = document.setdefault("etdi", {})
        section["issuers"] = [*section.get("issuers", ()), *issuers]


def _said(environ: Mapping[str, str], content: Content) -> Iterator[tuple[str, str]]:
    known = {*NAMES, *(f"ETDI_{kind}_{last}" for kind, names in KINDS.items() for last in names), *_STORAGE}
    for name in sorted(known):
        value, file = environ.get(name), environ.get(name + FILE)
        if value is not None and file is not None:
            refused(EtdiCode.CONFIG_INVALID, f"{name}: {name}{FILE} says it too; unset one of them.")
        if file is not None:
            value = content(name + FILE, file)
        if value == "":
            refused(EtdiCode.CONFIG_INCOMPLETE, f"{name}: is empty; unset it, or give it a value.")
        if value is not None:
            yield name, value


def _write(document: dict[str, Any], name: str, place: Place, value: Any, ours: set[str]) -> None:
    if "countersign_" + "_".join(place) in ours:
        refused(
            EtdiCode.CONFIG_INVALID, f"{name}: COUNTERSIGN_{'_'.join(place).upper()} says it too; unset one."
        )
    section = document.setdefault(place[0], {})
    if not isinstance(section, dict):
        refused(EtdiCode.CONFIG_INVALID, f"{name}: the setting {place[0]!r} is not a section.")
    section[place[1]] = value


_STORAGE: Final = ("ETDI_APPROVAL_STORAGE_TYPE", "ETDI_APPROVAL_STORAGE_PATH", "ETDI_APPROVAL_STORAGE_URL")


def _storage(document: dict[str, Any], said: Mapping[str, str], ours: set[str]) -> None:
    """Approvals are kept where all state is: a file of SQLite, or Redis."""
    kind_name, path_name, url_name = _STORAGE
    kind, path, url = said.get(kind_name, "local"), said.get(path_name), said.get(url_name)
    if kind not in ("local", "remote"):
        refused(EtdiCode.CONFIG_INVALID, f"{kind_name}: is local or remote.")
    if kind == "local":
        if url is not None:
            refused(EtdiCode.CONFIG_INVALID, f"{url_name}: is for {kind_name}=remote.")
        if path is not None:
            file = path if PurePath(path).suffix else f"{path.rstrip('/')}/state.sqlite3"
            _write(document, path_name, ("state", "url"), f"sqlite:///{file}", ours)
        return
    if path is not None:
        refused(EtdiCode.CONFIG_INVALID, f"{path_name}: is for {kind_name}=local.")
    if url is None:
        refused(EtdiCode.CONFIG_INCOMPLETE, f"{url_name}: is missing; {kind_name} is remote.")
    if not url.startswith(("redis://", "rediss://")):
        refused(EtdiCode.CONFIG_INVALID, f"{url_name}: must be redis:// or rediss://.")
    _write(document, url_name, ("state", "url"), url, ours)


def _issuer(kind: str, said: Mapping[str, str], document: Mapping[str, Any]) -> dict[str, Any] | None:
    names = {last: f"ETDI_{kind}_{last}" for last in KINDS[kind]}
    values = {last: said.get(name) or _OPTIONAL.get(last) for last, name in names.items()}
    if not any(name in said for name in names.values()):
        return None
    for last, name in names.items():
        if values[last] is None:
            refused(EtdiCode.CONFIG_INCOMPLETE, f"{name}: is missing; set all of ETDI_{kind}_*, or none.")
    section = document.get("etdi")
    if not isinstance(section, dict) or not section.get("tool_providers"):
        # C56: an issuer that might speak for everybody could vouch for anybody's tools.
        refused(
            EtdiCode.CONFIG_INCOMPLETE,
            f"etdi.tool_providers: is missing; say for which tool providers ETDI_{kind}_* may speak.",
        )
    first = str(values[KINDS[kind][0]])
    audience = values.get("AUDIENCE")
    issuer, called = named_issuer(kind.lower(), first, str(values.get("AUTH_SERVER_ID")))
    if kind == "AZURE":
        resource = str(values["SCOPE"]).removesuffix(".default").rstrip("/")
        audience = resource or values["CLIENT_ID"]
    return {
        "issuer": issuer,
        "audience": audience,
        "profile": kind.lower(),
        "names": called,
    }


def named_issuer(profile: str, place: str, server: str = "default") -> tuple[str, list[str]]:
    """The ``iss`` that a tenant's tokens have, character by character (C18), and what definitions may call it.

    ``profile`` is auth0, okta or azure; ``place`` a domain, or the id of a tenant; ``server`` is Okta's alone.
    """
    urls = {
        "auth0": f"https://{place}/",
        "okta": f"https://{place}/oauth2/{server}",
        "azure": f"https://login.microsoftonline.com/{place}/v2.0",
    }
    return urls[profile], [place, f"{profile}:{place}"]

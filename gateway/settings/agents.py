"""Contradictions in ``confirm.agents`` and ``confirm.notify``. Pure."""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Iterator
from urllib.parse import urlsplit

from gateway.agents.signature import key_of
from gateway.settings.model import AgentSettings, NotifySettings, Settings

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}", re.ASCII)
MAX_AGENTS = 8
"""More would be asked about each call, and a quorum has ten at most."""


def agent_problems(settings: Settings) -> Iterator[str]:
    """One line for each, naming the key and what to do; never a secret."""
    agents, notify = settings.confirm.agents, settings.confirm.notify
    if len(agents) > MAX_AGENTS:
        yield f"confirm.agents: at most {MAX_AGENTS}; each of them is asked about each call."
    callers = {_folded(token.subject) for token in settings.identity.tokens}
    asked: dict[tuple[str, str | None], str] = {}
    secrets: dict[str, str] = {}
    for name, one in agents.items():
        key = f"confirm.agents.{name}"
        if not _NAME.fullmatch(name):
            yield f"{key}: a name has small letters, digits, ., - and _ only."
        if _folded(name) in callers:
            yield f"{key}: a caller has that name too; nobody confirms their own calls."
        yield from _agent(key, one)
        # Attack on a quorum: one party under two names.
        if (other := asked.setdefault((one.url, one.model), key)) != key:
            yield f"{key}.url: {other} is the same party; it would be counted twice."
        if one.secret is not None and (other := secrets.setdefault(one.secret, key)) != key:
            yield f"{key}.secret: {other} has the same; whoever knows one could answer for the other."
    if notify is not None:
        yield from _notify(notify)
        if notify.secret in secrets:
            yield f"confirm.notify.secret: {secrets[notify.secret]} has the same; it could confirm what it is told."


def _agent(key: str, one: AgentSettings) -> Iterator[str]:
    yield from _address(f"{key}.url", one.url)
    if one.kind == "webhook":
        if one.api_key is not None or one.model is not None:
            yield f"{key}.kind: a webhook has no api_key and no model; they are for chat."
        if one.secret is None:
            yield f"{key}.secret: a webhook needs one; its answers could be anybody's."
        else:
            yield from _secret(f"{key}.secret", one.secret)
        return
    if one.secret is not None:
        yield f"{key}.secret: chat answers are not signed; set api_key."
    if one.model is None:
        yield f"{key}.model: say which model of the endpoint decides."
    if one.api_key is None and urlsplit(one.url).scheme == "https":
        yield f"{key}.api_key: is missing."
    if not urlsplit(one.url).path.endswith("/chat/completions"):
        yield f"{key}.url: is the whole address, .../chat/completions."


def _notify(notify: NotifySettings) -> Iterator[str]:
    yield from _address("confirm.notify.url", notify.url)
    yield from _secret("confirm.notify.secret", notify.secret)


def _address(key: str, url: str) -> Iterator[str]:
    try:
        parts = urlsplit(url)
        host, named = parts.hostname or "", parts.username is not None or parts.password is not None
        _ = parts.port
    except ValueError:
        yield f"{key}: is no address."
        return
    if parts.scheme not in ("http", "https") or not host or not url.isascii() or not url.isprintable():
        yield f"{key}: is no address."
    elif parts.scheme == "http" and not _this_machine(host):
        # What an agent answers moves money; nobody on the way may read or change it.
        yield f"{key}: must be https, or http to loopback."
    elif named or parts.fragment:
        yield f"{key}: has no user, password and fragment."


def _secret(key: str, secret: str) -> Iterator[str]:
    try:
        key_of(secret)
    except ValueError as problem:
        yield f"{key}: {problem}."


def _this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold().strip()

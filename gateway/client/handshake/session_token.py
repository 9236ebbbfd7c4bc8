"""Where the session token comes from: fixed, a function, a variable, what ``countersign connect`` keeps.

A function is called once for each transaction, so that a token that is renewed elsewhere is used renewed.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from inspect import isawaitable

from gateway.client.errors import VaultError
from gateway.client.handshake.errors import ConfigurationRefused
from gateway.client.login.values import Secret, from_bytes
from gateway.errors import SettingsError

TokenSource = str | Secret | Callable[[], "str | Secret | Awaitable[str | Secret]"]


def from_environment(variable: str = "COUNTERSIGN_TOKEN") -> Callable[[], Secret]:
    """The variable, read for each transaction."""

    def read() -> Secret:
        from gateway.settings.client import token_from

        try:
            found = token_from(variable)
        except SettingsError as problem:
            raise ConfigurationRefused(problem.message) from None
        assert found is not None  # a named variable that is not set is an error
        return Secret(str(found))

    return read


def from_keyring(url: str) -> Callable[[], Awaitable[Secret]]:
    """What ``countersign connect URL --login`` or ``--save-token`` kept for that very URL.

    It is not renewed here; the command does that.
    """

    async def read() -> Secret:
        from gateway.client.login.vault import open_vault
        from gateway.settings.client import this_machine

        vault, _ = open_vault(this_machine().state)
        try:
            kept = await vault.get(url)
        except VaultError as problem:
            raise ConfigurationRefused(problem.message) from None
        tokens = from_bytes(kept) if kept is not None else None
        if tokens is None:
            raise ConfigurationRefused("No token is kept for this URL; run: countersign connect URL --login")
        if tokens.dpop:
            raise ConfigurationRefused("The kept token is bound to a key, which this client does not prove.")
        if tokens.expires_at is not None and tokens.expires_at <= time.time():
            raise ConfigurationRefused("The kept token has expired; run: countersign connect URL --login")
        return tokens.access

    return read


def kept(source: TokenSource) -> TokenSource:
    """A source that shows nothing when it is printed. :raises ConfigurationRefused: a fixed text that is no token."""
    if isinstance(source, str | Secret):
        return _usable(source)
    if not callable(source):
        raise ConfigurationRefused("session_token: text, or a function that gives it.")
    return source


async def token_of(source: TokenSource) -> Secret:
    """The token for one transaction. :raises ConfigurationRefused: there is none."""
    found = source() if callable(source) else source
    return _usable(await found if isawaitable(found) else found)


def token_now(source: TokenSource) -> Secret:
    """The same without a running loop; what has to be awaited is, in a thread of its own."""
    found = source() if callable(source) else source
    if isawaitable(found):

        async def awaited() -> str | Secret:
            return await found

        with ThreadPoolExecutor(1) as thread:
            return _usable(thread.submit(asyncio.run, awaited()).result())
    return _usable(found)


def _usable(token: object) -> Secret:
    text = token.expose() if isinstance(token, Secret) else token
    if not isinstance(text, str) or not text or not all("!" <= char <= "~" for char in text):
        raise ConfigurationRefused("session_token: the source gave no token (visible ASCII, no spaces).")
    return token if isinstance(token, Secret) else Secret(text)

"""Where the session token comes from: fixed, a function, a variable, what ``countersign connect`` keeps.

A function is called once for each transaction, so that a token that is renewed elsewhere is used renewed.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from inspect import isawaitable

import msgspec

from gateway.client.errors import VaultError
from gateway.client.handshake.errors import ConfigurationRefused
from gateway.client.login.dpop import Prover, load_key
from gateway.client.login.values import Secret, from_bytes
from gateway.errors import SettingsError


class BoundToken:
    """A token that is bound to a key (RFC 9449), and the key, which is proved with each request."""

    __slots__ = ("prover", "token")

    def __init__(self, token: str | Secret, prover: Prover) -> None:
        self.token = token
        self.prover = prover

    def __repr__(self) -> str:
        return "<bound token>"


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """What one transaction shows of who asks."""

    token: Secret
    prover: Prover | None = None

    def __repr__(self) -> str:
        return "<session>"


Given = str | Secret | BoundToken
TokenSource = Given | Callable[[], "Given | Awaitable[Given]"]


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


def from_keyring(url: str) -> Callable[[], Awaitable[Secret | BoundToken]]:
    """What ``countersign connect URL --login`` or ``--save-token`` kept for that very URL, and its key if it has one.

    It is not renewed here; the command does that.
    """
    provers: dict[str, Prover] = {}  # one for each key: it remembers the gateway's nonce

    async def read() -> Secret | BoundToken:
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
        if tokens.expires_at is not None and tokens.expires_at <= time.time():
            raise ConfigurationRefused("The kept token has expired; run: countersign connect URL --login")
        if not tokens.dpop:
            return tokens.access
        try:
            prover = Prover(await load_key(vault))
        except VaultError as problem:
            raise ConfigurationRefused(problem.message) from None
        return BoundToken(tokens.access, provers.setdefault(prover.thumbprint, prover))

    return read


def kept(source: TokenSource) -> TokenSource:
    """A source that shows nothing when it is printed. :raises ConfigurationRefused: a fixed text that is no token."""
    if isinstance(source, str | Secret | BoundToken):
        _usable(source)
        return Secret(source) if isinstance(source, str) else source
    if not callable(source):
        raise ConfigurationRefused("session_token: text, or a function that gives it.")
    return source


async def session_of(source: TokenSource) -> Session:
    """The session for one transaction. :raises ConfigurationRefused: there is none."""
    found = source() if callable(source) else source
    return _usable(await found if isawaitable(found) else found)


def session_now(source: TokenSource) -> Session:
    """The same without a running loop; what has to be awaited is, in a thread of its own."""
    found = source() if callable(source) else source
    if isawaitable(found):

        async def awaited() -> Given:
            return await found

        with ThreadPoolExecutor(1) as thread:
            return _usable(thread.submit(asyncio.run, awaited()).result())
    return _usable(found)


def _usable(given: object) -> Session:
    token, prover = (given.token, given.prover) if isinstance(given, BoundToken) else (given, None)
    text = token.expose() if isinstance(token, Secret) else token
    if not isinstance(text, str) or not text or not all("!" <= char <= "~" for char in text):
        raise ConfigurationRefused("session_token: the source gave no token (visible ASCII, no spaces).")
    return Session(token=token if isinstance(token, Secret) else Secret(text), prover=prover)

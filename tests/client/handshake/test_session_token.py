"""Where session tokens come from."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from gateway.client.handshake.errors import ConfigurationRefused
from gateway.client.handshake.session_token import (
    BoundToken,
    from_environment,
    from_keyring,
    kept,
    session_now,
    session_of,
)
from gateway.client.login.dpop import Prover, load_key
from gateway.client.login.values import Secret, Tokens, to_bytes
from gateway.client.login.vault import FileVault
from gateway.settings.client import this_machine
from tests.support.keys import signing_key

URL = "https://gateway.example/mcp"


async def later() -> str:
    """A token that has to be awaited."""
    await asyncio.sleep(0)
    return "abc"


@pytest.mark.parametrize("source", ["abc", Secret("abc"), lambda: "abc", lambda: Secret("abc"), later])
async def test_a_source_gives_a_token(source: Any) -> None:
    """With a loop and without one."""
    assert (await session_of(kept(source))).token.expose() == "abc"
    assert (await asyncio.to_thread(session_now, kept(source))).token.expose() == "abc"
    assert session_now(kept(source)).token.expose() == "abc"


@pytest.mark.parametrize("source", ["", "a b", "a\nb", "ü", None, 7])
def test_what_is_no_token_is_refused_when_the_client_is_built(source: Any) -> None:
    """Attack: a line break in a header."""
    with pytest.raises(ConfigurationRefused) as caught:
        kept(source)
    assert repr(source) not in str(caught.value)


async def test_a_function_that_gives_none_is_refused_then() -> None:
    """Nothing is sent with it."""
    with pytest.raises(ConfigurationRefused):
        await session_of(lambda: "")


def test_a_variable_is_read_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """And it must be there."""
    source = from_environment("A_TOKEN")
    with pytest.raises(ConfigurationRefused, match="A_TOKEN"):
        session_now(source)
    for value in ("one", "two"):
        monkeypatch.setenv("A_TOKEN", value)
        assert session_now(source).token.expose() == value


async def test_what_the_command_kept_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For that very URL; a bound one with its key; an expired one says what to do."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    source = from_keyring(URL)
    with pytest.raises(ConfigurationRefused, match="countersign connect"):
        await session_of(source)
    vault = FileVault(this_machine().state)
    await vault.put(URL, to_bytes(Tokens(access=Secret("kept"))))
    assert (await session_of(source)).token.expose() == "kept"
    for bad in (
        Tokens(access=Secret("kept"), dpop=True, expires_at=time.time() - 1),
        Tokens(access=Secret("kept"), expires_at=time.time() - 1),
    ):
        await vault.put(URL, to_bytes(bad))
        with pytest.raises(ConfigurationRefused):
            await session_of(source)
    await vault.put(URL, to_bytes(Tokens(access=Secret("kept"), dpop=True)))
    first, second = await session_of(source), await session_of(source)
    assert first.prover is not None
    assert first.prover is second.prover, "it remembers the gateway's nonce"
    assert first.prover.thumbprint == Prover(await load_key(vault)).thumbprint


async def test_a_token_and_its_key() -> None:
    """Given together, fixed or by a function; neither is shown."""
    prover = Prover(signing_key("EdDSA").private)
    bound = BoundToken("abc", prover)
    for source in (bound, lambda: bound):
        session = await session_of(kept(source))
        assert (session.token.expose(), session.prover) == ("abc", prover)
        assert "abc" not in repr(session) + repr(bound)
    with pytest.raises(ConfigurationRefused):
        kept(BoundToken("a b", prover))

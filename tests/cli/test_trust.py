"""``countersign trust`` against a server whose tools carry tokens."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run
from tests.support.foreign_server import ForeignServer, serving
from tests.support.keys import SigningKey, key_set, signing_key
from tests.support.tool_tokens import AUDIENCE, ISSUER, PROVIDER, claims, wire

Config = Callable[..., Path]


def carrying(name: str, key: SigningKey, **members: Any) -> dict[str, Any]:
    """A tool with a token of this key."""
    now = int(time.time())
    jwt = key.sign(claims(iat=now - 1, exp=now + 600, **members), typ="etdi+jwt")
    return wire(name, oauth={"token": jwt, "provider": "idp"})


@pytest.fixture
async def trusted(config: Config, tmp_path: Path, run: Run) -> Callable[..., Any]:
    """Runs the command beside a server that lists these tools."""
    keys = tmp_path / "keys.json"
    keys.write_bytes(key_set(signing_key()))

    async def command(*arguments: str, tools: list[dict[str, Any]]) -> Any:
        async with serving(ForeignServer(*tools)) as server:
            config(
                upstreams={"bank": {"url": server.url}},
                etdi={
                    "issuers": [
                        {
                            "issuer": ISSUER,
                            "names": ["idp"],
                            "audience": AUDIENCE,
                            "providers": [PROVIDER],
                            "jwks_file": str(keys),
                        }
                    ]
                },
            )
            return await asyncio.to_thread(run, "trust", *arguments)

    return command


async def test_what_is_proven_and_what_is_not(trusted: Callable[..., Any]) -> None:
    """The whole story of each tool, for a script."""
    forged = SigningKey("ES256", "key-1")
    tools = [carrying("good", signing_key()), carrying("bad", forged), wire("none")]
    ran = await trusted("bank", "--json", tools=tools)
    rows = {row["name"]: row for row in ran.document}
    assert rows["good"]["origin"] == "verified: token"
    assert (rows["good"]["chain"]["overallTrust"], rows["good"]["failure"]) == ("trusted", None)
    assert rows["bad"]["origin"] == "token_invalid: token_invalid_signature"
    assert rows["bad"]["chain"]["overallTrust"] == "partially-trusted"
    assert rows["bad"]["failure"]["error"] == "Invalid token signature"
    assert rows["bad"]["failure"]["diagnostics"]["errorType"] == "invalid_token"
    assert rows["none"]["origin"] == "unverified: token_missing"
    assert rows["none"]["chain"]["oauth"] is None
    assert "eyJ" not in ran.out


async def test_for_people(trusted: Callable[..., Any]) -> None:
    """What is wrong, and what to do; of one tool, or of all."""
    ran = await trusted("bank", "bad", tools=[carrying("bad", SigningKey("ES256", "key-1"))])
    assert "Invalid token signature" in ran.out
    assert "create_refund" not in ran.out
    everything = await trusted(tools=[carrying("good", signing_key())])
    assert "create_refund" in everything.out
    assert "verified: release" in everything.out


async def test_names_that_nobody_has(trusted: Callable[..., Any]) -> None:
    """Exit 2 for a server, 1 for a tool."""
    assert (await trusted("bnak", tools=[])).code == 2
    assert (await trusted("bank", "nothing", tools=[])).code == 1

"""What clients say of ETDI in the handshake, in every spelling, against a real server in both eras."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.serving import serving
from tests.authoring.secured import etdi_of, server_of
from tests.support.tool_idp import running_tool_idp

OWN = {"version": "1.0.0", "oauthProvider": "custom"}
TOO_NEW = {"version": "2.0.0", "required": True}


@asynccontextmanager
async def asking(folder: Path, **options: Any) -> AsyncIterator[Any]:
    """A function that says hello with these capabilities: in the legacy era, or by ``server/discover``."""
    async with running_tool_idp() as idp:
        app = server_of(etdi_of(idp, folder, **options)).streamable_http_app(json_response=True)
        async with serving(app, lifespan=True) as port, httpx.AsyncClient() as http:

            async def ask(capabilities: dict[str, Any], *, modern: bool = False) -> dict[str, Any]:
                method, version = (
                    ("server/discover", "2026-07-28") if modern else ("initialize", "2025-11-25")
                )
                info = {"name": "test", "version": "1"}
                params: dict[str, Any] = {
                    "protocolVersion": version,
                    "capabilities": capabilities,
                    "clientInfo": info,
                }
                if modern:
                    place = "io.modelcontextprotocol/"
                    meta = {
                        "protocolVersion": version,
                        "clientCapabilities": capabilities,
                        "clientInfo": info,
                    }
                    params = {"_meta": {place + key: value for key, value in meta.items()}}
                headers = {"Accept": "application/json, text/event-stream", "Mcp-Method": method}
                if modern:
                    headers["MCP-Protocol-Version"] = version
                body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
                answer = await http.post(f"http://127.0.0.1:{port}/mcp", json=body, headers=headers)
                found: dict[str, Any] = answer.json()
                return found

            yield ask


@pytest.mark.parametrize("modern", [False, True])
async def test_the_server_says_it_in_both_forms(tmp_path: Path, *, modern: bool) -> None:
    """R162, R165: ``capabilities.etdi`` and the protocol's own place."""
    async with asking(tmp_path) as ask:
        said = (await ask({}, modern=modern))["result"]["capabilities"]
    assert said["etdi"] == OWN
    assert said["extensions" if modern else "experimental"]["dev.countersign/etdi"] == OWN
    assert "tools" in said


@pytest.mark.parametrize("modern", [False, True])
@pytest.mark.parametrize(
    "capabilities",
    [
        {"etdi": TOO_NEW},
        {"extensions": {"etdi": TOO_NEW}},
        {"extensions": {"dev.countersign/etdi": TOO_NEW}},
        {"experimental": {"dev.countersign/etdi": TOO_NEW}},
        {"etdi": {"version": "1.0.0", "required": True, "supportedOAuthProviders": ["okta.com"]}},
        {"etdi": {"version": "1.0.0"}, "extensions": {"etdi": {"version": "1.1.0"}}},
    ],
)
async def test_a_client_that_requires_more_is_refused(
    capabilities: dict[str, Any], tmp_path: Path, *, modern: bool
) -> None:
    """R166: refused, and not only warned; so is one that contradicts itself."""
    async with asking(tmp_path) as ask:
        error = (await ask(capabilities, modern=modern))["error"]
    assert error["data"]["code"] == "authoring.negotiation_failed"


@pytest.mark.parametrize(
    "capabilities",
    [
        {},
        {"etdi": {"version": "1.0", "required": True}},
        {"etdi": {"version": "2.0.0"}},
        {"extensions": {"etdi": {"version": "1.0", "required": False, "supportedAlgorithms": ["RS256"]}}},
    ],
)
async def test_others_are_welcome(capabilities: dict[str, Any], tmp_path: Path) -> None:
    """Stock clients, those of this version in its short spelling, and those that can do without."""
    async with asking(tmp_path) as ask:
        assert "result" in await ask(capabilities)


async def test_it_may_be_left_unsaid(tmp_path: Path) -> None:
    """``capability`` off: nothing is said, and nothing is refused."""
    async with asking(tmp_path, capability=False) as ask:
        said = await ask({"etdi": TOO_NEW})
    assert "etdi" not in said["result"]["capabilities"]
    assert not said["result"]["capabilities"].get("experimental")

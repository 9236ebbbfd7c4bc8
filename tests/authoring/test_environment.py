"""The example of the documentation runs as it is written, from a manifest and the environment."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters

from gateway.authoring.environment import etdi_from_environment
from gateway.authoring.errors import ConfigInvalid
from gateway.authoring.migration.manifest import ProviderPart, etdi_from_manifest
from gateway.authoring.migration.migrate import migrate
from gateway.authoring.providers.registry import create_provider
from gateway.authoring.server import SecureServer
from tests.authoring.providers.test_config import GOOD
from tests.authoring.secured import block_of
from tests.support.tool_idp import CLIENT_ID, CLIENT_SECRET, running_tool_idp

EXAMPLE = Path(__file__).parents[2] / "docs/examples/etdi_server.py"
TOOLS = [{"name": "exchange_rate", "inputSchema": {"type": "object"}, "permissions": ["rates:read"]}]


def moved(folder: Path) -> Path:
    """The manifest of a server that just moved, to the mode in which its own names are secured."""
    migrate(TOOLS, ProviderPart(id="rates-inc", name="Rates Inc."), folder)
    path = folder / "etdi.json"
    path.write_text(path.read_text().replace('"dual"', '"etdi-only"'))
    return path


async def test_the_example_is_a_secured_server(tmp_path: Path) -> None:
    """Started by a host, over its pipes."""
    manifest = moved(tmp_path)
    async with running_tool_idp() as idp:
        environment = {
            "PATH": os.environ["PATH"],
            "ETDI_MANIFEST": str(manifest),
            "ETDI_OAUTH_ISSUER": idp.url,
            "ETDI_OAUTH_CLIENT_ID": CLIENT_ID,
            "ETDI_OAUTH_CLIENT_SECRET": CLIENT_SECRET,
            "PYTHONPATH": str(EXAMPLE.parents[2]),
        }
        parameters = StdioServerParameters(command=sys.executable, args=[str(EXAMPLE)], env=environment)
        async with Client(parameters) as client:
            (tool,) = (await client.list_tools()).tools
            made = block_of(tool)
            assert made["provider"] == {"id": "rates-inc", "name": "Rates Inc."}
            assert made["permissions"] == ["rates:read"]
            assert "token" in made["oauth"]
            assert "signature" in made
            said = await client.call_tool("exchange_rate", {"currency": "EUR"})
            assert said.structured_content == {"result": "1 USD is 0.92 EUR"}


def test_the_manifest_counts_where_the_code_says_nothing(tmp_path: Path) -> None:
    """C26: absent permissions are unchanged; other ones are an error, and no guess."""
    manifest = moved(tmp_path)
    server = SecureServer("x", etdi=etdi_from_manifest(manifest, create_provider("auth0", GOOD["auth0"])))
    server.tool(name="exchange_rate")(lambda: "x")
    for permissions in ([], ["rates:write"]):
        with pytest.raises(ConfigInvalid, match="declared twice"):
            server.tool(name="exchange_rate", permissions=permissions)(lambda: "x")


def test_two_providers_of_the_tools_are_one_too_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The manifest says one, the environment another."""
    manifest = moved(tmp_path)
    monkeypatch.setenv("ETDI_OAUTH_ISSUER", "https://idp.example")
    monkeypatch.setenv("ETDI_OAUTH_CLIENT_ID", "c")
    monkeypatch.setenv("ETDI_OAUTH_CLIENT_SECRET", "s")
    etdi_from_environment(manifest)
    monkeypatch.setenv("ETDI_PROVIDER_ID", "rates-inc")
    etdi_from_environment(manifest)
    monkeypatch.setenv("ETDI_PROVIDER_ID", "others")
    with pytest.raises(ConfigInvalid, match="unset one of them"):
        etdi_from_environment(manifest)

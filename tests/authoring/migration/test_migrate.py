"""A server moves: what is written beside it is loaded by it, and what it then shows verifies."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from mcp.client import Client
from mcp.server import MCPServer

from gateway.authoring.claims import ToolClaims
from gateway.authoring.errors import ConfigInvalid
from gateway.authoring.migration.manifest import ProviderPart, etdi_from_manifest
from gateway.authoring.migration.migrate import migrate, provider_id_for
from gateway.authoring.migration.source import from_server
from gateway.authoring.providers.registry import create_provider
from gateway.authoring.server import secure_high_level
from gateway.authoring.signing import verifies
from gateway.catalog.definition import read_definition
from gateway.identity.credentials import Secret
from gateway.serving import serving
from tests.authoring.secured import block_of
from tests.support.tool_idp import running_tool_idp

PROVIDER = ProviderPart(id="files-inc", name="Files Inc.", website="https://files.example")
TOOLS = [{"name": "read", "inputSchema": {"type": "object"}, "permissions": {"filesystem": {"read": True}}}]


def legacy() -> MCPServer[object]:
    """A server that knows nothing of ETDI."""
    server: MCPServer[object] = MCPServer("legacy")
    meta = {"permissions": {"filesystem": {"read": ["/data"]}}}
    server.add_tool(lambda path: path, name="read", description="Reads.", meta=meta)
    return server


async def test_a_legacy_server_moves_and_its_definitions_verify(tmp_path: Path) -> None:
    """From its own listing to twins whose signature, hash and token are good (R164)."""
    async with serving(legacy().streamable_http_app(), lifespan=True) as port:
        definitions = await from_server(f"http://127.0.0.1:{port}/mcp")
    done = migrate(definitions, PROVIDER, tmp_path)
    assert [(row.name, row.permissions) for row in done.tools] == [("read", ("filesystem:read:/data",))]
    async with running_tool_idp() as idp:
        oauth = create_provider("custom", idp.config("custom"))
        etdi = etdi_from_manifest(tmp_path / "etdi.json", oauth)
        server = legacy()
        secure_high_level(server, etdi)
        async with etdi.running(), Client(server) as client:
            tools = {tool.name: tool for tool in (await client.list_tools()).tools}
            assert set(tools) == {"read", "read-secure"}
            assert (await client.call_tool("read-secure", {"path": "x"})).content
            made = block_of(tools["read-secure"])
            wire = tools["read-secure"].model_dump(by_alias=True, mode="json", exclude_none=True)
            assert verifies(wire, load_pem_public_key(done.public_key.encode()))
            assert made["keyId"] == done.key_id
            expected = ToolClaims(
                tool_id="read-secure",
                tool_version="1.0.0",
                tool_provider="files-inc",
                permissions=("filesystem:read:/data",),
                definition_hash=read_definition(wire).definition_hash,
            )
            assert (await oauth.validate_token(Secret(made["oauth"]["token"].encode()), expected)).valid


def test_the_private_key_stays_at_the_provider(tmp_path: Path) -> None:
    """C36: mode 0600, in no report and in no manifest."""
    done = migrate(TOOLS, PROVIDER, tmp_path)
    path = Path(done.private_key)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "PRIVATE" not in repr(done) + (tmp_path / "etdi.json").read_text()
    assert (tmp_path / "etdi-key.pub.pem").read_text() == done.public_key


def test_a_second_run_keeps_what_was_edited(tmp_path: Path) -> None:
    """Same key, same provider, a person's permissions; new tools are added."""
    first = migrate(TOOLS, PROVIDER, tmp_path)
    path = tmp_path / "etdi.json"
    document = json.loads(path.read_bytes())
    document["tools"]["read"]["permissions"] = ["filesystem:read:/narrow"]
    path.write_text(json.dumps(document))
    other = ProviderPart(id="another", name="Another")
    second = migrate([*TOOLS, {"name": "new", "inputSchema": {"type": "object"}}], other, tmp_path)
    assert (second.key_id, second.provider_id) == (first.key_id, "files-inc")
    tools = json.loads(path.read_bytes())["tools"]
    assert tools["read"]["permissions"] == ["filesystem:read:/narrow"]
    assert set(tools) == {"read", "new"}


def test_nothing_to_migrate(tmp_path: Path) -> None:
    """Then nothing is written."""
    with pytest.raises(ConfigInvalid, match="no tool"):
        migrate([{"name": "x"}], PROVIDER, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_made_ids_are_readable_and_nobody_elses() -> None:
    """Two of one name differ."""
    made = {provider_id_for("Files Inc.") for _ in range(20)}
    assert len(made) == 20
    assert all(one.startswith("files-inc-") for one in made)
    assert provider_id_for("…").startswith("provider-")

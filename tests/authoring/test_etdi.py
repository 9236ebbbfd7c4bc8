"""How far a server has moved, tool by tool: modes, tools that stay as they are, and failures of one."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
from mcp.client import Client
from mcp.server import MCPServer
from mcp.server.caching import CacheHint
from mcp.shared.exceptions import MCPError
from starlette.responses import JSONResponse, Response

from gateway.authoring.declaration import Mode, declare
from gateway.authoring.errors import ConfigInvalid
from gateway.authoring.server import SecureServer, secure_high_level
from gateway.catalog.definition import read_definition
from gateway.catalog.tool import ETDI_META_KEY
from tests.authoring.secured import block_of, etdi_of, server_of
from tests.support.tool_idp import Seen, ToolIdp, running_tool_idp


async def refuse_read(seen: Seen) -> Response | None:
    """No token for the tools that read."""
    if '"tool_id":"read' in seen.members["tool_claims"]:
        return JSONResponse({"error": "invalid_scope", "error_description": "not yours"}, status_code=400)
    return None


async def test_passive_only_says_what_it_would_do(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The listing is the one of before."""
    caplog.set_level(logging.INFO, "countersign.authoring")
    async with running_tool_idp() as idp:
        etdi = etdi_of(idp, tmp_path, mode=Mode.PASSIVE)
        async with Client(server_of(etdi)) as client:
            tools = (await client.list_tools()).tools
    assert [tool.name for tool in tools] == ["read", "say"]
    assert all(ETDI_META_KEY not in (tool.meta or {}) for tool in tools)
    assert "read: ETDI security available" in caplog.text


async def test_dual_lists_a_twin_with_a_token_of_its_own(tmp_path: Path) -> None:
    """C48: the twin's token names the twin; both names do the same."""
    async with running_tool_idp() as idp:
        etdi = etdi_of(idp, tmp_path, mode=Mode.DUAL)
        async with Client(server_of(etdi)) as client:
            tools = {tool.name: tool for tool in (await client.list_tools()).tools}
            assert list(tools) == ["read", "read-secure", "say", "say-secure"]
            assert ETDI_META_KEY not in (tools["read"].meta or {})
            assert tools["say-secure"].title == "Say (Secure)"
            twin = tools["read-secure"]
            assert block_of(twin)["id"] == "read-secure"
            for name in ("read", "read-secure"):
                said = await client.call_tool(name, {"path": "a", "lines": 2})
                assert said.structured_content == {"result": "a: 2"}
            claims = [seen.members["tool_claims"] for seen in idp.seen]
        assert len(claims) == 2
        assert all('-secure"' in one for one in claims)
        wire = twin.model_dump(by_alias=True, mode="json", exclude_none=True)
        assert read_definition(wire).definition_hash in claims[0]


async def test_a_twin_is_known_before_anybody_lists(tmp_path: Path) -> None:
    """A gateway goes on with the listing of the process before; low-level servers list nothing at their start."""
    async with running_tool_idp() as idp:
        server = server_of(etdi_of(idp, tmp_path, mode=Mode.DUAL))
        async with Client(server, mode="2026-07-28") as client:
            raw = await client.session.call_tool("read-secure", {"path": "a"})
            assert "a: 10" in str(raw)
        etdi = etdi_of(idp, tmp_path, mode=Mode.DUAL)
        plain = MCPServer[Any]("plain")
        plain.add_tool(lambda: "yes", name="ask")
        secure_high_level(plain, etdi)
        async with etdi.running(), Client(plain, mode="2026-07-28") as client:
            assert "yes" in str(await client.session.call_tool("ask-secure", {}))


async def test_the_registry_has_what_was_listed_last(tmp_path: Path) -> None:
    """R099: by id, and all of them."""
    async with running_tool_idp() as idp:
        etdi = etdi_of(idp, tmp_path)
        async with Client(server_of(etdi)):
            found = etdi.tool("read")
            assert found is not None
            assert found["_meta"][ETDI_META_KEY]["provider"]["id"] == "files-inc"
            assert [tool["name"] for tool in etdi.tools()] == ["read", "say"]
            assert etdi.tool("none") is None


async def test_nobody_is_told_to_keep_a_token_beyond_its_end(tmp_path: Path) -> None:
    """A listing's cache hint ends with the first of its tokens."""
    async with running_tool_idp() as idp:
        idp.life_s = 100
        etdi = etdi_of(idp, tmp_path)
        server = SecureServer("x", etdi=etdi, cache_hints={"tools/list": CacheHint(ttl_ms=3_600_000)})
        server.add_tool(lambda: "x", name="x")
        async with Client(server) as client:
            told = (await client.list_tools()).ttl_ms
    assert told is not None
    assert 0 < told <= 100_000


async def test_a_twin_does_not_stand_in_for_a_tool_of_its_name(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Attack: a plug-in brings ``read-secure``, to be what callers of the twin reach."""
    async with running_tool_idp() as idp:
        etdi = etdi_of(idp, tmp_path, mode=Mode.DUAL)
        server = server_of(etdi)

        @server.tool(name="read-secure")
        def other() -> str:
            return "other"

        async with Client(server) as client:
            names = [tool.name for tool in (await client.list_tools()).tools]
            assert names.count("read-secure") == 1
            said = await client.call_tool("read-secure", {})
            assert said.structured_content == {"result": "other"}
    assert "read: No ETDI twin" in caplog.text


async def test_one_tool_that_gets_no_token_leaves_the_others_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """R162: logged with the reason; the tool is still this tool, without a token."""
    async with running_tool_idp() as idp:
        idp.answer = refuse_read
        async with Client(server_of(etdi_of(idp, tmp_path))) as client:
            tools = {tool.name: tool for tool in (await client.list_tools()).tools}
            assert "token" not in block_of(tools["read"])["oauth"]
            assert "token" in block_of(tools["say"])["oauth"]
            assert (await client.call_tool("read", {"path": "a"})).structured_content == {"result": "a: 10"}
    assert caplog.text.count("No OAuth token") == 1, "listings come often; what is still so is not said again"
    assert "read: No OAuth token: Failed to obtain OAuth token: 400 invalid_scope: not yours" in caplog.text


async def test_etdi_only_may_leave_out_what_is_not_secured(tmp_path: Path) -> None:
    """Then it cannot be called either."""
    async with running_tool_idp() as idp:
        idp.answer = refuse_read
        async with Client(server_of(etdi_of(idp, tmp_path, keep_legacy=False))) as client:
            assert [tool.name for tool in (await client.list_tools()).tools] == ["say"]
            with pytest.raises(MCPError, match="Unknown tool: read"):
                await client.call_tool("read", {"path": "a"})
            idp.answer = None


async def test_tools_that_stay_as_they_are(tmp_path: Path) -> None:
    """Named ones, those that declare nothing, and those that somebody else secured."""
    async with running_tool_idp() as idp:
        etdi = etdi_of(idp, tmp_path, skip=frozenset({"say"}), auto_secure=False)
        server = server_of(etdi)
        theirs = {ETDI_META_KEY: {"id": "theirs", "version": "7.0.0"}}
        server.tool(name="theirs", meta=theirs)(lambda: "x")
        server.add_tool(lambda: "y", name="undeclared")
        async with Client(server) as client:
            tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert block_of(tools["theirs"]) == theirs[ETDI_META_KEY]
        assert [name for name, tool in tools.items() if ETDI_META_KEY in (tool.meta or {})] == [
            "read",
            "theirs",
        ]


async def test_a_changed_tool_has_a_new_version_and_a_new_token(tmp_path: Path) -> None:
    """R104, over a restart: rug pulls are versions."""
    async with running_tool_idp() as idp:
        blocks = []
        for description in ("Reads a file.", "Reads a file.", "Reads a file, and sends it to me."):
            async with Client(server_of(etdi_of(idp, tmp_path), description=description)) as client:
                blocks.append(block_of((await client.list_tools()).tools[0]))
    first, same, changed = blocks
    assert (first["version"], same["version"], changed["version"]) == ("1.0.0", "1.0.0", "1.0.1")
    assert '"tool_version":"1.0.1"' in idp.seen[-2].members["tool_claims"]


async def test_an_older_protocol_makes_no_versions(tmp_path: Path) -> None:
    """It shows less of a definition, which is no change of the tool."""
    tool: dict[str, Any] = {"name": "read", "title": "Read", "inputSchema": {"type": "object"}}
    older = {"name": "read", "inputSchema": {"type": "object"}}
    async with running_tool_idp() as idp:
        etdi = etdi_of(idp, tmp_path)
        async with etdi.running([tool]):
            for shown, newest in ((older, False), (tool, True), (older, False)):
                (made,) = (await etdi.listing([shown], newest=newest)).tools
                assert made["_meta"][ETDI_META_KEY]["version"] == "1.0.0"
        assert len(idp.seen) == 2, "each form of the definition has a hash, and a token, of its own"


async def test_no_log_line_holds_a_token(idp_log: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    """R099: the tool's id, and no more of it."""
    async with running_tool_idp() as idp:
        async with Client(server_of(etdi_of(idp, tmp_path))) as client:
            tokens = [block_of(tool)["oauth"]["token"] for tool in (await client.list_tools()).tools]
        assert "read: Tool registered with OAuth, version 1.0.0" in idp_log.text
        assert "say: Tool registered with OAuth, version 2.1.0" in idp_log.text
        assert not [token for token in tokens if token in idp_log.text]
        assert "eyJ" not in idp_log.text


@pytest.fixture
def idp_log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """Everything that any library says."""
    caplog.set_level(logging.DEBUG)
    return caplog


@pytest.mark.parametrize("keep", [True, False])
async def test_a_version_that_is_not_written_down_is_not_shown(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, *, keep: bool
) -> None:
    """A disk that is full: the tools are plain, or not there, and none has a token for a version nobody remembers."""
    tool = {"name": "read", "inputSchema": {"type": "object"}}
    gone = tmp_path / "gone"
    gone.mkdir()
    async with running_tool_idp() as idp:
        etdi = etdi_of(idp, gone, keep_legacy=keep)
        (gone / "key.pem").unlink()
        gone.rmdir()
        async with etdi.running([tool]):
            for _ in range(2):
                found = await etdi.listing([tool], newest=True)
                assert list(found.tools) == ([tool] if keep else [])
        assert idp.seen == []
        assert caplog.text.count("cannot be written") == 1
        gone.mkdir()
        async with etdi.running([tool]):
            (made,) = (await etdi.listing([tool], newest=True)).tools
            assert made["_meta"][ETDI_META_KEY]["version"] == "1.0.0"


async def test_a_definition_that_is_none_is_isolated(tmp_path: Path) -> None:
    """A schema that RFC 8785 cannot write leaves the next tool alone."""
    bad = {"name": "bad", "inputSchema": {"type": "object", "maximum": 2**60}}
    good = {"name": "good", "inputSchema": {"type": "object"}}
    async with running_tool_idp() as idp:
        etdi = etdi_of(idp, tmp_path)
        async with etdi.running():
            found = await etdi.listing([bad, good], newest=True)
    assert [ETDI_META_KEY in tool.get("_meta", {}) for tool in found.tools] == [False, True]


async def test_a_tool_that_nobody_declared_takes_no_id(tmp_path: Path) -> None:
    """Attack: a plug-in named as another tool's id, to be counted as that tool."""
    tools = [{"name": name, "inputSchema": {"type": "object"}} for name in ("a", "x")]
    async with running_tool_idp() as idp:
        etdi = etdi_of(idp, tmp_path)
        etdi.declare("a", declare(["a:b"], tool_id="x"))
        async with etdi.running():
            found = await etdi.listing(tools, newest=True)
    assert [ETDI_META_KEY in tool.get("_meta", {}) for tool in found.tools] == [True, False]


def test_two_tools_do_not_share_an_id(tmp_path: Path) -> None:
    """They would share versions."""
    etdi = etdi_of(ToolIdp(url="http://127.0.0.1:9"), tmp_path)
    etdi.declare("read", declare(["a:b"]))
    etdi.declare("read", declare(["a:b"]))
    with pytest.raises(ConfigInvalid, match="declared twice"):
        etdi.declare("read", declare(["a:c"]))
    with pytest.raises(ConfigInvalid, match="has the id 'read'"):
        etdi.declare("other", declare(tool_id="read"))

"""The file server reads and writes where its permissions say, by real clients, and nowhere else."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.server.auth.provider import AccessToken
from mcp.server.auth.settings import AuthSettings
from mcp_types import TextContent
from pydantic import AnyHttpUrl

from gateway.authoring.errors import ConfigInvalid
from gateway.authoring.servers.filesystem import FilesystemServer, permission_for
from gateway.serving import serving
from tests.authoring.secured import block_of, etdi_of
from tests.support.tool_idp import ToolIdp, running_tool_idp


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder that is served, with its neighbours and traps."""
    root = tmp_path / "data"
    (root / "sub").mkdir(parents=True)
    (tmp_path / "database").mkdir()
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "database/secret.txt").write_text("secret")
    (root / "a.txt").write_text("hello")
    (root / "sub/b.txt").write_text("inner")
    (root / "binary").write_bytes(b"\xff\x00")
    (root / "link.txt").symlink_to(tmp_path / "secret.txt")
    (root / "linked").symlink_to(tmp_path / "database")
    (root / "inside.txt").symlink_to(root / "a.txt")
    os.link(tmp_path / "secret.txt", root / "hard.txt")
    os.mkfifo(root / "pipe")
    return root


@asynccontextmanager
async def served(data: Path, **members: Any) -> AsyncIterator[tuple[FilesystemServer, Client, ToolIdp]]:
    """One client of the server over this folder."""
    async with running_tool_idp() as idp:
        etdi = etdi_of(idp, data.parent)
        server = FilesystemServer(etdi=etdi, **{"read": [data], "write": [data], **members})
        async with Client(server) as client:
            yield server, client, idp


async def said(client: Client, tool: str, **arguments: Any) -> tuple[bool, str]:
    """Whether it is an error, and the text."""
    result = await client.call_tool(tool, arguments)
    return bool(result.is_error), "".join(one.text for one in result.content if isinstance(one, TextContent))


async def test_it_does_its_work(data: Path) -> None:
    """Reads, lists, writes; and says with which permissions."""
    async with served(data) as (_, client, idp):
        assert await said(client, "read_file", path=f"{data}/a.txt") == (False, "hello")
        assert await said(client, "read_file", path=f"{data}/sub/b.txt") == (False, "inner")
        listed = await client.call_tool("list_folder", {"path": f"{data}/sub"})
        assert listed.structured_content == {"result": ["b.txt"]}
        top = await client.call_tool("list_folder", {"path": str(data)})
        assert "sub/" in (top.structured_content or {})["result"]
        assert await said(client, "write_file", path=f"{data}/new.txt", content="é") == (
            False,
            "2 bytes written",
        )
        assert await said(client, "write_file", path=f"{data}/a.txt", content="x") == (
            False,
            "1 bytes written",
        )
        assert (data / "a.txt").read_text() == "x"
        tools = {tool.name: block_of(tool) for tool in (await client.list_tools()).tools}
        assert tools["read_file"]["permissions"] == [f"filesystem:read:{data}"]
        assert tools["write_file"]["permissions"] == [f"filesystem:write:{data}"]
        assert all("signature" in block and "token" in block["oauth"] for block in tools.values())
        assert {seen.members["scope"] for seen in idp.seen} == {
            f"tool:filesystem:read:{data}",
            f"tool:filesystem:write:{data}",
        }


OUTSIDE = [
    "{data}/../secret.txt",
    "{data}/sub/../../secret.txt",
    "{data}/../data/a.txt",
    "{parent}/secret.txt",
    "{parent}/database/secret.txt",
    "{data}base/secret.txt",
    "{data}/link.txt",
    "{data}/linked/secret.txt",
    "{data}/inside.txt",
    "a.txt",
    "",
    "/",
    "/etc/passwd",
    "//etc/passwd",
    "{data}/a.txt\x00.png",
    "{data}/" + "x/" * 200,
    "{data}/" + "x" * 5000,
    "file://{data}/a.txt",
]


@pytest.mark.parametrize("path", OUTSIDE)
async def test_traversal_links_and_siblings_are_refused(path: str, data: Path) -> None:
    """For reading, listing and writing alike, and nothing of what is there is said."""
    path = path.replace("{data}", str(data)).replace("{parent}", str(data.parent))
    before = (data.parent / "secret.txt").read_text()
    async with served(data) as (_, client, _idp):
        for tool, more in (("read_file", {}), ("list_folder", {}), ("write_file", {"content": "x"})):
            wrong, text = await said(client, tool, path=path, **more)
            assert wrong
            assert "outside what this tool may use" in text
            assert "secret" not in text
    assert (data.parent / "secret.txt").read_text() == before


@pytest.mark.parametrize("name", ["pipe", "sub", "binary", "none.txt"])
async def test_what_is_no_ordinary_text_is_refused(name: str, data: Path) -> None:
    """A pipe does not hang the server."""
    async with served(data) as (_, client, _idp):
        assert (await said(client, "read_file", path=f"{data}/{name}"))[0]


async def test_a_second_name_of_another_file_is_not_written_to(data: Path) -> None:
    """Attack: a hard link that was put into the folder leads out of it."""
    async with served(data) as (_, client, _idp):
        wrong, text = await said(client, "write_file", path=f"{data}/hard.txt", content="x")
    assert wrong
    assert "second name" in text
    assert (data.parent / "secret.txt").read_text() == "secret"


async def test_reading_is_no_writing(data: Path) -> None:
    """Folders have their own permission for each."""
    async with served(data, read=[data / "sub"], write=[data]) as (_, client, _idp):
        assert (await said(client, "read_file", path=f"{data}/a.txt"))[0]
        assert not (await said(client, "read_file", path=f"{data}/sub/b.txt"))[0]
        assert not (await said(client, "write_file", path=f"{data}/a.txt", content="x"))[0]


async def test_a_large_file_is_refused(data: Path) -> None:
    """In both directions."""
    (data / "large.txt").write_bytes(b"x" * (1024 * 1024 + 1))
    async with served(data) as (_, client, _idp):
        assert "more than" in (await said(client, "read_file", path=f"{data}/large.txt"))[1]
        wrong, _ = await said(client, "write_file", path=f"{data}/n.txt", content="x" * (1024 * 1024 + 1))
        assert wrong


class Tokens:
    """Callers by their token: what scopes each has."""

    def __init__(self, **scopes: list[str]) -> None:
        self._scopes = scopes

    async def verify_token(self, token: str) -> AccessToken | None:
        """As the SDK asks."""
        found = self._scopes.get(token)
        return None if found is None else AccessToken(token=token, client_id=token, scopes=found)


async def test_a_caller_reaches_what_its_token_grants(data: Path) -> None:
    """R178: scopes of the caller narrow the permissions of the tool, never widen them."""
    tokens = Tokens(
        narrow=[f"tool:filesystem:read:{data}/sub"],
        wide=["tool:filesystem:read:/"],
        other=[f"tool:filesystem:write:{data}", f"tool:filesystem:read:{data}/su", "tool:filesystem:*:/"],
        relative=["tool:filesystem:read:.", "tool:filesystem:read:", "tool:filesystem:read:%2E/"],
    )
    auth = AuthSettings(
        issuer_url=AnyHttpUrl("https://idp.example"),
        resource_server_url=AnyHttpUrl("https://files.example/mcp"),
        validate_token_resource=False,
    )
    async with running_tool_idp() as idp:
        etdi = etdi_of(idp, data.parent)
        server = FilesystemServer(etdi=etdi, read=[data], auth=auth, token_verifier=tokens)
        async with serving(server.streamable_http_app(), lifespan=True) as port:

            async def read(token: str, path: str) -> bool:
                headers = {"Authorization": f"Bearer {token}"}
                async with httpx2.AsyncClient(headers=headers) as http:
                    transport = streamable_http_client(f"http://127.0.0.1:{port}/mcp", http_client=http)
                    async with Client(transport) as client:
                        return not (await said(client, "read_file", path=path))[0]

            assert await read("narrow", f"{data}/sub/b.txt")
            assert not await read("narrow", f"{data}/a.txt")
            assert await read("wide", f"{data}/a.txt")
            assert not await read("wide", f"{data.parent}/secret.txt")
            assert not await read("other", f"{data}/sub/b.txt")
            assert not await read("relative", f"{data}/sub/b.txt")


def test_what_cannot_be_served(data: Path, tmp_path: Path) -> None:
    """No folder, a link, the whole file system, nothing."""
    etdi = etdi_of(ToolIdp(url="http://127.0.0.1:9"), tmp_path)
    for paths in ([], [data / "a.txt"], [data / "linked"], [Path("/")], [data / "none"]):
        with pytest.raises(ConfigInvalid):
            FilesystemServer(etdi=etdi, read=paths)


def test_a_path_with_blanks_is_one_permission() -> None:
    """And no two scopes."""
    assert permission_for("read", Path("/my data/ä")) == "filesystem:read:/my%20data/%C3%A4"

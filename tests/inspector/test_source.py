"""Definitions are read from servers that do their worst, over real sockets and real pipes, and from files."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from gateway.errors import CountersignError
from gateway.inspector.report import report_on
from gateway.inspector.source import Source, Unusable, from_command, from_file, from_url
from gateway.serving import serving
from tests.inspector import hostile_server
from tests.inspector.hostile_server import page
from tests.support.ports import free_port
from tests.support.until import until

SERVER = Path(hostile_server.__file__)
FATAL = ("endless", "deep", "huge", "many", "no_list", "no_tools", "error", "broken")


@asynccontextmanager
async def over_http(mode: str, seen: list[str] | None = None) -> AsyncIterator[str]:
    """The URL of the hostile server."""

    async def answer(request: Request) -> Response:
        if seen is not None:
            seen.append(request.headers.get("authorization", ""))
        message = json.loads(await request.body()) if request.method == "POST" else {}
        request_id = message.get("id")
        if request_id is None:
            return Response(status_code=202 if request.method == "POST" else 405)
        if message["method"] == "initialize":
            about = {
                "protocolVersion": "2025-11-25",
                "capabilities": {"tools": {}},
                "serverInfo": {"name": "h", "version": "1"},
            }
            body = json.dumps({"jsonrpc": "2.0", "id": request_id, "result": about}).encode()
        elif message["method"] == "tools/list":
            body = page(mode, request_id, (message.get("params") or {}).get("cursor"))
        else:
            error = {"code": -32601, "message": "no"}
            body = json.dumps({"jsonrpc": "2.0", "id": request_id, "error": error}).encode()
        return Response(body, media_type="application/json")

    app = Starlette(routes=[Route("/mcp", answer, methods=["GET", "POST", "DELETE"])])
    async with serving(app) as port:
        yield f"http://127.0.0.1:{port}/mcp"


async def by_command(mode: str, *, deadline_s: float = 60.0) -> Source:
    """The same server on its pipes."""
    return await from_command([sys.executable, str(SERVER), mode], environ={}, deadline_s=deadline_s)


async def test_an_honest_server_is_read_over_http() -> None:
    """The control; the token goes to it, and is in no label."""
    seen: list[str] = []
    async with over_http("honest", seen) as url:
        source = await from_url(f"{url}?key=secret", token="t0ken-for-it")
    assert [wire["name"] for wire in source.wires] == ["t"]
    assert source.label == url
    assert set(seen) == {"Bearer t0ken-for-it"}


async def test_an_honest_command_is_read_on_its_pipes() -> None:
    """The control."""
    source = await by_command("honest")
    assert [wire["name"] for wire in source.wires] == ["t"]
    assert source.kind == "stdio"
    assert str(SERVER) not in source.label


@pytest.mark.parametrize("mode", FATAL)
async def test_a_hostile_listing_over_http_is_refused(mode: str) -> None:
    """Never-ending pages, depth, size, number, other shapes: one error, no crash, nothing kept."""
    async with over_http(mode) as url:
        with pytest.raises(CountersignError) as caught:
            await from_url(url, deadline_s=30)
    assert "\x1b" not in caught.value.message


@pytest.mark.parametrize("mode", FATAL)
async def test_a_hostile_listing_on_pipes_is_refused(mode: str) -> None:
    """The same on pipes."""
    # What is longer than a message can be is skipped, so that nothing comes in answer to the question.
    with pytest.raises(CountersignError) as caught:
        await by_command(mode, deadline_s=2 if mode in ("huge", "broken") else 30)
    assert "\x1b" not in caught.value.message


async def test_a_silent_command_is_given_up_and_ended() -> None:
    """It is asked for as long as was said, and then it is gone."""
    with pytest.raises(CountersignError):
        await by_command("silent", deadline_s=0.5)
    await until(lambda: not _running("hostile_server.py silent"))


async def test_escape_sequences_reach_no_report() -> None:
    """Attack: a server that writes on the terminal of whoever inspects it."""
    async with over_http("escape") as url:
        report = await report_on([await from_url(url)])
    said = repr(report)
    assert not any(char in said for char in "\x1b\x07\u202e")
    assert "\\x1b" not in said
    assert "<U+001B>" in said


@pytest.mark.parametrize(
    "url",
    ["http://server.example/mcp", "ftp://127.0.0.1/", "https://user:pass@server.example/", "mcp", ""],
)
async def test_a_url_that_is_none(url: str) -> None:
    """Plain http to another machine, user info, other schemes: nothing is sent, and no password is repeated."""
    with pytest.raises(Unusable) as caught:
        await from_url(url)
    assert "pass@" not in caught.value.message


async def test_a_server_that_is_not_there_is_named() -> None:
    """As it was asked for, without what may be a secret."""
    url = f"http://127.0.0.1:{free_port()}/mcp"
    with pytest.raises(CountersignError) as caught:
        await from_url(f"{url}?key=secret")
    assert caught.value.message == f"The server {url!r} cannot be reached."


async def test_a_server_that_wants_a_token_says_which_option_brings_it() -> None:
    """It is no gateway that lacks a credential."""

    async def closed(scope: Scope, receive: Receive, send: Send) -> None:
        await Response(status_code=401)(scope, receive, send)

    async with serving(closed) as port:
        with pytest.raises(Unusable, match="--token-env"):
            await from_url(f"http://127.0.0.1:{port}/mcp")


async def test_a_command_that_cannot_be_started() -> None:
    """One error."""
    with pytest.raises(CountersignError, match="'at-all' cannot be started"):
        await from_command(["/nowhere/at-all"], environ={})


async def test_a_command_gets_only_the_variables_that_were_named() -> None:
    """Attack: a server that is only looked at reads the secrets of whoever looks."""
    script = (
        "import sys, os, json\n"
        "for line in sys.stdin:\n"
        "    m = json.loads(line)\n"
        "    if 'id' not in m: continue\n"
        "    tool = {'name': 't', 'description': json.dumps(dict(os.environ)), 'inputSchema': {}}\n"
        "    result = {'tools': [tool]} if m['method'] == 'tools/list' else {'protocolVersion': '2025-11-25',\n"
        "        'capabilities': {}, 'serverInfo': {'name': 'h', 'version': '1'}}\n"
        "    answer = {'jsonrpc': '2.0', 'id': m['id']}\n"
        "    ok = m['method'] in ('initialize', 'tools/list')\n"
        "    answer |= {'result': result} if ok else {'error': {'code': -32601, 'message': 'no'}}\n"
        "    print(json.dumps(answer), flush=True)\n"
    )
    source = await from_command(
        [sys.executable, "-c", script],
        environ={"PATH": "/usr/bin", "PAYPAL_CLIENT_SECRET": "s3cret", "MY_KEY": "k"},
        passed={"MY_KEY": "k"},
    )
    environment = json.loads(source.wires[0]["description"])
    assert environment["MY_KEY"] == "k"
    assert "PAYPAL_CLIENT_SECRET" not in environment


TOOL: dict[str, Any] = {"name": "t", "inputSchema": {"type": "object"}}


@pytest.mark.parametrize(
    "document", [[TOOL], {"tools": [TOOL]}, TOOL, {"jsonrpc": "2.0", "result": {"tools": [TOOL]}}]
)
def test_a_file_in_each_shape(tmp_path: Path, document: Any) -> None:
    """A list, a listing, a whole answer, one definition."""
    path = tmp_path / "tools.json"
    path.write_text(json.dumps(document))
    assert from_file(path).wires == (TOOL,)


@pytest.mark.parametrize(
    "content", ["", "{", "7", "{}", '{"tools": 7}', "[1]", "[" * 100_000 + "]" * 100_000, "\xff"]
)
def test_a_file_that_is_none(tmp_path: Path, content: str) -> None:
    """One error that names the file."""
    path = tmp_path / "tools.json"
    path.write_text(content, encoding="latin-1")
    with pytest.raises(Unusable, match=r"tools\.json"):
        from_file(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """One error that names the file."""
    with pytest.raises(Unusable, match=r"none\.json"):
        from_file(tmp_path / "none.json")


def _running(words: str) -> bool:
    for one in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if words.encode() in one.read_bytes().replace(b"\0", b" "):
                return True
        except OSError:
            continue
    return False

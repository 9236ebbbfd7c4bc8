"""The definitions of a server that is to move: asked for over HTTP, from a command's pipes, or read from a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import anyio
import httpx2
import msgspec
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError

from gateway.authoring.errors import ConfigInvalid
from gateway.identity.credentials import Secret
from gateway.identity.endpoints import parse_endpoint

MAX_TOOLS: Final = 10_000
MAX_FILE_BYTES: Final = 32 * 1024 * 1024
DEADLINE_S: Final = 60.0
MAX_WORDS: Final = 200
"""Characters of what went wrong."""


async def from_server(
    server: str | StdioServerParameters, *, token: Secret | None = None
) -> list[dict[str, Any]]:
    """Every page of ``tools/list``. ``token``: a bearer token for a server over HTTP; it goes there and nowhere else.

    :raises ConfigInvalid: no such URL, no answer within a minute, or no MCP server.
    """
    if isinstance(server, str):
        try:
            parse_endpoint(server)
        except ValueError as problem:
            raise ConfigInvalid(f"the server's URL: {problem}") from None
    try:
        with anyio.fail_after(DEADLINE_S):
            if token is None or not isinstance(server, str):
                return await _listed(Client(server))
            headers = {"Authorization": f"Bearer {token.expose().decode('ascii')}"}
            async with httpx2.AsyncClient(headers=headers, follow_redirects=False, trust_env=False) as http:
                return await _listed(Client(streamable_http_client(server, http_client=http)))
    except TimeoutError:
        raise ConfigInvalid(f"the server does not answer within {DEADLINE_S:g} s") from None
    except (OSError, MCPError, RuntimeError, ExceptionGroup) as problem:
        raise ConfigInvalid(f"the server cannot be listed ({_why(problem, token)})") from None


def _why(problem: BaseException, token: Secret | None) -> str:
    """The first of what a task group gathered, in its own words as far as they can be seen: a server wrote them.

    Attack: one that repeats the token that it was shown, for whoever reads this terminal's log.
    """
    while isinstance(problem, BaseExceptionGroup):
        problem = problem.exceptions[0]
    said = "".join(one if one.isprintable() else " " for one in str(problem)[:MAX_WORDS])
    repeated = token is not None and token.expose().decode("ascii") in str(problem)
    return f"{type(problem).__name__}: {said}" if said.strip() and not repeated else type(problem).__name__


async def _listed(opened: Client) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    async with opened as client:
        cursor: str | None = None
        while True:
            page = await client.list_tools(cursor=cursor)
            found += [tool.model_dump(by_alias=True, mode="json", exclude_none=True) for tool in page.tools]
            cursor = page.next_cursor
            if cursor is None or len(found) > MAX_TOOLS:
                return found[:MAX_TOOLS]


def from_file(path: Path) -> list[dict[str, Any]]:
    """A JSON list of definitions, or an object with ``tools`` (as ``tools/list`` answers).

    :raises ConfigInvalid: unreadable, or neither.
    """
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise ConfigInvalid(f"{path.name}: over {MAX_FILE_BYTES} bytes")
        document = msgspec.json.decode(path.read_bytes())
    except OSError as problem:
        raise ConfigInvalid(f"{path.name}: cannot be read: {problem.strerror}") from None
    except (ValueError, RecursionError):
        raise ConfigInvalid(f"{path.name}: is no JSON") from None
    tools = document.get("tools") if isinstance(document, dict) else document
    if not isinstance(tools, list) or not all(isinstance(tool, dict) for tool in tools):
        raise ConfigInvalid(f"{path.name}: holds no list of tool definitions")
    return tools[:MAX_TOOLS]

"""Whose definitions are inspected: a server's over HTTP, a command's on its pipes, or a file's.

Bounded in size and time. Definitions are read raw, as the gateway's own catalog reads them: the SDKs' clients drop
members that they do not know (C16), and what is dropped would not be inspected. Labels never hold a query, user info
or a command's arguments, which may hold secrets.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from gateway.errors import CountersignError, UpstreamUnavailable
from gateway.identity.endpoints import parse_endpoint
from gateway.upstream.credential import StaticBearer
from gateway.upstream.mcp import MAX_LISTED, MAX_PAGES, Mcp
from gateway.upstream.mcp_http import McpHttp
from gateway.upstream.mcp_stdio import McpStdio
from gateway.upstream.stdio_process import Command, child_environment
from gateway.version import VERSION

MAX_BYTES: Final = 32 * 1024 * 1024
"""Of one listing, all pages together, and of one file."""
DEADLINE_S: Final = 60.0
SILENCE_S: Final = 20.0
"""Seconds: for the whole listing, and for one answer of it."""


class Unusable(CountersignError):
    """There is nothing that could be inspected."""

    code = "inspect.unusable"


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """``label`` is for people; ``uri`` is a file's path as it was given, for tools that open it."""

    label: str
    kind: Literal["http", "stdio", "file"]
    wires: tuple[dict[str, Any], ...]
    uri: str | None = None


async def from_url(url: str, *, token: str | None = None, deadline_s: float = DEADLINE_S) -> Source:
    """``token``: a bearer token for that server; it goes there and nowhere else.

    :raises Unusable: no such URL, no answer in time, or no MCP server.
    """
    try:
        endpoint = parse_endpoint(url)
    except ValueError as problem:
        raise Unusable(f"The server's URL: {problem}.") from None
    label = endpoint.origin + endpoint.path
    server = McpHttp(
        label,
        url,
        version=VERSION,
        credential=StaticBearer(token),
        timeout_s=min(SILENCE_S, deadline_s),
        max_connections=2,
        ssl=ssl.create_default_context() if url.lower().startswith("https:") else None,
    )
    return Source(label=label, kind="http", wires=await _listed(server, deadline_s))


async def from_command(
    argv: Sequence[str],
    *,
    environ: Mapping[str, str],
    passed: Mapping[str, str] | None = None,
    deadline_s: float = DEADLINE_S,
) -> Source:
    """``environ``: ours, of which the child gets what names no secret; ``passed`` it gets besides.

    :raises Unusable: it cannot be started, does not answer in time, or is no MCP server.
    """
    command = Command(
        argv=tuple(argv),
        environment=child_environment(environ, passed or {}),
        secrets=tuple((passed or {}).values()),
    )
    label = Path(argv[0]).name
    server = McpStdio(label, command, version=VERSION, timeout_s=min(SILENCE_S, deadline_s))
    return Source(label=label, kind="stdio", wires=await _listed(server, deadline_s))


def from_file(path: Path) -> Source:
    """A JSON list of definitions, an object with ``tools`` (as ``tools/list`` answers), or one definition.

    :raises Unusable: unreadable, or none of these.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as problem:
        raise Unusable(f"{path.name}: cannot be read: {problem.strerror}.") from None
    if len(data) > MAX_BYTES:
        raise Unusable(f"{path.name}: is over {MAX_BYTES} bytes.")
    document = _decoded(data, path.name)
    if isinstance(document, dict) and isinstance(document.get("result"), dict):
        document = document["result"]
    tools: Any = document
    if isinstance(document, dict):
        tools = document.get("tools", [document] if "name" in document else None)
    return Source(label=path.name, kind="file", wires=_definitions(tools, path.name), uri=path.as_posix())


async def _listed(server: Mcp, deadline_s: float) -> tuple[dict[str, Any], ...]:
    try:
        async with asyncio.timeout(deadline_s):
            return await _pages(server)
    except TimeoutError:
        raise Unusable(f"The server does not come to an end within {deadline_s:g} s.") from None
    except UpstreamUnavailable as problem:
        if problem.code != "upstream.unauthorized":
            raise
        raise Unusable("The server wants a bearer token, or another one (--token-env).") from None
    finally:
        await server.aclose()


async def _pages(server: Mcp) -> tuple[dict[str, Any], ...]:
    found: list[dict[str, Any]] = []
    size = 0
    params: dict[str, Any] = {}
    for _ in range(MAX_PAGES):
        reply = await server.request("tools/list", params)
        if reply.result is None:
            raise Unusable("The server answers tools/list with an error.")
        size += memoryview(reply.result).nbytes
        if size > MAX_BYTES:
            raise Unusable(f"The server's listing is over {MAX_BYTES} bytes.")
        page = _decoded(memoryview(reply.result), "The server's listing")
        if not isinstance(page, dict):
            raise Unusable("The server's listing: is no object.")
        found += _definitions(page.get("tools"), "The server's listing")
        if len(found) > MAX_LISTED:
            raise Unusable(f"The server lists more than {MAX_LISTED} tools.")
        cursor = page.get("nextCursor")
        if not isinstance(cursor, str) or not cursor:
            return tuple(found)
        params = {"cursor": cursor}
    raise Unusable(f"The server's listing does not end after {MAX_PAGES} pages.")


def _decoded(data: bytes | memoryview, what: str) -> Any:
    try:
        return msgspec.json.decode(data)
    except RecursionError:
        raise Unusable(f"{what}: is nested too deep.") from None
    except ValueError:
        raise Unusable(f"{what}: is no JSON.") from None


def _definitions(tools: Any, what: str) -> tuple[dict[str, Any], ...]:
    if not isinstance(tools, list) or not all(isinstance(tool, dict) for tool in tools):
        raise Unusable(f"{what}: holds no list of tool definitions.")
    if len(tools) > MAX_LISTED:
        raise Unusable(f"{what}: holds more than {MAX_LISTED} tools.")
    return tuple(tools)

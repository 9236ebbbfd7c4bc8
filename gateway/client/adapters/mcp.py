"""Plain MCP: a session with the gateway, as the standard client, and one that takes the right way by itself.

Works with any object that has ``list_tools`` and ``call_tool`` as the official SDK's ``ClientSession`` and ``Client``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from inspect import Parameter, signature
from typing import Any, Protocol

from gateway.client.secure_tool import ZeroTrustClient
from gateway.client.wrapping import SecureTools, ToolSpec, specs_of

MAX_PAGES = 100
"""Of one list of tools; a server that goes on for ever is not read for ever."""


class Session(Protocol):
    """An open MCP session: the two methods, whatever else they take."""

    @property
    def list_tools(self) -> Callable[..., Awaitable[Any]]:
        """Gives a page of tools."""
        ...

    @property
    def call_tool(self) -> Callable[..., Awaitable[Any]]:
        """Name and arguments -> a tool's result."""
        ...


class StandardClient:
    """``execute_tool`` over an MCP session: the one-step way of ``execute_secure_tool``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def execute_tool(self, tool_name: str, parameters: Mapping[str, Any]) -> Any:
        """The ``CallToolResult``."""
        return await self._session.call_tool(tool_name, dict(parameters))


class SecureSession:
    """The two methods of a session that agents use, with the handshake where the tool's class wants it.

    Results of both ways are ``CallToolResult``. Errors of the handshake are raised.
    """

    def __init__(self, session: Session, zero_trust_client: ZeroTrustClient) -> None:
        self._session = session
        self._secure = SecureTools(StandardClient(session), zero_trust_client)

    async def list_tools(self, **how: Any) -> Any:
        """As the gateway lists them: names and schemas are its own."""
        return await self._session.list_tools(**how)

    async def call_tool(self, name: str, arguments: Mapping[str, Any] | None = None) -> Any:
        """The tool's result."""
        result = await self._secure.call(name, arguments or {})
        if not isinstance(result, Mapping):
            return result
        from mcp.types import CallToolResult

        return CallToolResult.model_validate(result)


async def specs(session: Session) -> tuple[ToolSpec, ...]:
    """All tools of a session, for the other adapters. :raises ValueError: the list does not end."""
    found: list[Any] = []
    how: dict[str, Any] = {}
    for _ in range(MAX_PAGES):
        page = await session.list_tools(**how)
        found.extend(page.tools)
        cursor = getattr(page, "next_cursor", None) or getattr(page, "nextCursor", None)
        if not cursor:
            return specs_of(found)
        how = _from(session, cursor)
    raise ValueError("the server's list of tools does not end")


def _from(session: Session, cursor: str) -> dict[str, Any]:
    """How this kind of session is asked for a further page: the SDK's classes differ."""
    taken = signature(session.list_tools).parameters.values()
    if any(one.name == "cursor" or one.kind is Parameter.VAR_KEYWORD for one in taken):
        return {"cursor": cursor}
    from mcp.types import PaginatedRequestParams

    return {"params": PaginatedRequestParams(cursor=cursor)}

"""Existing tools, each with a handler that takes the secure way: same names, same schemas (R055, conflict C14)."""

from __future__ import annotations

import copy
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Final

import msgspec

from gateway.client.handshake.errors import HandshakeError
from gateway.client.secure_tool import StandardMcpClient, ZeroTrustClient, execute_secure_tool

Call = Callable[[str, Mapping[str, Any]], Awaitable[Any]]
"""Name and parameters -> the tool's result: ``SecureTools(…).call``, or a client's ``execute_with_handshake``."""
NO_PARAMETERS: Final[Mapping[str, Any]] = {"type": "object", "properties": {}}


class ToolSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What a model is told of a tool. ``input_schema`` is passed on as it is: nothing is added to ``required``."""

    name: str
    description: str
    input_schema: dict[str, Any]


class SecureTools:
    """:func:`execute_secure_tool` with its two clients."""

    def __init__(self, standard_mcp_client: StandardMcpClient, zero_trust_client: ZeroTrustClient) -> None:
        self._standard = standard_mcp_client
        self._zero_trust = zero_trust_client

    async def call(self, tool_name: str, parameters: Mapping[str, Any]) -> Any:
        """The tool's result, by the way its class asks for."""
        return await execute_secure_tool(tool_name, parameters, self._standard, self._zero_trust)


def specs_of(tools: Iterable[Any]) -> tuple[ToolSpec, ...]:
    """From MCP definitions: objects of either SDK generation, or their JSON (``inputSchema``).

    :raises ValueError: one has no name, or two have the same.
    """
    made = tuple(_spec(tool) for tool in tools)
    names = [one.name for one in made]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"two tools have the same name: {', '.join(sorted(twice))}")
    return made


def _spec(tool: Any) -> ToolSpec:
    def member(*names: str) -> Any:
        for name in names:
            found = tool.get(name) if isinstance(tool, Mapping) else getattr(tool, name, None)
            if found is not None:
                return found
        return None

    name = member("name")
    if not isinstance(name, str) or not name:
        raise ValueError("a tool has no name")
    schema = member("inputSchema", "input_schema") or NO_PARAMETERS
    return ToolSpec(
        name=name, description=member("description") or "", input_schema=copy.deepcopy(dict(schema))
    )


async def told(call: Call, tool: str, parameters: Mapping[str, Any]) -> Any:
    """The result, or the failure as text for the model.

    Attack: a framework that catches an exception and runs the tool again, and so pays again after an *unknown*
    outcome. What is text already is not run again.
    """
    try:
        return await call(tool, parameters)
    except HandshakeError as problem:
        return problem.message


def told_now(call: Callable[[str, Mapping[str, Any]], Any], tool: str, parameters: Mapping[str, Any]) -> Any:
    """The same without an event loop."""
    try:
        return call(tool, parameters)
    except HandshakeError as problem:
        return problem.message


def text_of(result: Any) -> str:
    """A result for a model that reads text: an MCP result's texts, else JSON."""
    if isinstance(result, str):
        return result
    content = result.get("content") if isinstance(result, Mapping) else getattr(result, "content", None)
    if isinstance(content, list):
        texts = [
            one.get("text") if isinstance(one, Mapping) else getattr(one, "text", None) for one in content
        ]
        found = [text for text in texts if isinstance(text, str)]
        if found and len(found) == len(content):
            return "\n".join(found)
    if hasattr(result, "model_dump_json"):
        return str(result.model_dump_json(by_alias=True, exclude_none=True))
    return msgspec.json.encode(result).decode()

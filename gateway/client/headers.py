"""The HTTP headers that mirror a modern message (2026-07-28/basic/transports/streamable-http). Pure, but for a memory.

An own codec and not the SDK's: importing the SDK takes longer than everything else the bridge does at its start.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Any, Final

from gateway.client.message import Message, members_of, value_of

NAMED_BY: Final = {
    "tools/call": "name",
    "prompts/get": "name",
    "resources/read": "uri",
    "tasks/get": "taskId",
    "tasks/update": "taskId",
    "tasks/cancel": "taskId",
}
MAX_TOOLS: Final = 2_000
"""Tools whose annotations are remembered; a server with more loses only its Mcp-Param headers."""
MAX_DEPTH: Final = 16
"""Nested objects that are searched for annotations."""
_PLAIN = re.compile(r"[\x20-\x7e]*")
_CODED = re.compile(r"=\?base64\?.*\?=")
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,128}")
_MIRRORED = frozenset({"string", "integer", "boolean"})

Path = tuple[str, ...]


def encoded(value: str) -> str:
    """A value as a header can carry it: plain where that survives, else ``=?base64?…?=`` (value encoding)."""
    if _PLAIN.fullmatch(value) and value == value.strip() and not _CODED.fullmatch(value):
        return value
    return f"=?base64?{base64.b64encode(value.encode('utf-8', 'surrogatepass')).decode()}?="


class Mirror:
    """Computes the headers of modern messages; learns ``x-mcp-header`` annotations from the lists that pass."""

    def __init__(self) -> None:
        self._tools: dict[str, dict[Path, str]] = {}

    def headers(self, message: Message) -> dict[str, str]:
        """Headers of a modern message; of an older one: none."""
        protocol = message.protocol
        if protocol is None:
            return {}
        made = {"mcp-protocol-version": encoded(protocol), "mcp-method": encoded(message.method)}
        member = NAMED_BY.get(message.method)
        name = value_of(message.params.get(member)) if member is not None else None
        if isinstance(name, str):
            made["mcp-name"] = encoded(name)
            if message.method == "tools/call":
                made |= self._of_arguments(name, message)
        return made

    def learn(self, result: Mapping[str, Any]) -> None:
        """Remember the annotations of a ``tools/list`` result."""
        tools = result.get("tools")
        for tool in tools if isinstance(tools, list) else ():
            if not isinstance(tool, dict) or not isinstance(tool.get("name"), str):
                continue
            found = _annotated(tool.get("inputSchema"))
            if found and len(self._tools) < MAX_TOOLS:
                self._tools[tool["name"]] = found
            elif not found:
                self._tools.pop(tool["name"], None)

    def _of_arguments(self, tool: str, message: Message) -> dict[str, str]:
        annotated = self._tools.get(tool)
        if not annotated:
            return {}
        made = {}
        for path, header in annotated.items():
            here: Any = members_of(message.params.get("arguments"))
            for step in path[:-1]:
                here = members_of(here.get(step))
            value = value_of(here.get(path[-1]))
            if isinstance(value, bool):
                made[f"mcp-param-{header.lower()}"] = "true" if value else "false"
            elif isinstance(value, str | int | float):
                made[f"mcp-param-{header.lower()}"] = encoded(str(value))
        return made


def _annotated(schema: Any) -> dict[Path, str]:
    """Properties with a usable ``x-mcp-header``, by their path. Two of the same name: the schema is not trusted."""
    found: dict[Path, str] = {}
    waiting: list[tuple[Path, Any]] = [((), schema)]
    while waiting:
        path, node = waiting.pop()
        properties = node.get("properties") if isinstance(node, dict) else None
        if not isinstance(properties, dict) or len(path) >= MAX_DEPTH:
            continue
        for name, inner in properties.items():
            waiting.append(((*path, name), inner))
            header = inner.get("x-mcp-header") if isinstance(inner, dict) else None
            kind = inner.get("type") if isinstance(inner, dict) else None
            if isinstance(header, str) and _TOKEN.fullmatch(header) and kind in _MIRRORED:
                found[(*path, name)] = header
    names = [header.lower() for header in found.values()]
    return found if len(names) == len(set(names)) else {}

"""PydanticAI (``pydantic-ai`` or ``pydantic-ai-slim``)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from gateway.client.wrapping import Call, ToolSpec, told

if TYPE_CHECKING:
    from pydantic_ai import Tool


def tools(specs: Iterable[ToolSpec], call: Call) -> list[Tool[Any]]:
    """One ``Tool`` each. A failure is the tool's answer and no ``ModelRetry``, which would run it again."""
    return [_tool(spec, call) for spec in specs]


def wrapped(existing: Iterable[Tool[Any]], call: Call) -> list[Tool[Any]]:
    """Tools that exist, with another handler."""
    specs = [
        ToolSpec(
            name=tool.name, description=tool.description or "", input_schema=tool.function_schema.json_schema
        )
        for tool in existing
    ]
    return tools(specs, call)


def _tool(spec: ToolSpec, call: Call) -> Tool[Any]:
    from pydantic_ai import Tool

    async def run(**parameters: Any) -> Any:
        return await told(call, spec.name, parameters)

    made: Tool[Any] = Tool.from_schema(
        run, name=spec.name, description=spec.description, json_schema=spec.input_schema
    )
    return made

"""The OpenAI Agents SDK (``openai-agents``)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from gateway.client.handshake.errors import ParametersRefused
from gateway.client.handshake.parameters import read_object
from gateway.client.wrapping import Call, ToolSpec, text_of, told

if TYPE_CHECKING:
    from agents import FunctionTool


def tools(specs: Iterable[ToolSpec], call: Call) -> list[FunctionTool]:
    """One ``FunctionTool`` each. Not in the SDK's strict mode, which would rewrite the schema."""
    return [_tool(spec, call) for spec in specs]


def wrapped(existing: Iterable[FunctionTool], call: Call) -> list[FunctionTool]:
    """Tools that exist, with another handler."""
    specs = [
        ToolSpec(name=tool.name, description=tool.description, input_schema=tool.params_json_schema)
        for tool in existing
    ]
    return tools(specs, call)


def _tool(spec: ToolSpec, call: Call) -> FunctionTool:
    from agents import FunctionTool

    async def run(_: Any, arguments: str) -> str:
        try:
            parameters = read_object(arguments or "{}")
        except ParametersRefused as problem:
            return problem.message
        return text_of(await told(call, spec.name, parameters))

    made: FunctionTool = FunctionTool(
        name=spec.name,
        description=spec.description,
        params_json_schema=spec.input_schema,
        on_invoke_tool=run,
        strict_json_schema=False,
    )
    return made

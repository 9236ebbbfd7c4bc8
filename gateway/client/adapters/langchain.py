"""LangChain and LangGraph (``langchain-core``)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from gateway.client.wrapping import Call, ToolSpec, told, told_now

if TYPE_CHECKING:
    from langchain_core.tools import BaseTool


def tools(
    specs: Iterable[ToolSpec],
    call: Call,
    *,
    blocking: Callable[[str, Mapping[str, Any]], Any] | None = None,
) -> list[BaseTool]:
    """One ``StructuredTool`` each. ``blocking``: the same as ``call`` for ``invoke`` without an event loop.

    What went wrong is the tool's text, and not an exception that a graph may retry.
    """
    return [_tool(spec, call, blocking) for spec in specs]


def wrapped(existing: Iterable[BaseTool], call: Call, **how: Any) -> list[BaseTool]:
    """Tools that exist, with another handler."""
    return tools([_spec_of(tool) for tool in existing], call, **how)


def _spec_of(tool: BaseTool) -> ToolSpec:
    schema = tool.args_schema
    found = schema if isinstance(schema, dict) else tool.get_input_schema().model_json_schema()
    return ToolSpec(name=tool.name, description=tool.description, input_schema=found)


def _tool(spec: ToolSpec, call: Call, blocking: Callable[[str, Mapping[str, Any]], Any] | None) -> BaseTool:
    from langchain_core.tools import StructuredTool

    async def run(**parameters: Any) -> Any:
        return await told(call, spec.name, parameters)

    def run_now(**parameters: Any) -> Any:
        assert blocking is not None  # else there is no such handler
        return told_now(blocking, spec.name, parameters)

    made: BaseTool = StructuredTool(
        name=spec.name,
        description=spec.description,
        args_schema=spec.input_schema,
        coroutine=run,
        func=None if blocking is None else run_now,
    )
    return made

"""CrewAI (``crewai``). Its tools run without an event loop."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from gateway.client.wrapping import ToolSpec, text_of, told_now

if TYPE_CHECKING:
    from crewai.tools import BaseTool

BlockingCall = Callable[[str, Mapping[str, Any]], Any]
"""``SyncHandshakeClient(…).execute_with_handshake``, or ``Background.blocking`` of an async way."""


def tools(specs: Iterable[ToolSpec], call: BlockingCall) -> list[BaseTool]:
    """One ``BaseTool`` each.

    CrewAI runs a tool that raised up to three times: so what went wrong is its text. It also answers a repeated call
    from its cache: not for these, since what was true of an order a minute ago is not what was asked.
    """
    return [_tool(spec, call) for spec in specs]


def wrapped(existing: Iterable[BaseTool], call: BlockingCall) -> list[BaseTool]:
    """Tools that exist, with another handler."""
    specs = [
        ToolSpec(
            name=tool.name,
            # CrewAI rewrites the description to hold name and schema as well; what its author wrote is the end.
            description=tool.description.rpartition("Tool Description: ")[2],
            input_schema=tool.args_schema.model_json_schema(),
        )
        for tool in existing
    ]
    return tools(specs, call)


def _tool(spec: ToolSpec, call: BlockingCall) -> BaseTool:
    from crewai.tools import BaseTool

    class SecureTool(BaseTool):  # type: ignore[misc] # it is not installed where this is checked
        def _run(self, **parameters: Any) -> str:
            return text_of(told_now(call, spec.name, parameters))

    made: BaseTool = SecureTool(
        name=spec.name,
        description=spec.description,
        args_schema=_open_model(spec.name, spec.input_schema),
        cache_function=never,
    )
    return made


def never(_arguments: Any = None, _result: Any = None) -> bool:
    """Whether CrewAI may keep a result."""
    return False


def _open_model(name: str, schema: Mapping[str, Any]) -> Any:
    """CrewAI wants a pydantic class: one that says the schema as it is, and takes every object.

    The gateway checks the arguments by that very schema; a class built from it would say another one.
    """
    from pydantic import BaseModel, ConfigDict

    class Arguments(BaseModel):
        model_config = ConfigDict(extra="allow")

        @classmethod
        def model_json_schema(cls, *_: Any, **__: Any) -> dict[str, Any]:
            """The tool's own."""
            return copy.deepcopy(dict(schema))

    Arguments.__name__ = Arguments.__qualname__ = f"{name}_arguments"
    return Arguments

"""LangChain's tools, as its agents call them."""

import asyncio
from typing import Any

from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool

from gateway.client import Background, HandshakeClient
from gateway.client.adapters.langchain import tools, wrapped
from tests.client.adapters.programs import common


def request() -> dict[str, Any]:
    """A tool call of a model."""
    return {"name": "create_refund", "args": common.PARAMETERS, "id": "1", "type": "tool_call"}


async def called(url: str) -> str:
    """The answer of one call, as a graph gets it."""
    async with HandshakeClient(url, common.SESSION) as client:
        (tool,) = tools(common.SPECS, client.execute_with_handshake)
        return str((await tool.ainvoke(request())).content)


def without_a_loop() -> Any:
    """The answer of ``invoke``."""
    with Background() as background:
        client = HandshakeClient(common.USUAL, common.SESSION)
        call = client.execute_with_handshake
        (tool,) = tools(common.SPECS, call, blocking=background.blocking(call))
        found = tool.invoke(common.PARAMETERS)
        background.run(client.aclose())
        return found


async def nothing(tool: str, parameters: Any) -> None:
    """For tools that are only looked at."""


(made,) = tools(common.SPECS, nothing)
(again,) = wrapped([made], nothing)
assert isinstance(again, BaseTool)
told = convert_to_openai_tool(again)["function"]
common.say(
    name=told["name"],
    description=told["description"],
    # LangChain takes these two names of a schema for a title; the rest is what the model is told.
    schema=again.args_schema,
    told=told["parameters"],
    result=asyncio.run(called(common.USUAL)),
    blocking=without_a_loop(),
    unknown=asyncio.run(called(common.UNKNOWN)),
    refused=asyncio.run(called(common.REFUSES)),
)

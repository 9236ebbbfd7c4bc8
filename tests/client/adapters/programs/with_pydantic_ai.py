"""PydanticAI, with a model that calls the tool once and then repeats what it heard."""

import asyncio
from typing import Any

from pydantic_ai import Agent
from pydantic_ai.messages import ModelResponse, TextPart, ToolCallPart, ToolReturnPart
from pydantic_ai.models.function import FunctionModel

from gateway.client import HandshakeClient
from gateway.client.adapters.pydantic_ai import tools, wrapped
from tests.client.adapters.programs import common

told: list[Any] = []


def model(messages: list[Any], info: Any) -> Any:
    """Calls, then repeats."""
    told.extend(info.function_tools)
    heard = [part for part in messages[-1].parts if isinstance(part, ToolReturnPart)]
    if heard:
        return ModelResponse(parts=[TextPart(heard[-1].model_response_str())])
    return ModelResponse(parts=[ToolCallPart("create_refund", common.PARAMETERS)])


async def run(url: str) -> str:
    """What an agent ends with."""
    async with HandshakeClient(url, common.SESSION) as client:
        made = tools(common.SPECS, client.execute_with_handshake)
        agent = Agent(FunctionModel(model), tools=wrapped(made, client.execute_with_handshake))
        return str((await agent.run("Refund capture C-1.")).output)


result = asyncio.run(run(common.USUAL))
common.say(
    name=told[0].name,
    description=told[0].description,
    schema=told[0].parameters_json_schema,
    result=result,
    unknown=asyncio.run(run(common.UNKNOWN)),
    refused=asyncio.run(run(common.REFUSES)),
)

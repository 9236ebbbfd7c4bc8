"""The OpenAI Agents SDK, with a model that calls the tool once and then repeats what it heard."""

import asyncio
import json
from typing import Any

from agents import Agent, Model, ModelResponse, Runner, Usage, set_tracing_disabled
from openai.types.responses import ResponseFunctionToolCall, ResponseOutputMessage, ResponseOutputText

from gateway.client import HandshakeClient
from gateway.client.adapters.openai_agents import tools, wrapped
from tests.client.adapters.programs import common

set_tracing_disabled(disabled=True)


class Scripted(Model):  # type: ignore[misc] # it is not installed where this is checked
    """Calls, then repeats."""

    async def get_response(self, *arguments: Any, **how: Any) -> Any:
        """The next turn."""
        items = how.get("input", arguments[1] if len(arguments) > 1 else [])
        heard = [one for one in items if isinstance(one, dict) and one.get("type") == "function_call_output"]
        said: Any
        if heard:
            text = ResponseOutputText(type="output_text", text=heard[-1]["output"], annotations=[])
            said = ResponseOutputMessage(
                id="m", type="message", role="assistant", status="completed", content=[text]
            )
        else:
            said = ResponseFunctionToolCall(
                type="function_call",
                name="create_refund",
                call_id="c",
                arguments=json.dumps(common.PARAMETERS),
            )
        return ModelResponse(output=[said], usage=Usage(), response_id=None)

    def stream_response(self, *arguments: Any, **how: Any) -> Any:
        """Not asked for."""
        raise NotImplementedError


async def run(url: str) -> str:
    """What an agent ends with."""
    async with HandshakeClient(url, common.SESSION) as client:
        agent = Agent(
            name="clerk", model=Scripted(), tools=tools(common.SPECS, client.execute_with_handshake)
        )
        return str((await Runner.run(agent, "Refund capture C-1.")).final_output)


async def nothing(tool: str, parameters: Any) -> None:
    """For tools that are only looked at."""


(again,) = wrapped(tools(common.SPECS, nothing), nothing)
common.say(
    name=again.name,
    description=again.description,
    schema=again.params_json_schema,
    result=asyncio.run(run(common.USUAL)),
    unknown=asyncio.run(run(common.UNKNOWN)),
    refused=asyncio.run(run(common.REFUSES)),
    malformed=asyncio.run(again.on_invoke_tool(None, '{"a":1,"a":2}')),
)

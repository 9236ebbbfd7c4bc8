"""CrewAI's tools, as its agents call them: by name through the structured form, with what the model wrote."""

import asyncio
import re
from typing import Any

from crewai.utilities.agent_utils import convert_tools_to_openai_schema

from gateway.client import SyncHandshakeClient
from gateway.client.adapters.crewai import tools, wrapped
from tests.client.adapters.programs import common


def called(url: str) -> str:
    """The answers of a call by each of CrewAI's ways."""
    with SyncHandshakeClient(url, common.SESSION) as client:
        (tool,) = tools(common.SPECS, client.execute_with_handshake)
        structured = tool.to_structured_tool()
        answers = [
            tool.run(**common.PARAMETERS),
            structured.invoke(common.PARAMETERS),
            asyncio.run(structured.ainvoke(common.PARAMETERS)),
        ]
    assert len({re.sub(r"tx-\d+", "tx", answer) for answer in answers}) == 1, answers
    return str(answers[0])


def nothing(tool: str, parameters: Any) -> None:
    """For tools that are only looked at."""


(again,) = wrapped(tools(common.SPECS, nothing), nothing)
# CrewAI would answer the second of two equal calls from its cache, and never ask the gateway.
assert again.cache_function(common.PARAMETERS, "done") is False
told = convert_tools_to_openai_schema([again])[0][0]["function"]
common.say(
    name=told["name"],
    description=told["description"],
    schema=again.args_schema.model_json_schema(),
    told=told["parameters"],
    result=called(common.USUAL),
    unknown=called(common.UNKNOWN),
    refused=called(common.REFUSES),
)

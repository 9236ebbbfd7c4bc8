"""OpenAI Agents SDK: a tool of your own, carried out by the gateway."""

import asyncio
import os

from agents import Agent, function_tool

from gateway.client import HandshakeClient, from_environment
from gateway.client.adapters.openai_agents import wrapped


@function_tool
def create_refund(capture_id: str) -> str:
    """Give the money of a captured payment back."""


async def main() -> None:
    async with HandshakeClient(os.environ["COUNTERSIGN_URL"], from_environment()) as client:
        agent = Agent(name="clerk", tools=wrapped([create_refund], client.execute_with_handshake))
        print(await agent.tools[0].on_invoke_tool(None, '{"capture_id": "C-1"}'))  # or: Runner.run(agent, "…")


asyncio.run(main())

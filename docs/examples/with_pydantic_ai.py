"""PydanticAI: a tool of your own, carried out by the gateway; PydanticAI's test model calls it once."""

import asyncio
import os

from pydantic_ai import Agent, Tool
from pydantic_ai.models.test import TestModel

from gateway.client import HandshakeClient, from_environment
from gateway.client.adapters.pydantic_ai import wrapped


def create_refund(capture_id: str) -> str:
    """Give the money of a captured payment back."""


async def main() -> None:
    async with HandshakeClient(os.environ["COUNTERSIGN_URL"], from_environment()) as client:
        agent = Agent(TestModel(), tools=wrapped([Tool(create_refund)], client.execute_with_handshake))
        print((await agent.run("Refund capture C-1.")).output)


asyncio.run(main())

"""LangChain: a tool of your own, carried out by the gateway. COUNTERSIGN_URL and COUNTERSIGN_TOKEN say where and who."""

import asyncio
import os

from langchain_core.tools import tool

from gateway.client import HandshakeClient, from_environment
from gateway.client.adapters.langchain import wrapped


@tool
def create_refund(capture_id: str) -> str:
    """Give the money of a captured payment back."""


async def main() -> None:
    async with HandshakeClient(os.environ["COUNTERSIGN_URL"], from_environment()) as client:
        tools = wrapped([create_refund], client.execute_with_handshake)  # the same name, the same schema
        print(await tools[0].ainvoke({"capture_id": "C-1"}))  # or: create_agent(model, tools)


asyncio.run(main())

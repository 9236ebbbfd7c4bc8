"""CrewAI: a tool of your own, carried out by the gateway. Its tools run without an event loop, so: the other client."""

import os

from crewai.tools import tool

from gateway.client import SyncHandshakeClient, from_environment
from gateway.client.adapters.crewai import wrapped


@tool("create_refund")
def create_refund(capture_id: str) -> str:
    """Give the money of a captured payment back."""


with SyncHandshakeClient(os.environ["COUNTERSIGN_URL"], from_environment()) as client:
    tools = wrapped([create_refund], client.execute_with_handshake)
    print(tools[0].run(capture_id="C-1"))  # or: Agent(role=…, tools=tools)

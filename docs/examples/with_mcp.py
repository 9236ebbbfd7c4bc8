"""Plain MCP: one session to the gateway. Reads go straight; what moves money takes the two phases."""

import asyncio
import os

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from gateway.client import HandshakeClient, from_environment
from gateway.client.adapters.mcp import SecureSession


async def main() -> None:
    url, token = os.environ["COUNTERSIGN_URL"], from_environment()
    bearer = {"authorization": f"Bearer {token().expose()}"}
    async with (
        httpx2.AsyncClient(headers=bearer) as http,
        Client(streamable_http_client(f"{url}/mcp", http_client=http)) as session,
        HandshakeClient(url, token) as client,
    ):
        secure = SecureSession(session, client)
        print((await secure.call_tool("list_invoices", {})).content[0].text)  # class 4: MCP
        print((await secure.call_tool("create_refund", {"capture_id": "C-1"})).content[0].text)  # class 2: both phases


asyncio.run(main())

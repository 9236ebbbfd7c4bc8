"""Plain MCP: one session to the gateway. Reads go straight; what moves money takes the two phases."""

import asyncio
import os

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from gateway.client import ConfirmationPending, HandshakeClient
from gateway.client.adapters.mcp import SecureSession

REFUND = {"capture_id": "3C679366HH908993F", "amount": {"currency_code": "USD", "value": "1.00"}}


async def main(url: str, token: str) -> None:
    async with (
        httpx2.AsyncClient(headers={"authorization": f"Bearer {token}"}) as http,
        Client(streamable_http_client(f"{url}/mcp", http_client=http)) as session,
        HandshakeClient(url, token) as client,
    ):
        secure = SecureSession(session, client)
        print((await secure.call_tool("list_invoices", {"page": 1, "page_size": 5})).content[0].text)  # class 4: MCP
        try:
            print((await secure.call_tool("create_refund", REFUND)).content[0].text)  # class 2: both phases
        except ConfirmationPending as pending:
            print(pending.message)  # a person confirms there; then make the same call again


asyncio.run(main(os.environ["COUNTERSIGN_URL"], os.environ["COUNTERSIGN_TOKEN"]))

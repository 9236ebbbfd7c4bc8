"""An MCP server on the official SDK that behaves as PayPal's toolkit 1.8.0 does, its hazards included.

It asks no PayPal: ``requests`` are those that the toolkit would send, after its HTTP client has tidied up the URL.
"""

from __future__ import annotations

import json
import posixpath
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import mcp_types as types
from mcp.server.lowlevel import Server

from gateway.serving import serving
from gateway.upstream.guarded import Guarded
from gateway.upstream.mcp_http import McpHttp
from gateway.upstream.paypal.definitions import TOOLS

NEWER = ("update_product", "update_plan", "update_shipment_tracking", "get_merchant_insights")
NO_RESPONSE = {"ok": False, "code": "PAYPAL_API_NO_RESPONSE", "message": "socket hang up"}


def http_error(status: int) -> dict[str, Any]:
    """How it reports PayPal's answer with this status."""
    message = "The requested action could not be performed."
    return {"ok": False, "status": status, "code": "PAYPAL_API_HTTP_ERROR", "message": message}


class ToolkitServer:
    """``answer`` is the document that every call answers with."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.bodies: list[dict[str, Any]] = []
        self.answer: Any = {"id": "X-1"}
        self.url = ""

    def server(self) -> Server[Any]:
        """The SDK's server over it."""
        return Server("paypal", version="1.8.0", on_list_tools=self._list, on_call_tool=self._call)

    async def _list(self, ctx: Any, params: Any) -> types.ListToolsResult:
        """No annotations, and schemas that let nested objects through."""
        schema: dict[str, Any] = {"type": "object"}
        names = (*TOOLS, *NEWER)
        return types.ListToolsResult(tools=[types.Tool(name=one, input_schema=schema) for one in names])

    async def _call(self, ctx: Any, params: Any) -> types.CallToolResult:
        arguments = params.arguments or {}
        self.bodies.append(arguments)
        self.requests += _requests(params.name, arguments)
        text = types.TextContent(type="text", text=json.dumps(self.answer))
        return types.CallToolResult(content=[text], is_error=False)


def _requests(tool: str, given: dict[str, Any]) -> list[str]:
    match tool:
        case "create_invoice":
            return ["POST /v2/invoicing/invoices", "POST /v2/invoicing/invoices/X-1/send"]
        case "accept_dispute_claim":
            path = f"/v1/customer/disputes/{given['dispute_id']}/accept-claim"
            return ["POST " + posixpath.normpath(path.partition("?")[0])]
        case "list_subscription_plans":
            return [f"GET /v1/billing/plans?product_id={given.get('product_id', '')}"]
        case "list_transactions" if "transaction_id" in given:
            return ["GET /v1/reporting/transactions"] * int(given.get("search_months", 12))
        case "create_order":
            total = sum(one["itemCost"] * one.get("quantity", 1) for one in given["items"])
            return [f"POST /v2/checkout/orders {total:.2f}"]
    return [f"{tool} at PayPal"]


@asynccontextmanager
async def running_toolkit() -> AsyncIterator[tuple[ToolkitServer, Guarded]]:
    """The server on a socket, and the upstream that reaches it with nothing in between."""
    toolkit = ToolkitServer()
    async with serving(toolkit.server().streamable_http_app(), lifespan=True) as port:
        toolkit.url = f"http://127.0.0.1:{port}/mcp"
        bare = McpHttp("pp", toolkit.url, version="0", timeout_s=20)
        upstream = Guarded(bare, max_concurrency=8, max_queue=8)
        try:
            yield toolkit, upstream
        finally:
            await upstream.aclose()

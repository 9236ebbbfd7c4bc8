"""A cheap MCP upstream; `python -m tests.bench.upstream --fd N` serves an inherited listening socket.

A bare asyncio.Protocol on httptools, so that the upstream is never the bottleneck (about 20 us per call).
Stateless, JSON only, both eras: initialize, server/discover, ping, tools/list (28 tools, PayPal's names),
tools/call. It checks nothing but the tool's name, and it is no example of a safe server.
"""

from __future__ import annotations

import argparse
import asyncio
import socket
from typing import Any, cast

import httptools
import msgspec
import uvloop

from tests.bench.workload import LEGACY_VERSION, MODERN_VERSION

TOOL_NAMES = frozenset(
    {
        "accept_dispute_claim",
        "cancel_sent_invoice",
        "cancel_subscription",
        "create_invoice",
        "create_order",
        "create_product",
        "create_refund",
        "create_shipment_tracking",
        "create_subscription",
        "create_subscription_plan",
        "generate_invoice_qr_code",
        "get_dispute",
        "get_invoice",
        "get_order",
        "get_refund",
        "get_shipment_tracking",
        "list_disputes",
        "list_invoices",
        "list_products",
        "list_subscription_plans",
        "list_transactions",
        "pay_order",
        "send_invoice",
        "send_invoice_reminder",
        "show_product_details",
        "show_subscription_details",
        "show_subscription_plan_details",
        "update_subscription",
    }
)

SERVER_INFO = {"name": "bench-upstream", "version": "1.0.0"}
_STAMP = {"_meta": {"io.modelcontextprotocol/serverInfo": SERVER_INFO}}
_MODERN_HEAD = b'"resultType":"complete","_meta":' + msgspec.json.encode(_STAMP["_meta"]) + b","


class _Params(msgspec.Struct):
    name: str = ""
    arguments: dict[str, Any] = {}


class _Request(msgspec.Struct):
    method: str
    id: int | str | None = None
    params: _Params | None = None


def tool_definition(name: str) -> dict[str, Any]:
    """One tool as listed: a closed schema with the three arguments that the load sends."""
    return {
        "name": name,
        "description": f"{name.replace('_', ' ').capitalize()}.",
        "inputSchema": {
            "type": "object",
            "properties": {
                "disputed_transaction_id": {"type": "string", "pattern": "^[A-Za-z0-9_-]{12,255}$"},
                "dispute_state": {"type": "string", "enum": ["REQUIRED_ACTION", "UNDER_PAYPAL_REVIEW"]},
                "page_size": {"type": "integer", "minimum": 1, "maximum": 50},
            },
            "additionalProperties": False,
        },
        "annotations": {"readOnlyHint": name.startswith(("get_", "list_", "show_"))},
    }


def dispute_text(transaction: str) -> str:
    """What the tool says, as JSON text: one dispute of the asked transaction, about 560 bytes."""
    dispute = {
        "dispute_id": "PP-D-27803",
        "create_time": "2026-10-11T04:05:15.000Z",
        "update_time": "2026-10-21T04:19:08.000Z",
        "disputed_transactions": [{"seller_transaction_id": transaction, "seller": {"merchant_id": "5DUR"}}],
        "reason": "MERCHANDISE_OR_SERVICE_NOT_RECEIVED",
        "status": "WAITING_FOR_SELLER_RESPONSE",
        "dispute_state": "REQUIRED_ACTION",
        "dispute_amount": {"currency_code": "USD", "value": "96.00"},
        "dispute_life_cycle_stage": "INQUIRY",
        "dispute_channel": "INTERNAL",
        "seller_response_due_date": "2026-11-01T04:05:15.000Z",
    }
    return msgspec.json.encode({"items": [dispute], "page": 1, "total_items": 1}).decode()


_BEFORE, _AFTER = (
    msgspec.json.encode(part)[1:-1] for part in dispute_text("<here>").split("<here>", maxsplit=1)
)


def fixed_result(method: str, *, modern: bool) -> dict[str, Any] | None:
    """The result of every method that answers the same each time; None for a method that is not served."""
    results: dict[str, dict[str, Any]] = {
        "initialize": {
            "protocolVersion": LEGACY_VERSION,
            "capabilities": {"tools": {}},
            "serverInfo": SERVER_INFO,
        },
        "server/discover": {
            "supportedVersions": [MODERN_VERSION, LEGACY_VERSION],
            "capabilities": {"tools": {}},
            "ttlMs": 60_000,
            "cacheScope": "public",
        },
        "ping": {},
        "tools/list": {"tools": [tool_definition(name) for name in sorted(TOOL_NAMES)]},
    }
    result = results.get(method)
    if result is not None and modern:
        hints = {"ttlMs": 60_000, "cacheScope": "public"} if method == "tools/list" else {}
        return {"resultType": "complete", **result, **hints, **_STAMP}
    return result


def answer(body: bytes, *, modern: bool) -> tuple[int, bytes]:
    """HTTP status and JSON body for one POST; the body is empty for a notification."""
    try:
        request = msgspec.json.decode(body, type=_Request)
    except msgspec.DecodeError as broken:
        return 400, _error(None, -32700, str(broken))
    if request.id is None:
        return 202, b""
    number = msgspec.json.encode(request.id)
    if request.method == "tools/call":
        if request.params is None or request.params.name not in TOOL_NAMES:
            return 200, _error(request.id, -32602, "unknown tool")
        asked = str(request.params.arguments.get("disputed_transaction_id", ""))
        return 200, b'{"jsonrpc":"2.0","id":%b,"result":{%b"content":[{"type":"text","text":"%b%b%b"}]}}' % (
            number,
            _MODERN_HEAD if modern else b"",
            _BEFORE,
            msgspec.json.encode(msgspec.json.encode(asked).decode()[1:-1])[1:-1],
            _AFTER,
        )
    result = fixed_result(request.method, modern=modern)
    if result is None:
        return 404 if modern else 200, _error(request.id, -32601, "method not served")
    return 200, msgspec.json.encode({"jsonrpc": "2.0", "id": request.id, "result": result})


def _error(request_id: int | str | None, code: int, message: str) -> bytes:
    return msgspec.json.encode(
        {"jsonrpc": "2.0", "id": request_id, "error": {"code": code, "message": message}}
    )


class UpstreamProtocol(asyncio.Protocol):
    """One connection; requests are answered in order, as they come."""

    def __init__(self) -> None:
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._body: list[bytes] = []
        self._modern = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio: connected."""
        # uvloop's transports are no subclasses of asyncio's: an isinstance check would fail.
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """asyncio: bytes have arrived."""
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            assert self._transport is not None
            self._transport.abort()

    def on_message_begin(self) -> None:
        """httptools: a request begins."""
        self._body, self._modern = [], False

    def on_header(self, name: bytes, value: bytes) -> None:
        """httptools: one header."""
        if name.lower() == b"mcp-protocol-version":
            self._modern = value == MODERN_VERSION.encode()

    def on_body(self, body: bytes) -> None:
        """httptools: a piece of the body."""
        self._body.append(body)

    def on_message_complete(self) -> None:
        """httptools: the request is whole; GET (the legacy stream) and DELETE are not served."""
        assert self._transport is not None
        if self._parser.get_method() == b"POST":
            status, body = answer(b"".join(self._body), modern=self._modern)
        else:
            status, body = 405, b""
        self._transport.write(
            b"HTTP/1.1 %d .\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b"
            % (status, len(body), body)
        )


async def serve(listener: socket.socket) -> None:
    """Serve an already listening socket until the process is ended."""
    server = await asyncio.get_running_loop().create_server(UpstreamProtocol, sock=listener)
    await server.serve_forever()


def main() -> None:
    """Command line of the upstream process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fd", type=int, required=True, help="an inherited listening socket")
    uvloop.run(serve(socket.socket(fileno=parser.parse_args().fd)))


if __name__ == "__main__":
    main()

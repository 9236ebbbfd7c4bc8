"""The MCP side: both eras, protocol errors, notifications."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.upstream.paypal.definitions import TOOLS
from gateway.upstream.paypal.server import LEGACY_VERSIONS, SERVER_INFO_META_KEY, VERSION_META_KEY
from tests.upstream.paypal.conversation import ARGUMENTS, Conversation


@pytest.mark.parametrize("version", LEGACY_VERSIONS)
async def test_greets_every_legacy_version_in_kind(paypal: Conversation, version: str) -> None:
    """initialize answers with the version that was asked for."""
    result = (await paypal.ask("initialize", {"protocolVersion": version}))["result"]
    assert result["protocolVersion"] == version
    assert result["capabilities"] == {"tools": {}}
    assert result["serverInfo"]["name"] == "countersign-paypal"


@pytest.mark.parametrize("version", ["2026-07-28", "1999-01-01", None, 7])
async def test_offers_its_newest_legacy_version_otherwise(paypal: Conversation, version: object) -> None:
    """A version that has no handshake, or does not exist, is answered with the newest that has one."""
    result = (await paypal.ask("initialize", {"protocolVersion": version}))["result"]
    assert result["protocolVersion"] == "2025-11-25"


async def test_pings(paypal: Conversation) -> None:
    """ping has an empty result in the legacy era."""
    assert (await paypal.ask("ping"))["result"] == {}


async def test_lists_the_same_tools_in_the_same_order(paypal: Conversation) -> None:
    """Two listings are equal, and equal to the definitions."""
    first = (await paypal.ask("tools/list"))["result"]
    assert first == {"tools": [tool.wire for tool in TOOLS.values()]}
    assert (await paypal.ask("tools/list"))["result"] == first


async def test_is_discovered_in_the_modern_era(paypal: Conversation) -> None:
    """server/discover says versions, capabilities and how long that holds."""
    result = (await paypal.ask_modern("server/discover"))["result"]
    assert result["supportedVersions"][0] == "2026-07-28"
    assert (result["resultType"], result["cacheScope"]) == ("complete", "public")
    assert result["ttlMs"] > 0
    assert result["_meta"][SERVER_INFO_META_KEY]["name"] == "countersign-paypal"


async def test_stamps_modern_results(paypal: Conversation) -> None:
    """Lists and calls carry resultType and the server, and keep what the call says about PayPal."""
    listing = (await paypal.ask_modern("tools/list"))["result"]
    assert (listing["resultType"], listing["cacheScope"], len(listing["tools"])) == ("complete", "public", 28)
    called = (
        await paypal.ask_modern("tools/call", {"name": "get_order", "arguments": ARGUMENTS["get_order"]})
    )["result"]
    assert called["resultType"] == "complete"
    assert set(called["_meta"]) == {SERVER_INFO_META_KEY, "dev.countersign/upstream"}


@pytest.mark.parametrize("method", ["initialize", "ping", "resources/list", "nonsense"])
async def test_knows_no_legacy_method_in_the_modern_era(paypal: Conversation, method: str) -> None:
    """2026-07-28 removed the handshake and ping."""
    assert (await paypal.ask_modern(method))["error"]["code"] == -32601


@pytest.mark.parametrize("method", ["server/discover", "resources/list", "tools/delete", "", "TOOLS/LIST"])
async def test_refuses_unknown_methods(paypal: Conversation, method: str) -> None:
    """-32601, also for a modern method without the modern mark."""
    assert (await paypal.ask(method))["error"]["code"] == -32601


async def test_refuses_a_protocol_version_it_does_not_speak(paypal: Conversation) -> None:
    """-32022 with the versions that would do."""
    error = (await paypal.ask("tools/list", {"_meta": {VERSION_META_KEY: "2030-01-01"}}))["error"]
    assert error["code"] == -32022
    assert error["data"]["supported"] == ["2026-07-28"]


@pytest.mark.parametrize(
    "params",
    [
        {"name": "update_product"},
        {"name": "get_merchant_insights", "arguments": {}},
        {"name": "Create_Refund"},
        {"name": None},
        {"name": ["get_order"]},
        {},
        {"name": "get_order", "arguments": []},
        {"name": "get_order", "arguments": None},
    ],
)
async def test_refuses_unknown_tools_and_misshapen_calls(
    paypal: Conversation, params: dict[str, Any]
) -> None:
    """-32602, nothing sent."""
    assert (await paypal.ask("tools/call", params))["error"]["code"] == -32602
    assert paypal.simulator.calls == []


async def test_refuses_a_cursor(paypal: Conversation) -> None:
    """The list has one page and never issued a cursor."""
    assert (await paypal.ask("tools/list", {"cursor": "2"}))["error"]["code"] == -32602


@pytest.mark.parametrize(
    "message",
    [
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "method": "tools/call", "params": {"name": "get_order"}},
        {"jsonrpc": "2.0", "id": 1, "result": {}},
        {"jsonrpc": "2.0", "id": 1, "error": {"code": 1, "message": "x"}},
    ],
)
async def test_does_not_answer_notifications_and_responses(
    paypal: Conversation, message: dict[str, Any]
) -> None:
    """No answer, and no effect: a call whose outcome nobody would learn is not made."""
    assert await paypal.server.handle(message) is None
    assert paypal.simulator.calls == []


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"jsonrpc": "2.0", "id": None, "method": "ping"},
        {"jsonrpc": "2.0", "id": True, "method": "ping"},
        {"jsonrpc": "2.0", "id": 1.5, "method": "ping"},
        {"jsonrpc": "1.0", "id": 1, "method": "ping"},
        {"jsonrpc": "2.0", "id": 1},
        {"jsonrpc": "2.0", "id": 1, "method": 5},
    ],
)
async def test_refuses_what_is_no_request(paypal: Conversation, message: dict[str, Any]) -> None:
    """-32600 for anything that is not JSON-RPC 2.0."""
    response = await paypal.server.handle(message)
    assert response is not None
    assert response["error"]["code"] == -32600


async def test_refuses_params_that_are_no_object(paypal: Conversation) -> None:
    """MCP has no positional parameters."""
    response = await paypal.server.handle({"jsonrpc": "2.0", "id": "a", "method": "ping", "params": [1]})
    assert response is not None
    assert (response["id"], response["error"]["code"]) == ("a", -32602)

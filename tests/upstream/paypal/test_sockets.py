"""Over real TCP, with uvicorn: cut connections, silence, and nobody there."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from gateway.upstream.paypal.client import Limits, connect
from gateway.upstream.paypal.server import PayPalServer
from gateway.upstream.paypal.simulator import PayPalSimulator, seeds, serve_simulator
from gateway.upstream.target import TRANSACTION_META_KEY
from tests.upstream.paypal.conversation import ARGUMENTS, CREDENTIALS, outcome, upstream


@pytest.fixture
async def simulator() -> PayPalSimulator:
    """The simulator that is served."""
    return PayPalSimulator()


@pytest.fixture
async def base_url(simulator: PayPalSimulator) -> AsyncIterator[str]:
    """Where it listens."""
    started: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(serve_simulator(port=0, simulator=simulator, started=started))
    yield f"http://127.0.0.1:{await started}"
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)


async def refund(base_url: str, **limits: Any) -> dict[str, Any]:
    """One refund over TCP by a server of its own."""
    server = PayPalServer(connect(base_url, credentials=lambda: CREDENTIALS, limits=Limits(**limits)))
    params = {
        "name": "create_refund",
        "arguments": ARGUMENTS["create_refund"],
        "_meta": {TRANSACTION_META_KEY: "tx-1"},
    }
    response = await server.handle({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params})
    await server.aclose()
    assert response is not None
    result: dict[str, Any] = response["result"]
    return result


async def fault(base_url: str, **fault: Any) -> None:
    """Set a fault as the demo does, over HTTP."""
    async with httpx.AsyncClient() as http:
        answer = await http.post(f"{base_url}/_simulator/faults", json=fault)
        assert answer.status_code == 204, answer.text


async def test_refunds_over_tcp(base_url: str, simulator: PayPalSimulator) -> None:
    """The whole way, with nothing replaced but PayPal."""
    assert outcome(await refund(base_url)) == "executed"
    assert len(simulator.ledger.refunds) == 1


async def test_loses_the_reply_and_finds_it_again(base_url: str, simulator: PayPalSimulator) -> None:
    """The connection is cut after the money moved: unknown; the same transaction then shows the one refund."""
    await fault(base_url, kind="drop_after_effect", match={"method": "POST", "path": ".*/refund"})
    lost = await refund(base_url)
    assert (outcome(lost), upstream(lost)["status"]) == ("unknown", None)
    assert len(simulator.ledger.refunds) == 1
    assert outcome(await refund(base_url)) == "executed"
    assert len(simulator.ledger.refunds) == 1


async def test_cuts_the_connection_without_a_byte(base_url: str) -> None:
    """The simulator's cut is a real one: no status line, no body."""
    await fault(base_url, kind="drop_after_effect", match={"path": "/v2/.*"})
    async with httpx.AsyncClient() as http:
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            await http.get(f"{base_url}/v2/checkout/orders/{seeds.COMPLETED_ORDER}")


@pytest.mark.parametrize("limits", [{"read": 0.2}, {"whole": 0.2}])
async def test_stops_waiting_and_says_unknown(
    base_url: str, simulator: PayPalSimulator, limits: dict[str, float]
) -> None:
    """Silence after a write is unknown, by either deadline; the refund exists all the same."""
    await fault(base_url, kind="delay", seconds=30.0, match={"path": ".*/refund"})
    assert outcome(await refund(base_url, **limits)) == "unknown"
    assert len(simulator.ledger.refunds) == 1


async def test_is_refused_where_nobody_listens() -> None:
    """Nothing could be sent: a definite no."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        result = await refund(f"http://127.0.0.1:{reserved.getsockname()[1]}")
    assert outcome(result) == "refused"
    assert result["structuredContent"]["error"]["name"] == "TOKEN_UNAVAILABLE"


async def test_serves_loopback_only() -> None:
    """The controls ask for no password, so no other host may reach them."""
    with pytest.raises(ValueError, match="loopback"):
        await serve_simulator("0.0.0.0", 0)

"""Attack: the answer to an execution is lost on the way, and whoever reads "it failed" pays a second time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import Response

from gateway.client import HandshakeClient, OutcomeUnknown
from gateway.client.wrapping import told
from tests.support.calls import invoice
from tests.support.handshake_service import HandshakeService, Posted, handshake_service
from tests.support.house import AGENT_TOKEN, House, running_house

INVOICED = ["POST /v2/invoicing/invoices"]
CARRIED = ("content-type", "x-ephemeral-token")


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A gateway with the two posts."""
    async with running_house(tmp_path) as running:
        yield running


@pytest.fixture
async def proxy(house: House) -> AsyncIterator[HandshakeService]:
    """Something on the way that carries both phases to the gateway, and says 502 to the second one afterwards."""

    async def carry(posted: Posted) -> Response:
        headers = {name: posted.headers[name] for name in CARRIED if name in posted.headers}
        answer = await house.http.post(posted.path, content=posted.raw, headers=headers)
        lost = posted.path == "/execute"
        return Response(b"Bad Gateway", 502) if lost else Response(answer.content, answer.status_code)

    async with handshake_service(answer=carry) as service:
        yield service


async def test_a_lost_answer_is_said_to_be_unknown_and_the_money_moved_once(
    house: House, proxy: HandshakeService
) -> None:
    """The library does not repeat it, and its error says that nobody should."""
    async with HandshakeClient(proxy.url, AGENT_TOKEN) as client:
        with pytest.raises(OutcomeUnknown, match="Do not repeat"):
            await client.execute_with_handshake("create_invoice", invoice("lost"))
    assert house.paypal_writes == INVOICED
    assert len(proxy.posts("/execute")) == 1


async def test_a_framework_that_retries_what_raised_has_nothing_to_retry(
    house: House, proxy: HandshakeService
) -> None:
    """A loop as agent frameworks have it: three tries for a tool that raised. The adapters' tools do not raise."""
    async with HandshakeClient(proxy.url, AGENT_TOKEN) as client:

        async def tool(parameters: Mapping[str, Any]) -> Any:
            return await told(client.execute_with_handshake, "create_invoice", parameters)

        answer = await with_three_tries(tool, invoice("retried"))
    assert "Do not repeat" in answer
    assert house.paypal_writes == INVOICED


async def test_the_loop_would_have_paid_three_times(house: House, proxy: HandshakeService) -> None:
    """Without the adapter: what the test above is there to prevent really happens."""
    async with HandshakeClient(proxy.url, AGENT_TOKEN) as client:

        async def tool(parameters: Mapping[str, Any]) -> Any:
            return await client.execute_with_handshake("create_invoice", parameters)

        await with_three_tries(tool, invoice("bare"))
    assert house.paypal_writes == INVOICED * 3


async def with_three_tries(tool: Any, parameters: Mapping[str, Any]) -> str:
    """As CrewAI runs a tool."""
    said = ""
    for _ in range(3):
        try:
            return str(await tool(parameters))
        except Exception as problem:  # noqa: BLE001 - as the framework does
            said = str(problem)
    return said

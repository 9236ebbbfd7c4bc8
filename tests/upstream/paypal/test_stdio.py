"""The server alone on a pipe: a real MCP client, and what a broken one sends."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any, Literal

import msgspec
import pytest
from mcp import Client, StdioServerParameters

from gateway.upstream.paypal.simulator import seeds
from gateway.upstream.paypal.stdio import MAX_LINE, serve_stdio
from gateway.upstream.target import OUTCOME_META_KEY, TRANSACTION_META_KEY
from tests.upstream.paypal.conversation import Conversation

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(("mode", "version"), [("auto", "2026-07-28"), ("legacy", "2025-11-25")])
async def test_serves_a_real_mcp_client(mode: Literal["auto", "legacy"], version: str) -> None:
    """The official client lists 28 tools and refunds, in either era."""
    program = StdioServerParameters(
        command=sys.executable, args=["-m", "tests.upstream.paypal.stdio_server"], cwd=str(ROOT)
    )
    async with Client(program, mode=mode) as client:
        assert client.protocol_version == version
        tools = (await client.list_tools()).tools
        assert len(tools) == 28
        meta: Any = {TRANSACTION_META_KEY: "tx-stdio"}
        refund = {"capture_id": seeds.CAPTURE, "amount": {"currency_code": "USD", "value": "12.00"}}
        result = await client.call_tool("create_refund", refund, meta=meta)
        assert result.is_error is False
        assert result.structured_content is not None
        assert result.structured_content["amount"]["value"] == "12.00"
        assert result.meta is not None
        assert result.meta[OUTCOME_META_KEY]["request_id"] == "tx-stdio"
        refused = await client.call_tool("create_refund", {"capture_id": "../x"})
        assert refused.is_error is True


async def said(*lines: bytes) -> list[dict[str, Any]]:
    """What the server writes for these lines, in the order it was written."""
    paypal, stdout = Conversation(), io.BytesIO()
    await serve_stdio(paypal.server, io.BytesIO(b"".join(lines)), stdout)
    await paypal.aclose()
    written = stdout.getvalue()
    assert written == b"" or written.endswith(b"\n")
    return [msgspec.json.decode(line) for line in written.splitlines()]


PING = b'{"jsonrpc":"2.0","id":5,"method":"ping"}\n'


@pytest.mark.parametrize("line", [b"{\n", b"\xff\xfe\n", b'{"a":NaN}\n', b'"\xed\xa0\x80"\n'])
async def test_answers_a_line_that_is_no_json(line: bytes) -> None:
    """-32700 with id null, and the next line is served."""
    answers = {answer["id"]: answer for answer in await said(line, PING)}
    assert answers[None]["error"]["code"] == -32700
    assert answers[5]["result"] == {}


async def test_refuses_lines_without_end_and_goes_on() -> None:
    """A line over the bound is skipped to its end, whatever is in it."""
    long = b'{"jsonrpc":"2.0","id":4,"method":"ping","params":{"x":"' + b"x" * (2 * MAX_LINE) + b'"}}\n'
    answers = await said(long, PING)
    assert sorted(str(answer["id"]) for answer in answers) == ["5", "None"]


async def test_refuses_a_batch() -> None:
    """Batches left MCP with 2025-06-18; one line is one message."""
    (answer,) = await said(b"[" + PING.strip() + b"]\n")
    assert answer["error"]["code"] == -32600


async def test_is_silent_on_notifications_and_empty_lines() -> None:
    """Nothing is written that nobody asked for; a last line without an end counts."""
    assert await said(b"\n", b'{"jsonrpc":"2.0","method":"notifications/initialized"}\n') == []
    assert [answer["id"] for answer in await said(PING.strip())] == [5]


class _Broken:
    async def handle(self, message: dict[str, object]) -> dict[str, object] | None:
        raise RuntimeError(f"a secret in {message}")


async def test_survives_a_fault_inside() -> None:
    """A broken call is answered with -32603 and no detail; the next is served."""
    stdout = io.BytesIO()
    await serve_stdio(_Broken(), io.BytesIO(PING + PING), stdout)
    answers = [msgspec.json.decode(line) for line in stdout.getvalue().splitlines()]
    assert [answer["error"] for answer in answers] == [{"code": -32603, "message": "Internal error."}] * 2

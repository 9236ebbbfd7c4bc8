"""The base of the reference servers: limited, recorded, signed."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from mcp.client import Client

from gateway.authoring.errors import ConfigInvalid
from gateway.authoring.servers.guarded import GuardedServer
from tests.authoring.secured import etdi_of
from tests.support.clock import ManualClock
from tests.support.tool_idp import ToolIdp, running_tool_idp


async def test_a_burst_is_cut_off_and_let_in_again(tmp_path: Path) -> None:
    """R179: three at once, then one each second; the tool does not run for those beyond."""
    clock, ran = ManualClock(), []
    async with running_tool_idp() as idp:
        server = GuardedServer(
            "limited", etdi=etdi_of(idp, tmp_path), per_minute=60, burst=3, monotonic=clock
        )
        server.tool(name="run")(lambda: ran.append(1))
        async with Client(server) as client:
            results = [await client.call_tool("run", {}) for _ in range(10)]
            assert [bool(one.is_error) for one in results] == [False] * 3 + [True] * 7
            assert "Too many calls; try again in 1 s." in str(results[-1].content)
            assert len(ran) == 3
            clock.advance(1)
            assert not (await client.call_tool("run", {})).is_error


async def test_the_record_has_names_and_no_arguments(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """What a call carries is nobody's to read in a log."""
    caplog.set_level(logging.INFO, "countersign.authoring.security")
    async with running_tool_idp() as idp:
        server = GuardedServer("quiet", etdi=etdi_of(idp, tmp_path))

        @server.tool()
        def fail(text: str) -> str:
            raise RuntimeError(text)

        server.tool(name="say")(lambda text: text)
        async with Client(server) as client:
            await client.call_tool("say", {"text": "private-words"})
            await client.call_tool("fail", {"text": "private-words"})
    lines = [line.getMessage() for line in caplog.records if line.name == "countersign.authoring.security"]
    assert lines == [
        "called tool='say' caller='anyone'",
        "refused tool='fail' caller='anyone' reason=UnexpectedToolError",
    ]


def test_a_guarded_server_signs(tmp_path: Path) -> None:
    """And has a limit."""
    idp = ToolIdp(url="http://127.0.0.1:9")
    with pytest.raises(ConfigInvalid, match="signs its definitions"):
        GuardedServer("x", etdi=etdi_of(idp, tmp_path, signed=False))
    with pytest.raises(ConfigInvalid, match="bucket"):
        GuardedServer("x", etdi=etdi_of(idp, tmp_path), per_minute=0)

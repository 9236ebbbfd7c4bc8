"""Which way a call takes. The vectors are the ones that the TypeScript package is tested with."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from gateway.client import UnclassifiedTool, data_class_of, execute_secure_tool
from gateway.places import policies_folder
from gateway.policy.data_file import parse_yaml

VECTORS = json.loads((Path(__file__).parent / "vectors/routing.json").read_text())
SECRET = {"card": "4111-1111", "note": "not for a log"}


class Standard:
    """Notes what it is asked."""

    def __init__(self, calls: list[Any]) -> None:
        self.calls = calls

    async def execute_tool(self, tool_name: str, parameters: Any) -> str:
        """One step."""
        self.calls.append(("execute_tool", tool_name, parameters))
        return "standard"


class ZeroTrust:
    """Notes what it is asked."""

    def __init__(self, calls: list[Any]) -> None:
        self.calls = calls

    async def request_auth(self, tool_name: str, parameters: Any) -> str:
        """The first step."""
        self.calls.append(("request_auth", tool_name, parameters))
        return "auth-details"

    async def execute_with_auth(self, auth: Any, tool_name: str, parameters: Any) -> str:
        """The second."""
        self.calls.append(("execute_with_auth", auth, tool_name, parameters))
        return "zero-trust"


@pytest.mark.parametrize("case", VECTORS, ids=lambda case: case["tool"] or "(empty)")
async def test_a_call_takes_the_way_of_its_class(
    case: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """Two steps in order, or one, or none; the class is logged, what the call holds is not."""
    caplog.set_level(logging.DEBUG)
    tool, calls = case["tool"], list[Any]()
    assert data_class_of(tool) == case["class"]
    if case["route"] == "refused":
        with pytest.raises(UnclassifiedTool) as caught:
            await execute_secure_tool(tool, SECRET, Standard(calls), ZeroTrust(calls))
        assert str(caught.value) == f"Unknown tool or classification for: {tool}"
        assert isinstance(caught.value, ValueError)
        assert calls == []
        return
    assert await execute_secure_tool(tool, SECRET, Standard(calls), ZeroTrust(calls)) == case["route"]
    if case["route"] == "zero-trust":
        assert calls == [
            ("request_auth", tool, SECRET),
            ("execute_with_auth", "auth-details", tool, SECRET),
        ]
    else:
        assert calls == [("execute_tool", tool, SECRET)]
    assert f"{tool} (class {case['class']})" in caplog.text
    assert not any(value in caplog.text for value in SECRET.values())


def test_the_vectors_hold_every_tool() -> None:
    """A tool that gets a class gets a vector: the map is the policy's, with its 28 names and the aliases."""
    data = parse_yaml((policies_folder() / "classes/data.yaml").read_text())
    assert len(data["tools"]) == 28
    listed = {case["tool"]: case["class"] for case in VECTORS if case["class"] is not None}
    assert listed == data["aliases"] | data["tools"]

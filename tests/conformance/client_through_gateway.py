"""``python -m tests.conformance.client_through_gateway URL``: what the suite takes for a client under test.

The suite plays a server at ``URL`` and looks at what a client sends it. That client is the gateway; a stock host of the
official SDK in front of it makes it talk. MCP_CONFORMANCE_SCENARIO, which the suite sets, chooses the host's era.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import mcp_types as types
from mcp.shared.exceptions import MCPError

from tests.hosts.host import connected
from tests.support.house import running_house
from tests.support.policy_copies import copied, edit_data, judged_by

LEGACY = {"initialize", "tools_call", "elicitation-sep1034-client-defaults", "sse-retry"}
"""Scenarios of the older era; the others are of 2026-07-28."""
ANY_OF = {"string": "conformance", "integer": 7, "number": 1.5, "boolean": True, "array": [], "object": {}}
TOOLS = (
    "add_numbers",
    "test_client_elicitation_defaults",
    "test_complete",
    "test_custom_headers",
    "test_custom_headers_null",
    "test_headers",
    "test_mrtr_echo_state",
    "test_mrtr_no_result_type",
    "test_mrtr_no_state",
    "test_mrtr_unrelated",
    "test_reconnection",
    "valid_tool",
    "json_schema_2020_12_tool",
    "json_schema_echo",
)
"""The names of the tools that the suite's servers list."""


def arguments_for(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Something of the right type under each name."""
    properties = schema.get("properties") or {}
    return {name: _value(one) for name, one in properties.items()}


def _value(schema: Any) -> Any:
    kind = schema.get("type", "string") if isinstance(schema, dict) else "string"
    if isinstance(schema, dict) and "enum" in schema:
        return schema["enum"][0]
    if kind == "object":
        return arguments_for(schema)
    return ANY_OF.get(kind if isinstance(kind, str) else "string")


async def accepts(context: Any, params: types.ElicitRequestParams) -> types.ElicitResult:
    """A person who leaves every field as it is: an SDK fills in what the form says by default (SEP-1034)."""
    del context
    schema = getattr(params, "requested_schema", None) or {}
    content = {name: one["default"] for name, one in schema.get("properties", {}).items() if "default" in one}
    return types.ElicitResult(action="accept", content=content or {"name": "conformance", "ok": True})


async def main(url: str, scenario: str, calls: list[tuple[str, dict[str, Any]]]) -> None:
    """List the tools, and make the calls that are asked for, or one of each tool."""
    folder = Path(tempfile.mkdtemp())
    policies = copied(folder)
    edit_data(policies, "migration", phase="preparation")
    edit_data(policies, "classes", tools=dict.fromkeys(TOOLS, 4))
    mode = "legacy" if scenario in LEGACY else "2026-07-28"
    async with (
        running_house(folder, policy=judged_by(policies, reload=False), upstreams={"suite": url}) as house,
        connected(house, mode, "suite", elicitation=accepts) as host,
    ):
        tools = (await host.list_tools()).tools
        for name, given in calls or _calls(tools):
            try:
                await host.call_tool(name, given)
            except MCPError as problem:
                print(f"{name}: {problem}", file=sys.stderr)


def _calls(tools: list[types.Tool]) -> list[tuple[str, dict[str, Any]]]:
    """Each tool once; what echoes a schema gets the first one's, as it was listed."""
    first = tools[0].input_schema if tools else {}
    echoing = {"schema": first}
    return [
        (
            tool.name,
            echoing
            if set(tool.input_schema.get("properties", {})) == {"schema"}
            else arguments_for(tool.input_schema),
        )
        for tool in tools
    ]


def _wanted() -> list[tuple[str, dict[str, Any]]]:
    """The calls that the suite asks for, if it asks for any."""
    context = json.loads(os.environ.get("MCP_CONFORMANCE_CONTEXT") or "{}")
    return [(one["name"], one["arguments"]) for one in context.get("toolCalls", [])]


if __name__ == "__main__":
    asyncio.run(main(sys.argv[-1], os.environ.get("MCP_CONFORMANCE_SCENARIO", ""), _wanted()))

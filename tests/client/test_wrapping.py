"""Existing tools with another handler."""

from __future__ import annotations

from typing import Any

import pytest
from mcp_types import CallToolResult, TextContent, Tool

from gateway.client import ExecutionFailed, OutcomeUnknown, SecureTools, ToolSpec, specs_of
from gateway.client.wrapping import text_of, told, told_now
from tests.client.test_secure_tool import Standard, ZeroTrust

SCHEMA = {
    "type": "object",
    "properties": {"amount": {"$ref": "#/$defs/money"}},
    "required": ["amount"],
    "$defs": {"money": {"type": "string", "pattern": "^[0-9]+$"}},
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    "tool",
    [
        Tool(name="create_refund", description="Gives money back.", input_schema=SCHEMA),
        {"name": "create_refund", "description": "Gives money back.", "inputSchema": SCHEMA},
        ToolSpec(name="create_refund", description="Gives money back.", input_schema=SCHEMA),
    ],
    ids=["SDK", "JSON", "own"],
)
def test_names_and_schemas_stay(tool: Any) -> None:
    """No member is added to ``required`` (conflict C14), and the schema is a copy."""
    (spec,) = specs_of([tool])
    assert (spec.name, spec.description, spec.input_schema) == ("create_refund", "Gives money back.", SCHEMA)
    assert spec.input_schema is not SCHEMA


def test_two_tools_of_one_name_are_refused() -> None:
    """Attack: a second tool in front of the one that was looked at."""
    with pytest.raises(ValueError, match="same name: a"):
        specs_of([{"name": "a"}, {"name": "a"}])
    with pytest.raises(ValueError, match="no name"):
        specs_of([{"description": "x"}])


async def test_secure_tools_route() -> None:
    """As the function does."""
    calls: list[Any] = []
    secure = SecureTools(Standard(calls), ZeroTrust(calls))
    assert await secure.call("create_refund", {}) == "zero-trust"
    assert await secure.call("list_invoices", {}) == "standard"


@pytest.mark.parametrize(
    "error", [ExecutionFailed("Execution failed: no."), OutcomeUnknown("Unknown. Do not.")]
)
async def test_a_failure_is_text_that_nobody_retries(error: Exception) -> None:
    """A defect stays an exception."""

    async def fails(tool: str, parameters: Any) -> Any:
        raise error

    def fails_now(tool: str, parameters: Any) -> Any:
        raise error

    def defect(tool: str, parameters: Any) -> Any:
        raise KeyError(tool)

    assert await told(fails, "create_refund", {}) == str(error)
    assert told_now(fails_now, "create_refund", {}) == str(error)
    with pytest.raises(KeyError):
        told_now(defect, "create_refund", {})


@pytest.mark.parametrize(
    ("result", "text"),
    [
        ("as it is", "as it is"),
        ({"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}, "a\nb"),
        ({"id": "R-1"}, '{"id":"R-1"}'),
        ({"content": [{"type": "image"}]}, '{"content":[{"type":"image"}]}'),
        (CallToolResult(content=[TextContent(type="text", text="a")]), "a"),
    ],
)
def test_a_result_as_text(result: Any, text: str) -> None:
    """What a model reads."""
    assert text_of(result) == text

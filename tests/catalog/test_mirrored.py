"""Arguments that travel twice must agree: somebody on the way may have judged by the other one."""

import base64
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.catalog.definition import read_definition
from gateway.catalog.mirrored import check_mirrored
from gateway.errors import HEADER_MISMATCH, HeaderMismatch
from gateway.walk import walk
from tests.support.walking import READ, a_call, a_definition, rooms

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "account": {"type": "string", "x-mcp-header": "Account"},
        "count": {"type": "integer", "x-mcp-header": "Count"},
        "note": {"type": "string"},
    },
}
MIRRORS = a_definition(inputSchema=SCHEMA)
PLAIN = a_definition()
ENCODED = "=?base64?" + base64.b64encode("Zoë".encode()).decode() + "?="


def check(
    arguments: dict[str, Any], headers: dict[str, str], *, wire: dict[str, Any] = MIRRORS, **how: Any
) -> None:
    """One call of today against a definition."""
    check_mirrored(a_call(READ, arguments, param_headers=headers, **how), read_definition(wire))


@pytest.mark.parametrize(
    ("arguments", "headers"),
    [
        ({}, {}),
        ({"account": "a1"}, {"mcp-param-account": "a1"}),
        ({"account": "a1", "count": 3}, {"mcp-param-account": "a1", "mcp-param-count": "3"}),
        ({"account": "Zoë"}, {"mcp-param-account": ENCODED}),
        ({"account": None}, {}),
        ({"note": "n"}, {"mcp-param-other": "for somebody else"}),
    ],
)
def test_what_agrees_passes(arguments: dict[str, Any], headers: dict[str, str]) -> None:
    """Both there and equal, or neither; a header that the tool does not ask for is not ours to judge."""
    check(arguments, headers)


@pytest.mark.parametrize(
    ("arguments", "headers"),
    [
        ({"account": "a1"}, {}),
        ({"account": "a1"}, {"mcp-param-account": "a2"}),
        ({"account": "a1"}, {"mcp-param-account": "A1"}),
        ({"account": "a1"}, {"mcp-param-account": ""}),
        ({}, {"mcp-param-account": "a1"}),
        ({"account": None}, {"mcp-param-account": "null"}),
        ({"account": ["a1"]}, {"mcp-param-account": "a1"}),
        ({"account": "a1", "count": 3}, {"mcp-param-account": "a1", "mcp-param-count": "4"}),
        ({"account": "a1"}, {"mcp-param-account": "=?base64?***?="}),
        ({"account": "Zoë"}, {"mcp-param-account": "=?base64?" + base64.b64encode(b"Zoe").decode() + "?="}),
    ],
)
def test_what_differs_is_refused(arguments: dict[str, Any], headers: dict[str, str]) -> None:
    """Missing, another value, or there for an argument that is not."""
    with pytest.raises(HeaderMismatch) as refused:
        check(arguments, headers)
    assert refused.value.rpc_code == HEADER_MISMATCH


def test_where_nothing_is_mirrored_nothing_is_checked() -> None:
    """A tool that asks for no headers; a host of an older era, which knows of none."""
    check({"account": "a1"}, {"mcp-param-account": "a2"}, wire=PLAIN)
    check({"account": "a1"}, {}, legacy=True)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
TEXTS = st.text(st.characters(min_codepoint=1, max_codepoint=255), max_size=12) | st.just("=?base64??=")


@given(
    arguments=st.dictionaries(st.sampled_from(["account", "count", "note"]), VALUES),
    headers=st.dictionaries(st.sampled_from(["mcp-param-account", "mcp-param-count", "mcp-param-"]), TEXTS),
)
def test_whatever_is_sent_it_passes_or_is_refused(arguments: dict[str, Any], headers: dict[str, str]) -> None:
    """Nothing that a client sends is a defect of ours; a header without its argument never passes."""
    try:
        check(arguments, headers)
    except HeaderMismatch:
        return
    for name in ("account", "count"):
        assert f"mcp-param-{name}" not in headers or arguments.get(name) is not None


@given(VALUES)
def test_whatever_a_server_lists_it_is_read_or_not(schema: Any) -> None:
    """A schema that mirrors in a way nobody understands mirrors nothing."""
    listed = {"type": "object", "properties": {"account": schema, "b": {"x-mcp-header": schema}}}
    try:
        check({"account": "a1"}, {"mcp-param-account": "a1"}, wire=a_definition(inputSchema=listed))
    except (HeaderMismatch, ValueError):
        return


async def test_a_call_that_says_two_things_reaches_nobody(tmp_path: Path) -> None:
    """Refused in the walk, recorded, and the policy is not even asked."""
    async with rooms(tmp_path, wires=[MIRRORS]) as bank:
        with pytest.raises(HeaderMismatch):
            await walk(a_call(READ, {"account": "a1"}, param_headers={"mcp-param-account": "a2"}), bank.house)
        assert bank.upstream.calls == []
        assert bank.engine.questions == []
        assert bank.records()[-1]["status"] == "refused"

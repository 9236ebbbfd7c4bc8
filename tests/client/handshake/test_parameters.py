"""What may go out as parameters: what every reader reads alike, and nothing else."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.client.handshake.errors import ParametersRefused
from gateway.client.handshake.parameters import MAX_BYTES, checked_tool, read_object, serialised
from gateway.door.strict_json import parse
from gateway.errors import MalformedRequest

ANY_FLOAT = st.floats(allow_nan=True, allow_infinity=True)
ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=8)
LEAVES = st.none() | st.booleans() | st.integers() | ANY_FLOAT | ANY_TEXT
JSON = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3)
)


@given(st.dictionaries(ANY_TEXT, JSON, max_size=4))
def test_what_is_sent_is_what_the_gateway_reads(parameters: dict[str, Any]) -> None:
    """Either refused here, or the gateway's own strict parse gives exactly what the caller meant."""
    try:
        sent = serialised(parameters)
    except ParametersRefused:
        return
    assert parse(sent) == parameters


@given(st.dictionaries(ANY_TEXT, JSON, max_size=4))
def test_what_the_gateway_takes_is_not_refused_here(parameters: dict[str, Any]) -> None:
    """The client is no stricter than the service, so that the two do not disagree about honest calls."""
    try:
        sent = serialised(parameters)
    except ParametersRefused:
        import json

        with pytest.raises((MalformedRequest, UnicodeEncodeError)):
            parse(json.dumps(parameters).encode("utf-8"))
    else:
        assert sent


@pytest.mark.parametrize(
    ("parameters", "place"),
    [
        ({"a": float("inf")}, "/a"),
        ({"a": [1, {"b": 2**53}]}, "/a/1/b"),
        ({"a": -0.0}, "/a"),
        ({"a": Decimal("5.00")}, "/a"),
        ({"a": b"x"}, "/a"),
        ({"a": {1: 2}}, "/a"),
        ({"a": "\udc00"}, "/a"),
    ],
)
def test_the_refusal_names_the_place_and_not_the_value(parameters: dict[Any, Any], place: str) -> None:
    """Values may be secrets of a customer."""
    with pytest.raises(ParametersRefused, match=f"at '{place}'"):
        serialised(parameters)


def test_too_much_and_too_deep_is_refused() -> None:
    """The gateway would refuse it anyway."""
    deep: Any = {}
    for _ in range(100):
        deep = {"a": deep}
    with pytest.raises(ParametersRefused, match="deeper"):
        serialised(deep)
    with pytest.raises(ParametersRefused, match="bytes"):
        serialised({"a": "x" * MAX_BYTES})
    with pytest.raises(ParametersRefused, match="object"):
        serialised(["a"])


@pytest.mark.parametrize("tool", ["", "a" * 129, "a\nb", None, 3])
def test_a_tool_has_a_name(tool: object) -> None:
    """Of printable characters: it is logged."""
    with pytest.raises(ParametersRefused):
        checked_tool(tool)


@pytest.mark.parametrize(
    "text", ["", "[]", "1", "{", '{"a":1,"a":2}', '{"a":' + "9" * 5000 + "}", "[" * 100_000]
)
def test_what_a_model_wrote_is_read_strictly(text: str) -> None:
    """Attack: a member twice, of which the one is judged and the other is sent."""
    with pytest.raises(ParametersRefused):
        read_object(text)


def test_an_object_is_read() -> None:
    """As it was written."""
    assert read_object('{"a": {"b": [1]}}') == {"a": {"b": [1]}}

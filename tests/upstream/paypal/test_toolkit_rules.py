"""Hostile arguments for PayPal's own toolkit: a judgement, and never an exception."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.upstream.paypal.definitions import TOOLS
from gateway.upstream.paypal.toolkit_rules import REFUSED_MEMBERS, REFUSED_TOOLS, ToolkitChecker
from tests.upstream.paypal.conversation import ARGUMENTS

CHECKER = ToolkitChecker()
NAMES = st.sampled_from(
    sorted(
        {name for one in ARGUMENTS.values() for name in one} | {"payload", "itemTotal", "notes", "full_name"}
    )
)
LEAVES = st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats() | st.text(max_size=5)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=2),
    max_leaves=4,
)


@given(tool=st.sampled_from(sorted(TOOLS)), arguments=st.dictionaries(NAMES, JSON, max_size=4))
def test_any_json_is_judged(tool: str, arguments: dict[str, Any]) -> None:
    """Whatever it is."""
    CHECKER.problems(tool, arguments)


@given(tool=st.sampled_from(sorted(TOOLS)), name=NAMES, value=JSON)
def test_any_change_to_a_good_call_is_judged(tool: str, name: str, value: Any) -> None:
    """One member at a time, so that the deeper rules are reached."""
    CHECKER.problems(tool, {**ARGUMENTS[tool], name: value})


@pytest.mark.parametrize("number", [float("inf"), float("nan"), 1e308, 10**30, True])
def test_a_number_that_is_no_amount(number: float) -> None:
    """Is refused, not rendered."""
    one = {"name": "x", "itemCost": number, "itemTotal": number}
    assert CHECKER.problems("create_order", {"currencyCode": "USD", "items": [one]})


def test_what_is_refused_is_said() -> None:
    """Tool by tool, without the value."""
    (problem,) = CHECKER.problems("create_invoice", ARGUMENTS["create_invoice"])
    assert problem.message == REFUSED_TOOLS["create_invoice"]
    for tool, name in REFUSED_MEMBERS:
        (problem,) = CHECKER.problems(tool, {name: "sesame"})
        assert (problem.pointer, "sesame" in problem.message) == (f"/{name}", False)

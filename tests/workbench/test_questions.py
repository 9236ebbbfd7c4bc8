"""A tool and its arguments are a question."""

from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from gateway.workbench.pack import read_pack
from gateway.workbench.paypal import PAYPAL
from gateway.workbench.questions import completed, counted
from tests.support.policy_cases import POLICIES

NEVER = {"ten_minutes": 0, "hour": 0, "day": 0}
NEVER_CALLED: dict[str, Any] = {"calls": NEVER, "failures": NEVER, "payees": [], "budgets": None}
REFUND = {"capture_id": "2GG279541U471931P", "amount": {"value": "25.00", "currency_code": "USD"}}


def whole(folder: Path, written: dict[str, Any]) -> dict[str, Any]:
    """The question as it would be asked."""
    return completed(written, read_pack(folder).data, {"paypal": PAYPAL})


def test_what_is_missing_is_filled_in_and_the_whole_fits_the_schema(folder: Path) -> None:
    """The amount is read from the arguments, the role from the policy's own table."""
    question = whole(folder, {"tool": {"name": "create_refund"}, "arguments": REFUND})
    schema = msgspec.json.decode((POLICIES / "schemas" / "question.json").read_bytes())
    jsonschema.validate(question, schema)
    assert (question["money"]["amount"], question["money"]["currency"]) == ("25.00", "USD")
    assert question["caller"]["roles"] == ["agent"]
    assert question["schema"] == {"valid": True, "errors": []}
    assert question["usage"] == NEVER_CALLED


def test_arguments_are_judged_by_the_tool_s_own_schema(folder: Path) -> None:
    """And money is not read from what does not fit."""
    question = whole(folder, {"tool": {"name": "create_refund"}, "arguments": {"amount": 5}})
    assert question["schema"]["valid"] is False
    assert question["schema"]["errors"]
    assert question["money"] is None


def test_what_is_written_stays(folder: Path) -> None:
    """Member by member; arguments are taken whole, null is a value."""
    written = {
        "tool": {"name": "a_tool", "version": "9.0.0"},
        "call": {"server": "warehouse"},
        "arguments": {"x": {"y": 1}},
        "approval": None,
        "env": {"paypal": "production"},
    }
    question = whole(folder, written)
    assert question["tool"]["version"] == "9.0.0"
    assert question["approval"] is None
    assert question["arguments"] == {"x": {"y": 1}}
    assert (question["env"]["paypal"], question["env"]["state"]) == ("production", "ok")
    assert question["schema"]["valid"] is True


def test_who_receives_is_spelt_as_the_gateway_spells_it(folder: Path) -> None:
    """So a budget by payee is explained as it would be asked; what is written stays."""
    money = {"amount": "1.00", "currency": "USD", "payee": " Shop@Example.com", "source": "arguments"}
    written = {"tool": {"name": "create_refund"}, "arguments": REFUND, "money": money}
    receives = {**NEVER_CALLED, "payees": ["shop@example.com"]}
    assert whole(folder, written)["usage"] == receives
    assert whole(folder, {**written, "usage": {"payees": ["x"]}})["usage"] == {
        **NEVER_CALLED,
        "payees": ["x"],
    }
    assert whole(folder, {**written, "money": None})["usage"] == NEVER_CALLED


def test_how_often_is_what_is_written_or_never(folder: Path) -> None:
    """Also in a question of a version that recorded no usage without money, and counted no calls with it."""
    read = {"tool": {"name": "list_products"}}
    often = {"calls": {"hour": 7}, "failures": NEVER}
    assert whole(folder, {**read, "usage": often})["usage"]["calls"] == {**NEVER, "hour": 7}
    assert whole(folder, {**read, "usage": None})["usage"] == NEVER_CALLED
    before = {"payees": ["x"], "budgets": {"daily": {}}}
    assert counted({"usage": before, "money": None})["usage"] == {**NEVER_CALLED, **before}
    assert before == {"payees": ["x"], "budgets": {"daily": {}}}


@pytest.mark.parametrize("written", [{}, {"tool": {}}, {"tool": "pay_order"}, {"tool": {"name": ""}}])
def test_without_a_tool_there_is_no_question(folder: Path, written: dict[str, Any]) -> None:
    """The error shows what to write."""
    with pytest.raises(ValueError, match="tool"):
        whole(folder, written)

"""The questions that nobody asked yet reach every tool and both sides of every limit."""

import copy
from pathlib import Path

import jsonschema
import msgspec

from gateway.workbench.matrix import matrix
from gateway.workbench.pack import read_pack
from gateway.workbench.paypal import PAYPAL
from tests.support.policy_cases import POLICIES


def test_every_tool_is_asked_about_and_every_question_is_one(folder: Path) -> None:
    """By each role, at each step, in both places."""
    data = read_pack(folder).data
    questions = list(matrix(data, data, {"paypal": PAYPAL}))
    tools = {question["tool"]["name"] for question in questions}
    assert tools >= {*data["classes"]["tools"], *data["classes"]["aliases"]}
    validator = jsonschema.Draft7Validator(
        msgspec.json.decode((POLICIES / "schemas" / "question.json").read_bytes())
    )
    assert [error for question in questions for error in validator.iter_errors(question)] == []


def test_what_either_policy_names_is_in_it(folder: Path) -> None:
    """A tool, a role and a limit that only the candidate has."""
    before = read_pack(folder).data
    after = copy.deepcopy(before)
    after["classes"]["tools"]["mint_money"] = 1
    after["identity"]["roles"]["1"].append("treasurer")
    after["limits"]["currencies"]["NOK"] = {"soft": "1.00", "hard": "2.00"}
    questions = list(matrix(before, after, {"paypal": PAYPAL}))
    assert any(question["tool"]["name"] == "mint_money" for question in questions)
    assert any(question["caller"]["roles"] == ["treasurer"] for question in questions)
    amounts = {
        question["money"]["amount"]
        for question in questions
        if question["money"] and question["money"]["currency"] == "NOK"
    }
    assert amounts == {"1.00", "1.01", "2.00", "2.01"}


def test_amounts_are_asked_only_of_what_moves_money(folder: Path) -> None:
    """A read has none."""
    data = read_pack(folder).data
    asked = {q["tool"]["name"] for q in matrix(data, data, {"paypal": PAYPAL}) if q["money"] is not None}
    assert "create_refund" in asked
    assert "send_money" in asked
    assert "list_products" not in asked

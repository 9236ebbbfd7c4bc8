"""How often somebody called is judged alike by both engines, whatever question and tables hold; no limit is unseen."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings

from gateway.policy.engine import Entrypoint
from tests.policy.test_parity import FEW, Both, _both
from tests.support.policy_cases import Policy, write_policy_of
from tests.support.questions import IN_ORDER, Question, bent_questions, replaced

ALL = {"ten_minutes": 2, "hour": 3, "day": 4}
TOOLS: dict[str, Any] = {
    "list_products": {"calls": {"ten_minutes": 9, "day": 9}, "failures": ALL},
    "paypal/create_invoice": {"failures": {"hour": 1}},
    "create_order": None,
    "get_order": 5,
    "get_invoice": {"calls": {"hour": "5"}},
    "get_refund": {"calls": {"hours": 5}},
    "get_dispute": {"call": {"hour": 5}},
    "pay_order": {"calls": 5},
    "create_product": {},
}
UNREADABLE = ("create_order", "get_order", "get_invoice", "get_refund", "get_dispute", "pay_order")
CLASSES: dict[str, Any] = {
    "2": {"calls": ALL, "failures": ALL},
    "4": {"calls": {"hour": 2.5}},
    "3": {"calls": {}},
}
COUNTED: Question = {**IN_ORDER, "caller": {**IN_ORDER["caller"], "roles": ["agent"]}}


@pytest.fixture(scope="module")
def limited(opa_binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    """The policies that ship, with limits of every kind, readable and not."""
    folder = tmp_path_factory.mktemp("limited")
    tree = write_policy_of(Policy(data={"/usage/tools": TOOLS, "/usage/classes": CLASSES}), folder)
    (tree / ".manifest").rename(folder / ".manifest")
    yield from _both(opa_binary, folder, folder / "opa.sock")


def codes(answer: Any) -> set[str]:
    """Of the reasons."""
    return {reason["code"] for reason in answer["reasons"]}


@settings(FEW, max_examples=120)
@given(bent_questions((*TOOLS, "create_refund", "list_disputes", "send_invoice"), COUNTED))
def test_both_engines_count_alike(limited: Both, question: Question) -> None:
    """Facts dropped, of another type, or out of any bounds."""
    limited.check(Entrypoint.DECISION, question)


def test_every_number_on_both_sides_of_every_limit(limited: Both) -> None:
    """For a tool with an entry, one of a class, and one whose entry cannot be read."""
    for tool, kind, window, number in itertools.product(
        ("list_products", "create_refund", "create_invoice", "get_order"),
        ("calls", "failures"),
        ALL,
        range(6),
    ):
        question = replaced(COUNTED, ("tool", "name"), tool)
        question = replaced(
            question, ("usage", kind), {"ten_minutes": 0, "hour": 0, "day": 0, window: number}
        )
        limited.check(Entrypoint.DECISION, question)


@pytest.mark.parametrize("tool", UNREADABLE)
def test_an_entry_that_cannot_be_read_denies_on_both(limited: Both, tool: str) -> None:
    """With whatever was counted."""
    document = msgspec.json.encode(replaced(COUNTED, ("tool", "name"), tool))
    for answer in limited.answers(Entrypoint.DECISION, document):
        assert answer["outcome"] == "deny"
        assert "usage.unconfigured" in codes(answer)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("usage",), None),
        (("usage",), {}),
        (("usage", "calls"), None),
        (("usage", "calls"), [1, 2, 3]),
        (("usage", "calls", "hour"), None),
        (("usage", "calls", "hour"), "1"),
        (("usage", "failures"), {"hour": 0}),
        (("usage", "failures", "day"), True),
    ],
)
def test_what_was_not_counted_is_denied(limited: Both, path: tuple[str, ...], value: object) -> None:
    """On both engines; counted, the same question is allowed on both."""
    allowed = limited.answers(Entrypoint.DECISION, msgspec.json.encode(COUNTED))
    assert [answer["outcome"] for answer in allowed] == ["allow", "allow"]
    for answer in limited.answers(Entrypoint.DECISION, msgspec.json.encode(replaced(COUNTED, path, value))):
        assert answer["outcome"] == "deny"
        assert "usage.not_counted" in codes(answer)

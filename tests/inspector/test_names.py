"""Names that are read as other names."""

from __future__ import annotations

import pytest

from gateway.inspector.folding import folded, skeleton
from gateway.inspector.names import Known, KnownNames, check_listing, check_name

KNOWN = KnownNames([Known(server="bank", name="create_refund"), Known(server="bank", name="list_orders")])


def against(name: str) -> list[tuple[str, str]]:
    """Codes and severities, against the known ones."""
    return [(one.code, str(one.severity)) for one in KNOWN.check(name)]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("create_refund", "SAME_NAME_ELSEWHERE"),
        ("createRefund", "LOOKALIKE_NAME"),
        ("create-refund", "LOOKALIKE_NAME"),
        ("CREATE_REFUND", "LOOKALIKE_NAME"),
        ("cr\u0435ate_refund", "LOOKALIKE_NAME"),
        ("\uff43reate_refund", "LOOKALIKE_NAME"),
        ("create_refun\u0501", "LOOKALIKE_NAME"),
        ("create\u200b_refund", "LOOKALIKE_NAME"),
        ("1ist_orders", "LOOKALIKE_NAME"),
        ("list_0rders", "LOOKALIKE_NAME"),
        ("create_refnud", "NEARBY_NAME"),
        ("creat_refund", "NEARBY_NAME"),
        ("create_refundd", "NEARBY_NAME"),
        ("list_order5", "LOOKALIKE_NAME"),
    ],
)
def test_found(name: str, code: str) -> None:
    """Each way to be taken for another."""
    assert [one for one, _ in against(name)] == [code]


@pytest.mark.parametrize(
    "name", ["list_order", "create_refunds", "delete_refund", "list_invoices", "x", "", "list"]
)
def test_let_through(name: str) -> None:
    """A plural, other verbs, short names."""
    assert against(name) == []


def test_a_reference_may_be_matched_exactly() -> None:
    """PayPal's own server has PayPal's names."""
    known = KnownNames([Known(server="PayPal", name="pay_order", reference=True)])
    assert known.check("pay_order") == []
    assert [one.code for one in known.check("pay_0rder")] == ["LOOKALIKE_NAME"]


def test_among_themselves() -> None:
    """Two of one name, an old spelling kept, and letters of another alphabet."""
    found = check_listing(["a_b", "c_d", "a_b", "cD", "c_\u0501"])
    said = {index: [(one.code, str(one.severity)) for one in ones] for index, ones in found.items()}
    assert said == {
        2: [("DUPLICATE_NAME", "HIGH")],
        3: [("LOOKALIKE_NAME", "MEDIUM")],
        4: [("LOOKALIKE_NAME", "HIGH")],
    }


@pytest.mark.parametrize(
    ("name", "code"),
    [("p\u0430y", "LOOKALIKE_NAME"), ("pay order", "UNUSUAL_NAME"), ("pay\u00e9", "UNUSUAL_NAME")],
)
def test_by_itself(name: str, code: str) -> None:
    """Without another to compare it with."""
    assert [one.code for one in check_name(name)] == [code]
    assert check_name("pay_order-2.x") == []


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Ign\u200bore", "ignore"),
        ("\u0406gn\u043ere", "ignore"),
        ("\uff29gnore", "ignore"),
        ("&#105;gnore", "ignore"),
        ("i g n o r e", "ignore"),
        ("**ig**nore", "ignore"),
        ("\u043f\u0440\u0438\u0432\u0435\u0442", "\u043f\u0440\u0438\u0432\u0435\u0442"),
    ],
)
def test_folded(text: str, plain: str) -> None:
    """What a model understands all the same; a word of another language stays one."""
    assert folded(text) == plain


def test_skeletons_of_nothing() -> None:
    """A name of nothing visible has none, and none is compared."""
    assert skeleton("\u200b_") == ""
    assert KNOWN.check("\u200b_") == []

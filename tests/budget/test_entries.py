"""The operator's budgets, as Python reads them: what Rego cannot use is refused by name."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.budget.entries import load_budgets
from gateway.places import policies_folder
from gateway.policy.engine import PolicyRefused

ENTRY: dict[str, Any] = {
    "caller": "each",
    "tool": ["create_refund"],
    "payee": "any",
    "window_seconds": 86400,
    "limits": {"USD": "100.00", "JPY": "10000", "KWD": "10.500"},
}


def written(folder: Path, document: Any) -> Path:
    """A policy folder with these budgets."""
    (folder / "budgets").mkdir()
    (folder / "budgets" / "data.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    return folder


def test_what_ships_can_be_read() -> None:
    """And has no budget."""
    assert load_budgets(policies_folder()) == {}


def test_an_entry(tmp_path: Path) -> None:
    """As it was written."""
    (name, found) = next(iter(load_budgets(written(tmp_path, {"budgets": {"daily": ENTRY}})).items()))
    assert (name, found.caller, found.tool, found.limits["KWD"]) == (
        "daily",
        "each",
        ("create_refund",),
        "10.500",
    )


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"budgets": None}, "object"),
        ({}, "budgets"),
        ({"budgets": {"Daily!": ENTRY}}, r"\$"),
        ({"budgets": {"daily": {**ENTRY, "limits": {}}}}, "limits"),
        ({"budgets": {"daily": {**ENTRY, "limits": {"USD": 100}}}}, "limits"),
        ({"budgets": {"daily": {**ENTRY, "limits": {"USD": "1,50"}}}}, "limits"),
        ({"budgets": {"daily": {**ENTRY, "limits": {"JPY": "100.00"}}}}, "daily, limits, JPY"),
        ({"budgets": {"daily": {**ENTRY, "limits": {"XXX": "100.00"}}}}, "daily, limits, XXX"),
        ({"budgets": {"daily": {**ENTRY, "window_seconds": 0}}}, "window_seconds"),
        ({"budgets": {"daily": {**ENTRY, "tool": "create_refund"}}}, "tool"),
        ({"budgets": {"daily": {**ENTRY, "caller": []}}}, "caller"),
        ({"budgets": {"daily": {**ENTRY, "payee": ["Shop@Example.com"]}}}, "write 'shop@example.com'"),
        ({"budgets": {"daily": {**ENTRY, "currency": "USD"}}}, "currency"),
    ],
)
def test_what_cannot_be_used(tmp_path: Path, document: Any, said: str) -> None:
    """The message says where."""
    with pytest.raises(PolicyRefused, match=said):
        load_budgets(written(tmp_path, document))


def test_no_file(tmp_path: Path) -> None:
    """A policy without budgets is one that was not finished."""
    with pytest.raises(PolicyRefused, match="budgets cannot be read"):
        load_budgets(tmp_path)

"""Tools that a phase lets through are marked in their title, and callable by their name."""

import pytest

from gateway.catalog.marked import STATUS_META_KEY, marked
from tests.support.walking import a_definition


@pytest.mark.parametrize(
    ("mark", "title", "status"),
    [
        ("unverified", "\u26a0\ufe0f x (Non-ETDI)", "none"),
        ("exempt", "\u26a0\ufe0f x (Legacy Exempt)", "exempt"),
        ("invalid", "\u26a0\ufe0f x (Invalid ETDI)", "invalid"),
        ("unapproved", "\u26a0\ufe0f x (Not approved)", "unapproved"),
    ],
)
def test_the_mark_stands_in_the_title(mark: str, title: str, status: str) -> None:
    """The name stays, and so does everything else (C47); what helps is said beside it (R163)."""
    wire = a_definition("x", _meta={"other": 1})
    made = marked(wire, mark)
    assert (made["name"], made["title"]) == ("x", title)
    assert made["_meta"]["other"] == 1
    said = made["_meta"][STATUS_META_KEY]
    assert said["etdiStatus"] == status
    assert said["recommendation"]
    assert {key: made[key] for key in ("description", "inputSchema")} == {
        key: wire[key] for key in ("description", "inputSchema")
    }
    assert "title" not in wire


def test_a_servers_own_title_stands_behind_it() -> None:
    """Whatever it claims; and its own status is overwritten."""
    wire = a_definition("x", title="Verified by PayPal", _meta={STATUS_META_KEY: {"etdiStatus": "verified"}})
    made = marked(wire, "unverified")
    assert made["title"].startswith("\u26a0\ufe0f Verified by PayPal")
    assert made["_meta"][STATUS_META_KEY]["etdiStatus"] == "none"


@pytest.mark.parametrize("mark", [None, "", "verified", 7, ["exempt"]])
def test_no_mark_changes_nothing(mark: object) -> None:
    """Nor does one that nobody knows."""
    wire = a_definition("x")
    assert marked(wire, mark) is wire

"""What is kept of a question is what the operator said may be kept, and never more."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.decisions.entry import MASK, Kept
from gateway.policy.engine import PolicyRefused
from tests.support.policy_cases import POLICIES

ARGUMENTS = {"note": "to Ann", "items": [{"who": "Ann", "n": 1}, {"who": "Bob"}], "amount": "1.00"}


def question(tool: str = "pay", server: str = "bank") -> dict[str, Any]:
    """A question about one tool."""
    return {"call": {"server": server}, "tool": {"name": tool}, "arguments": ARGUMENTS, "money": None}


def test_places_are_masked_by_tool() -> None:
    """Every element of a list, by `*`; what is not there is not made; the original stays."""
    kept = Kept(keep=True, masked={"pay": ["/note", "/items/*/who", "/missing/x"]})
    masked, how = kept.of(question())
    assert how == "masked"
    assert masked["arguments"] == {
        "note": MASK,
        "items": [{"who": MASK, "n": 1}, {"who": MASK}],
        "amount": "1.00",
    }
    assert question()["arguments"]["note"] == "to Ann"
    assert kept.of(question("other")) == (question("other"), "kept")


def test_a_server_with_a_table_of_its_own_is_named() -> None:
    """`bank/pay` is not every server's `pay`."""
    kept = Kept(keep=True, masked={"bank/pay": ["/note"]})
    assert kept.of(question())[1] == "masked"
    assert kept.of(question(server="shop"))[1] == "kept"


def test_where_only_hashes_are_kept_only_names_stay() -> None:
    """No value of the arguments is anywhere in the line."""
    masked, how = Kept(keep=False, masked={}).of(question())
    assert (how, masked["arguments"]) == ("hashed", dict.fromkeys(ARGUMENTS, MASK))


@pytest.mark.parametrize(("keep", "places"), [(True, ["/note"]), (False, [])])
def test_who_pays_is_no_way_around_the_mask(*, keep: bool, places: list[str]) -> None:
    """Attack by accident: the address that is masked among the arguments stands beside them, as who pays. Accounts
    and amounts stay, and so does the original."""
    money = {
        "amount": "1.00",
        "payee": "bo@x.example",
        "payees": ["bo@x.example", "6QLBVWNT7LP4E"],
        "payers": [],
    }
    usage = {"calls": {"hour": 1}, "payees": ["bo@x.example", "6qlbvwnt7lp4e"], "budgets": None}
    asked = {**question(), "money": money, "usage": usage}
    asked["arguments"] = {"amount": "1.00"}
    masked, how = Kept(keep=keep, masked={"pay": places}).of(asked)
    assert masked["money"] == {**money, "payee": MASK, "payees": [MASK, "6QLBVWNT7LP4E"]}
    assert masked["usage"] == {**usage, "payees": [MASK, "6qlbvwnt7lp4e"]}
    assert how == ("masked" if keep else "hashed")
    assert (asked["money"], asked["usage"]) == (money, usage)
    assert Kept(keep=True, masked={}).of(asked) == (asked, "kept")


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("create_invoice", {"detail": {"note": "to Ann"}}),
        ("update_subscription", {"shipping_address": {"name": {"full_name": "Ann"}}}),
        ("cancel_subscription", {"reason": "Ann moved"}),
        ("accept_dispute_claim", {"note": "sorry, Ann"}),
        ("send_invoice", {"additional_recipients": ["Ann@example.com"]}),
    ],
)
def test_texts_and_addresses_are_masked_where_the_tools_have_them(
    tool: str, arguments: dict[str, Any]
) -> None:
    """Of what ships; a place that a tool does not have masks nothing."""
    asked = {"call": {"server": "paypal"}, "tool": {"name": tool}, "arguments": arguments}
    kept, how = Kept.load(POLICIES / "gateway").of(asked)
    assert how == "masked"
    assert "Ann" not in str(kept["arguments"])


def test_what_ships_masks_people_and_keeps_what_is_judged(tmp_path: Path) -> None:
    """Without the file nothing is kept; a damaged one is refused."""
    shipped = Kept.load(POLICIES / "gateway")
    invoice = {
        "tool": {"name": "create_invoice"},
        "call": {"server": "paypal"},
        "arguments": {
            "primary_recipients": [{"billing_info": {"email_address": "a@b.example"}}],
            "detail": {"x": 1},
        },
    }
    masked, how = shipped.of(invoice)
    assert (how, "a@b.example" in str(masked), masked["arguments"]["detail"]) == ("masked", False, {"x": 1})
    assert Kept.load(tmp_path).of(question())[1] == "hashed"
    (tmp_path / "decisions").mkdir()
    (tmp_path / "decisions" / "data.yaml").write_text("arguments: all\nmasked: {}\n")
    with pytest.raises(PolicyRefused, match=r"decisions/data\.yaml"):
        Kept.load(tmp_path)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
        max_leaves=12,
    ),
    st.lists(st.sampled_from(["/", "/*", "/a/*", "/a/b", "/*/x", "/a~1b", "/0"]), max_size=3),
)
def test_no_arguments_break_it(arguments: Any, pointers: list[str]) -> None:
    """Whatever shape they have, and whatever the table says of it."""
    Kept(keep=True, masked={"t": pointers}).of({"tool": {"name": "t"}, "call": {}, "arguments": arguments})

"""The class table is the one that Rego reads, and a damaged one is refused."""

from pathlib import Path

import pytest

from gateway.policy.classes import Classes, Tier
from gateway.policy.engine import PolicyRefused

POLICIES = Path(__file__).parents[2] / "policies" / "gateway"

README_CLASSES = {
    1: {"create_subscription"},
    2: {"pay_order", "create_refund", "accept_dispute_claim"},
    3: {
        "create_invoice",
        "send_invoice",
        "send_invoice_reminder",
        "cancel_sent_invoice",
        "generate_invoice_qr_code",
        "create_order",
        "create_shipment_tracking",
        "show_subscription_details",
        "update_subscription",
        "cancel_subscription",
    },
    4: {
        "list_invoices",
        "get_invoice",
        "get_order",
        "get_refund",
        "list_disputes",
        "get_dispute",
        "get_shipment_tracking",
        "create_product",
        "list_products",
        "show_product_details",
        "create_subscription_plan",
        "list_subscription_plans",
        "show_subscription_plan_details",
        "list_transactions",
    },
}
"""The 28 tools as the Toolkit README maps them, typed by hand from there: the oracle of this test."""

ALIASES: dict[str, tuple[int, ...]] = {
    "create_payment_method": (1,),
    "update_customer_payment": (1,),
    "get_payment_credentials": (1,),
    "send_money": (2,),
    "refund_transaction": (2,),
    "process_large_payment": (2,),
    "process_payment": (3, 2),  # the examples and the how-to; pay_order, which it is
    "get_account_balance": (4, 2),  # the examples; "account balance" in the table of the addendum
    "get_customer_profile": (3, 4),  # the examples and the table; INTERNAL in the how-to
    "get_exchange_rate": (5, 4),  # the examples and the how-to; "exchange rates" in the table
    "get_supported_currencies": (5,),
}
"""What the sources say about the other names; where they disagree (conflict C05), the strictest counts."""


@pytest.fixture(scope="module")
def classes() -> Classes:
    """The table that ships."""
    return Classes.load(POLICIES)


def test_the_28_tools(classes: Classes) -> None:
    """Each of the 28 names has the README's class."""
    wanted = {name: data_class for data_class, names in README_CLASSES.items() for name in names}
    assert len(wanted) == 28
    assert {name: classes.of("paypal", name) for name in wanted} == wanted


@pytest.mark.parametrize("name", ALIASES)
def test_an_alias(classes: Classes, name: str) -> None:
    """An alias has the strictest class that any source gives to it."""
    assert classes.of("paypal", name) == min(ALIASES[name])


@pytest.mark.parametrize(
    "name",
    ["update_product", "update_plan", "get_merchant_insights", "update_shipment_tracking", "", "Get_order"],
)
def test_an_unclassified_tool(classes: Classes, name: str) -> None:
    """A tool that nobody classified has no class, and no chances are taken with it."""
    assert classes.of("paypal", name) is None
    assert classes.is_sensitive("paypal", name)


def test_tiers() -> None:
    """Five classes, four tiers; a class that does not exist has none."""
    assert [Classes.tier(data_class) for data_class in range(1, 6)] == [
        Tier.RESTRICTED,
        Tier.RESTRICTED,
        Tier.CONFIDENTIAL,
        Tier.INTERNAL,
        Tier.PUBLIC,
    ]
    for nothing in (0, 6, -1):
        with pytest.raises(ValueError, match="not a data class"):
            Classes.tier(nothing)


DAMAGED = {
    "no tools": "aliases: {}",
    "a class that does not exist": "tools: {x: 6}",
    "a class as text": 'tools: {x: "4"}',
    "a class as a truth": "tools: {x: true}",
    "a tool without a name": 'tools: {"": 4}',
    "an unknown part": "tools: {x: 4}\ntool: {y: 4}",
    "the same tool twice": "tools:\n  x: 4\n  x: 1",
    "a tool that is an alias too": "tools: {x: 4}\naliases: {x: 1}",
    "a list": "[]",
    "not YAML": "tools: {",
}


@pytest.mark.parametrize("text", DAMAGED.values(), ids=DAMAGED.keys())
def test_a_damaged_table_is_refused(tmp_path: Path, text: str) -> None:
    """A table with anything wrong in it is not used in part."""
    (tmp_path / "classes").mkdir()
    (tmp_path / "classes" / "data.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(PolicyRefused):
        Classes.load(tmp_path)


def test_a_missing_table_is_refused(tmp_path: Path) -> None:
    """No file is not an empty table."""
    with pytest.raises(PolicyRefused):
        Classes.load(tmp_path)


def test_a_server_with_a_table_of_its_own_is_judged_by_it_alone(tmp_path: Path) -> None:
    """A name of PayPal's means something else there, and a name of its own means nothing elsewhere."""
    folder = tmp_path / "gateway"
    (folder / "classes").mkdir(parents=True)
    text = "tools: {get_order: 4}\naliases: {}\nservers: {depot: {ship_parcel: 4}}\n"
    (folder / "classes" / "data.yaml").write_text(text)
    classes = Classes.load(folder)
    assert (classes.of("paypal", "get_order"), classes.of("depot", "ship_parcel")) == (4, 4)
    assert classes.of("depot", "get_order") is None
    assert classes.is_sensitive("depot", "get_order")
    assert classes.is_sensitive("paypal", "ship_parcel")

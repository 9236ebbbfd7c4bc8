"""What a call costs: from arguments, by lookup, or honestly unknown."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.policy.money import Money
from gateway.upstream.paypal.definitions import TOOLS
from gateway.upstream.paypal.money import lookup_for, money_from, money_of
from gateway.upstream.paypal.simulator import seeds
from gateway.upstream.paypal.simulator.orders import PAYEE, PAYER
from tests.upstream.paypal.conversation import ARGUMENTS, Conversation

UNKNOWN = Money()
NO_MONEY = {name for name, tool in TOOLS.items() if tool.operation.effect == "read"} | {
    *("send_invoice_reminder", "cancel_sent_invoice", "create_shipment_tracking", "create_product"),
    "cancel_subscription",
}


@pytest.mark.parametrize(
    ("tool", "amount"),
    [
        ("create_order", "40.33"),
        ("create_invoice", "32.44"),  # 3 x 9.99 = 29.97, tax of the line 2.47
        ("create_refund", "12.50"),
        ("create_subscription_plan", "119.90"),  # (10 + 99) and 10 % on top
    ],
)
def test_reads_the_amount_from_the_arguments(tool: str, amount: str) -> None:
    """Recomputed from decimal strings, never taken from a stated total."""
    money = money_of(tool, ARGUMENTS[tool])
    assert money is not None
    assert (money.amount, money.currency, money.source) == (amount, "USD", "arguments")


def test_an_invoice_says_who_bills_and_who_is_billed() -> None:
    """Each under one spelling; who is billed twice is named once."""
    billed = [
        {"billing_info": {"email_address": one}}
        for one in ("Bo@example.com", "al@X.example", "bo@example.com")
    ]
    money = money_of("create_invoice", {**ARGUMENTS["create_invoice"], "primary_recipients": billed})
    assert money is not None
    assert money.payee == "shop@example.com"
    assert money.payees == ("shop@example.com",)
    assert money.payers == ("al@x.example", "bo@example.com")


def test_half_a_list_of_payers_is_none() -> None:
    """A recipient without an address is somebody, too: those who are named must not look like all."""
    billed = [{"billing_info": {"email_address": "al@example.com"}}, {"billing_info": {}}]
    money = money_of("create_invoice", {**ARGUMENTS["create_invoice"], "primary_recipients": billed})
    assert money is not None
    assert money.payers == ()


async def all_of(paypal: Conversation, tool: str, arguments: dict[str, Any]) -> tuple[list[str], Money]:
    """The reads in order, as the gateway makes them, and what they tell."""
    answers: list[dict[str, Any]] = []
    reads = []
    while (wanted := lookup_for(tool, arguments, answers)) is not None:
        result = await paypal.call(*wanted)
        reads.append(wanted[0])
        if result["isError"]:
            break
        answers.append(result["structuredContent"])
    return reads, money_from(tool, arguments, answers)


@pytest.mark.parametrize("tool", sorted(NO_MONEY))
def test_says_none_where_no_money_moves(tool: str) -> None:
    """Reads, reminders, cancellations and labels cost nothing."""
    assert money_of(tool, ARGUMENTS[tool]) is None
    assert lookup_for(tool, ARGUMENTS[tool]) is None


def test_decides_for_every_tool() -> None:
    """Each tool that is not in the list above has an answer about money."""
    assert {name for name in TOOLS if money_of(name, ARGUMENTS[name]) is None} == NO_MONEY


def test_does_not_count_a_change_without_an_amount() -> None:
    """A subscription's new address costs nothing."""
    assert money_of("update_subscription", {"subscription_id": "I-1", "custom_id": "x"}) is None


MERCHANT = PAYEE["merchant_id"]
BUYER = PAYER["payer_id"]
OPEN_REFUND = {"capture_id": seeds.CAPTURE}


async def test_an_open_refund_costs_what_is_left(paypal: Conversation) -> None:
    """Captured less what was refunded before, given back to whoever paid, by whoever was paid."""
    assert money_of("create_refund", OPEN_REFUND) == UNKNOWN
    reads, money = await all_of(paypal, "create_refund", OPEN_REFUND)
    assert reads == ["get_capture", "get_order"]
    whole = Money(
        amount="100.00", currency="USD", payee=BUYER, payees=(BUYER,), payers=(MERCHANT,), source="lookup"
    )
    assert money == whole
    for value, left in (("12.50", "87.50"), ("87.49", "0.01")):
        amount = {"currency_code": "USD", "value": value}
        await paypal.call("create_refund", {**OPEN_REFUND, "amount": amount})
        _, money = await all_of(paypal, "create_refund", OPEN_REFUND)
        assert money.amount == left
    await paypal.call("create_refund", OPEN_REFUND)
    _, money = await all_of(paypal, "create_refund", OPEN_REFUND)
    assert money == UNKNOWN


async def test_a_refund_of_an_amount_names_its_payee_too(paypal: Conversation) -> None:
    """The amount is the arguments' own; who gets it only PayPal knows."""
    _, money = await all_of(paypal, "create_refund", ARGUMENTS["create_refund"])
    assert (money.amount, money.source, money.payee) == ("12.50", "arguments", BUYER)


async def test_what_a_person_pays_and_gets_back_is_one_party(paypal: Conversation) -> None:
    """The buyer of a refund, of a dispute and of an order, and its merchant, have one name each."""
    _, refund = await all_of(paypal, "create_refund", ARGUMENTS["create_refund"])
    _, dispute = await all_of(paypal, "accept_dispute_claim", ARGUMENTS["accept_dispute_claim"])
    _, order = await all_of(paypal, "pay_order", {"id": seeds.COMPLETED_ORDER})
    assert (refund.payees, refund.payers) == (dispute.payees, dispute.payers) == (order.payers, order.payees)


async def test_a_new_price_is_that_of_each_of_them(paypal: Conversation) -> None:
    """Attack: the price of one looks small; the subscription is for forty."""
    arguments = {
        "subscription_id": seeds.ACTIVE_SUBSCRIPTION,
        "currency_code": "USD",
        "fixed_price": {"sequence": 1, "value": "11.50"},
    }
    assert money_of("update_subscription", arguments) == UNKNOWN
    paypal.simulator.ledger.subscriptions[seeds.ACTIVE_SUBSCRIPTION]["quantity"] = "40"
    _, money = await all_of(paypal, "update_subscription", arguments)
    assert (money.amount, money.source, money.payers) == ("460.00", "lookup", ("2J6QB8YJQSJRJ",))


TAXED = {"subscription_id": seeds.ACTIVE_SUBSCRIPTION, "taxes_percentage": "100"}
PRICED = {**TAXED, "currency_code": "USD", "fixed_price": {"sequence": 1, "value": "9000.00"}}


@pytest.mark.parametrize(
    ("arguments", "amount"),
    [
        (PRICED, "18000.00"),
        ({**PRICED, "taxes_inclusive": True}, "9000.00"),
        ({**PRICED, "taxes_inclusive": False, "shipping_amount": "2.50"}, "18002.50"),
        (TAXED, "19.98"),
        ({**TAXED, "taxes_percentage": "0"}, "9.99"),
        ({"subscription_id": seeds.ACTIVE_SUBSCRIPTION, "taxes_inclusive": False}, "9.99"),
    ],
)
async def test_a_tax_on_top_is_part_of_the_charge(
    paypal: Conversation, arguments: dict[str, Any], amount: str
) -> None:
    """Attack: the price stays below a limit, and the tax doubles it."""
    assert money_of("update_subscription", arguments) == UNKNOWN
    reads, money = await all_of(paypal, "update_subscription", arguments)
    assert reads == ["show_subscription_details", "show_subscription_plan_details"]
    assert (money.amount, money.currency, money.source) == (amount, "USD", "lookup")


async def test_a_tax_that_is_there_already_is_part_of_the_charge(paypal: Conversation) -> None:
    """Attack: in two calls, the tax first. The subscription's own counts before its plan's."""
    ledger = paypal.simulator.ledger
    ledger.plans[seeds.PLAN]["taxes"] = {"percentage": "10", "inclusive": False}
    alone = {name: value for name, value in PRICED.items() if name != "taxes_percentage"}
    _, money = await all_of(paypal, "update_subscription", alone)
    assert money.amount == "9900.00"
    await paypal.call("update_subscription", TAXED)
    _, money = await all_of(paypal, "update_subscription", alone)
    assert money.amount == "18000.00"
    await paypal.call("update_subscription", alone)
    _, money = await all_of(paypal, "update_subscription", TAXED)
    assert money.amount == "18000.00"


async def test_a_new_price_without_its_plan_is_unknown(paypal: Conversation) -> None:
    """Nobody knows the tax on it; and another plan than the subscription's tells nothing."""
    subscription = paypal.simulator.ledger.subscriptions[seeds.ACTIVE_SUBSCRIPTION]
    plan = paypal.simulator.ledger.plans[seeds.PLAN]
    for answers in ([], [subscription], [subscription, {**plan, "id": "P-OTHER"}]):
        assert money_from("update_subscription", PRICED, answers) == UNKNOWN
    assert (
        money_from("update_subscription", {**PRICED, "currency_code": "JPY"}, [subscription, plan]) == UNKNOWN
    )
    assert money_from("update_subscription", PRICED, [subscription, plan]) != UNKNOWN


def test_a_change_of_the_balance_says_itself() -> None:
    """An amount that stands in the arguments needs no lookup; without an answer nobody is named as payer."""
    arguments = {"subscription_id": "I-1", "currency_code": "USD", "outstanding_balance": "5.00"}
    assert money_of("update_subscription", arguments) == Money(
        amount="5.00", currency="USD", source="arguments"
    )


@pytest.mark.parametrize(
    ("tool", "read", "expected"),
    [
        (
            "pay_order",
            "get_order",
            Money(
                amount="40.00",
                currency="USD",
                payee="6QLBVWNT7LP4E",
                payees=("6QLBVWNT7LP4E",),
                payers=("QYR5Z8XDVJNXQ",),
                source="lookup",
            ),
        ),
        (
            "send_invoice",
            "get_invoice",
            Money(
                amount="59.80",
                currency="USD",
                payee="merchant@example.com",
                payees=("merchant@example.com",),
                payers=("buyer@example.com",),
                source="lookup",
            ),
        ),
        (
            "accept_dispute_claim",
            "get_dispute",
            Money(
                amount="25.00",
                currency="USD",
                payee="QYR5Z8XDVJNXQ",
                payees=("QYR5Z8XDVJNXQ",),
                payers=("6QLBVWNT7LP4E",),
                source="lookup",
            ),
        ),
        # setup fee 5.00, two at 9.99, shipping 3.00
        (
            "create_subscription",
            "show_subscription_plan_details",
            Money(amount="27.98", currency="USD", payers=("al@example.com",), source="lookup"),
        ),
    ],
)
async def test_looks_up_what_the_arguments_do_not_say(
    paypal: Conversation, tool: str, read: str, expected: Money
) -> None:
    """The named read tool, called with the named arguments, tells the amount."""
    assert money_of(tool, ARGUMENTS[tool]) == UNKNOWN
    wanted = lookup_for(tool, ARGUMENTS[tool])
    assert wanted is not None
    assert wanted[0] == read
    _, money = await all_of(paypal, tool, ARGUMENTS[tool])
    assert money == expected


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"purchase_units": []},
        {"purchase_units": [{"amount": {"currency_code": "USD", "value": "1e9"}}]},
        {"purchase_units": [{"amount": {"currency_code": "USD", "value": 5}}]},
        {"purchase_units": [{"amount": {"currency_code": "USD", "value": "-5.00"}}]},
        {"purchase_units": [{"amount": {"currency_code": "usd", "value": "5.00"}}]},
        {"purchase_units": [{"amount": {"currency_code": c, "value": "5"}} for c in ("USD", "EUR")]},
        {"purchase_units": "x"},
        {"error": {"name": "RESOURCE_NOT_FOUND"}},
    ],
)
def test_does_not_guess_from_a_broken_answer(answer: dict[str, Any]) -> None:
    """Whatever the lookup brings that is not one clear amount is unknown."""
    assert money_from("pay_order", {"id": "X"}, [answer]) == UNKNOWN


def test_counts_all_units_of_an_order() -> None:
    """An order of several units costs their sum."""
    units = [{"amount": {"currency_code": "JPY", "value": value}} for value in ("100", "23")]
    money = money_from("pay_order", {"id": "X"}, [{"purchase_units": units}])
    assert (money.amount, money.currency, money.source) == ("123", "JPY", "lookup")
    assert (money.payee, money.payees) == (None, ())


ONE = {"amount": {"currency_code": "USD", "value": "1.00"}, "payee": {"merchant_id": MERCHANT}}
OTHER = {
    "amount": {"currency_code": "USD", "value": "999.00"},
    "payee": {"email_address": "Mallory@x.example"},
}
TAKING = {
    **ONE,
    "payment_instruction": {
        "platform_fees": [{"amount": ONE["amount"], "payee": {"email_address": "fee@x.example"}}]
    },
}


@pytest.mark.parametrize(
    ("units", "payee", "payees"),
    [
        ([ONE, ONE], MERCHANT, (MERCHANT,)),
        ([ONE, OTHER], None, (MERCHANT, "mallory@x.example")),
        ([OTHER, ONE], None, (MERCHANT, "mallory@x.example")),
        ([TAKING], None, (MERCHANT, "fee@x.example")),
        ([ONE, {"amount": ONE["amount"]}], None, ()),
        ([{**ONE, "payee": {"merchant_id": "nobody", "email_address": ""}}], None, ()),
    ],
    ids=["one", "two", "two the other way round", "a fee", "one unnamed", "no name that is one"],
)
def test_names_everybody_whom_an_order_pays(
    units: list[dict[str, Any]], payee: str | None, payees: tuple[str, ...]
) -> None:
    """One payee is the payee; several are several; where one is not known, nobody is told as if it were all."""
    money = money_from("pay_order", {"id": "X"}, [{"id": "X", "purchase_units": units}])
    assert (money.payee, money.payees) == (payee, payees)


def test_takes_the_dearest_tier_of_a_plan() -> None:
    """A plan with tiers costs its dearest, times the quantity."""
    money = {"currency_code": "EUR", "value": "2.00"}
    dear = {"currency_code": "EUR", "value": "3.00"}
    plan = {"billing_cycles": [{"pricing_scheme": {"tiers": [{"amount": money}, {"amount": dear}]}}]}
    found = money_from("create_subscription", {"plan_id": "P-1", "quantity": "4"}, [plan])
    assert found == Money(amount="12.00", currency="EUR", source="lookup")


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(("USD", "1.00")),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ("items", "amount", "value", "currency_code", "detail", "quantity", "unit_amount", "itemCost")
            )
            | st.sampled_from(
                ("currencyCode", "purchase_units", "billing_cycles", "pricing_scheme", "fixed_price")
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(tool=st.sampled_from(sorted(TOOLS)), arguments=st.dictionaries(st.text(max_size=5), JSON), answer=JSON)
def test_never_raises(tool: str, arguments: dict[str, Any], answer: Any) -> None:
    """Arguments are judged before they are validated: malformed ones are unknown, not an exception."""
    told = money_of(tool, arguments)
    answers = [answer if isinstance(answer, dict) else {"amount": answer}] * 3
    for money in (told, *(money_from(tool, arguments, answers[:told_by]) for told_by in range(4))):
        assert money is None or (money.amount is None) == (money.source == "unknown")
    for told_by in range(4):
        lookup_for(tool, arguments, answers[:told_by])

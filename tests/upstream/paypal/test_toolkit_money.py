"""What a call in the toolkit's words costs: the sum that PayPal charges, and never what the caller claims."""

from typing import Any

from gateway.policy.amounts import Amounts
from gateway.policy.money import Money
from gateway.upstream.paypal import toolkit_money
from gateway.upstream.paypal.toolkit import Toolkit
from tests.support.toolkit_server import NO_RESPONSE, running_toolkit
from tests.support.walking import a_call


def test_an_order_in_numbers() -> None:
    """Recomputed from the text of the numbers; no float is added up."""
    order: dict[str, Any] = {
        "currencyCode": "USD",
        "items": [{"name": "Tea", "quantity": 3, "itemCost": 0.1, "itemTotal": 0.3}],
        "shippingCost": 0.2,
        "discount": 0,
    }
    money = toolkit_money.money_of("create_order", order)
    assert money is not None
    assert (money.amount, money.currency, money.source) == ("0.50", "USD", "arguments")


def test_a_change_without_a_currency() -> None:
    """Is in dollars: the toolkit knows no other."""
    change = {"subscription_id": "I-1", "fixed_price": {"value": "3.00", "sequence": 1}}
    answers = [{"id": "I-1", "plan_id": "P-1", "quantity": "2"}]
    assert toolkit_money.lookup_for("update_subscription", change, answers) == (
        "show_subscription_plan_details",
        {"plan_id": "P-1"},
    )
    price = {"currency_code": "USD", "value": "2.00"}
    plan = {"id": "P-1", "billing_cycles": [{"sequence": 1, "pricing_scheme": {"fixed_price": price}}]}
    money = toolkit_money.money_from("update_subscription", change, [*answers, plan])
    assert (money.amount, money.currency) == ("6.00", "USD")


def test_nothing_there_reads_a_capture() -> None:
    """A refund without an amount stays unknown; one with an amount costs that, and nobody knows whom it goes to."""
    refund: dict[str, Any] = {"capture_id": "3C679366HH908993F"}
    assert toolkit_money.lookup_for("create_refund", refund) is None
    assert toolkit_money.money_of("create_refund", refund) == Money()
    refund["amount"] = {"currency_code": "USD", "value": "5.00"}
    assert toolkit_money.money_of("create_refund", refund) == Money(
        amount="5.00", currency="USD", source="arguments"
    )


async def test_an_amount_is_looked_up_in_the_toolkits_text() -> None:
    """Its answers have no structured part; one that is an error tells no amount."""
    async with running_toolkit() as (toolkit, bare):
        amounts = Amounts({"pp": toolkit_money}, {"pp": Toolkit(bare)})
        capture = a_call("pay_order", {"id": "5O190127TN364715T"}, server="pp")
        toolkit.answer = {"purchase_units": [{"amount": {"currency_code": "USD", "value": "49.00"}}]}
        assert await amounts.of(capture) == Money(amount="49.00", currency="USD", source="lookup")
        toolkit.answer = NO_RESPONSE
        assert await amounts.of(capture) == Money()
        traversal = a_call("pay_order", {"id": "../../x"}, server="pp")
        before = len(toolkit.requests)
        assert await amounts.of(traversal) == Money()
        assert len(toolkit.requests) == before

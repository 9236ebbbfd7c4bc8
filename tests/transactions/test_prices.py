"""What would be sent again moves what was countersigned, or is not sent."""

from __future__ import annotations

import msgspec
import pytest

from gateway.door.call import ToolCall
from gateway.policy.money import Money
from gateway.transactions.prices import as_countersigned
from tests.support.transactions import KEPT, a_transaction

SIGNED = Money(amount="1.00", currency="USD", payee="a", payees=("a",), payers=("b",), source="lookup")


class Target:
    """Says one price, and keeps what it was asked about."""

    def __init__(self, money: Money | None) -> None:
        self.money = money
        self.asked: list[ToolCall] = []

    async def of(self, call: ToolCall) -> Money | None:
        """See ``Prices.of``."""
        self.asked.append(call)
        return self.money


async def test_the_same_money_is_the_same_call() -> None:
    """Looked up for the very arguments, with nobody's token."""
    target = Target(SIGNED)
    assert await as_countersigned(target, a_transaction(money=SIGNED), KEPT)
    (call,) = target.asked
    assert (call.tool, call.arguments, call.arguments_hash) == (
        "create_refund",
        KEPT,
        a_transaction().arguments_hash,
    )
    assert call.credentials.bearer is None


@pytest.mark.parametrize(
    "now",
    [
        None,
        Money(),
        *(
            msgspec.structs.replace(SIGNED, **{name: other})
            for name, other in {
                "amount": "1000.00",
                "currency": "EUR",
                "payee": "mallory",
                "payees": ("a", "mallory"),
                "payers": ("c",),
            }.items()
        ),
    ],
)
async def test_any_other_money_is_another_call(now: Money | None) -> None:
    """Dearer, in another currency, to or from somebody else, or not known: nothing is sent."""
    assert not await as_countersigned(Target(now), a_transaction(money=SIGNED), KEPT)


async def test_a_call_that_moves_none_still_moves_none() -> None:
    """A product, say."""
    assert await as_countersigned(Target(None), a_transaction(money=None), KEPT)

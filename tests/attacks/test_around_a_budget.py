"""Around a budget: over the edge of its window, under another spelling of the payee, in another currency, as another
caller, by calls that are taken back. The target sees no more than fits."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.outcome.answer import Again, Executed, Refused
from gateway.policy.money import Money
from gateway.upstream.target import Effect, Reply
from gateway.walk import walk
from tests.support.walking import OTHER, PAY, READ, Rooms, StaticMoney, a_call, a_reason, an_answer, rooms

WINDOW_S = 3600
LIMIT: dict[str, Any] = {
    "budget": "hourly",
    "per": ["payee"],
    "currency": "USD",
    "limit": "100.00",
    "window_seconds": WINDOW_S,
}


def held_to(limit: Mapping[str, Any]) -> Any:
    """A policy that allows at once what fits, and refuses what has another currency or no payee, as the shipped one."""

    def answering(question: dict[str, Any]) -> dict[str, Any]:
        money, usage = question["money"], question["usage"]
        if money is None:
            return an_answer("allow")
        if money["currency"] != limit["currency"] or not usage["payees"]:
            return an_answer("deny", reasons=[a_reason("deny", "budget.currency_not_limited")])
        counted = (usage["budgets"] or {}).get(limit["budget"])
        obligations = {"limits": [limit]}
        if (
            counted is not None
            and counted["spent"] + counted["reserved"] + counted["amount"] > counted["limit"]
        ):
            exceeded = [a_reason("deny", "budget.exceeded")]
            return an_answer("deny", reasons=exceeded, obligations=obligations)
        return an_answer("allow", obligations=obligations)

    return answering


class Paying(StaticMoney):
    """The money is what the arguments say."""

    def money_of(self, tool: str, arguments: Mapping[str, Any]) -> Money | None:
        """See ``MoneyRules.money_of``."""
        return None if tool == READ else Money(**arguments, source="arguments")


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Rooms]:
    """All rooms, a budget by payee, and nothing that asks for a second signature."""
    async with rooms(tmp_path, rules=Paying()) as running:
        running.engine.answering = held_to(LIMIT)
        yield running


async def pay(house: Rooms, amount: str, payee: str = "shop@example.com", **how: Any) -> str:
    """One payment: how it ended."""
    currency = how.pop("currency", "USD")
    answer = await walk(
        a_call(PAY, {"amount": amount, "currency": currency, "payee": payee}, **how), house.house
    )
    assert isinstance(answer, Executed | Refused | Again)
    return type(answer).__name__.lower()


async def test_twice_the_limit_does_not_fit_around_any_edge(house: Rooms) -> None:
    """All of it just before an hour is full, and again just after: no instant is an edge."""
    for ahead in (3590.0, 3599.999, 7199.0):
        house.clock.advance(ahead)
        assert await pay(house, "100.00") == "executed"
        house.clock.advance(20)
        assert await pay(house, "0.01") == "refused"
        house.clock.advance(WINDOW_S - 20.001)
        assert await pay(house, "0.01") == "refused"
        house.clock.advance(0.001)
    assert len(house.upstream.calls) == 3


async def test_another_spelling_of_the_payee_is_the_same_payee(house: Rooms) -> None:
    """Case, blanks, full width and what cannot be seen bring no budget of one's own."""
    assert await pay(house, "60.00") == "executed"
    for payee in ("SHOP@example.com", " shop@example.com", "shop@example.com\u200b", "\uff53hop@example.com"):
        assert await pay(house, "60.00", payee) == "refused"
    assert await pay(house, "40.00", "Shop@Example.Com") == "executed"
    assert await pay(house, "60.00", "other@example.com") == "executed"
    assert await pay(house, "1.00", "\u200b") == "refused"
    assert len(house.upstream.calls) == 3


async def test_another_currency_is_not_unlimited(house: Rooms) -> None:
    """Nothing is converted: what has no limit is refused, and what is no currency cannot be counted."""
    for currency in ("EUR", "usd", "XXX", "JPY"):
        assert await pay(house, "60.00", currency=currency) == "refused"
    assert house.upstream.calls == []


async def test_another_caller_shares_what_is_shared(house: Rooms) -> None:
    """A budget that is not by caller is not had twice with two tokens."""
    assert await pay(house, "60.00") == "executed"
    assert await pay(house, "60.00", bearer=OTHER) == "refused"
    assert len(house.upstream.calls) == 1


async def test_fractions_that_no_double_holds_are_counted_exactly(house: Rooms) -> None:
    """A hundred times ten cents and the rest are the limit, to the cent; a fraction of a cent cannot be counted."""
    for _ in range(100):
        assert await pay(house, "0.10") == "executed"
    assert await pay(house, "90.01") == "refused"
    assert await pay(house, "0.001") == "refused"
    assert await pay(house, "90.00") == "executed"
    assert await pay(house, "0.01") == "refused"


async def test_a_refusal_that_is_none_frees_nothing(house: Rooms) -> None:
    """An error that says nothing about the effect, and an error after the effect, are spent."""
    error = msgspec.Raw(b'{"content":[],"isError":true}')
    for effect in (Effect.UNKNOWN, Effect.EXECUTED):
        house.upstream.reply = Reply(effect=effect, result=error, is_error=True)
        assert await pay(house, "50.00") == "executed"
    assert await pay(house, "0.01") == "refused"

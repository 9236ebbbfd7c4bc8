"""Which accounts a call counts on: pure."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.budget.account import Account, Count, counts_of, read_account
from gateway.policy.decision import LimitObligation
from gateway.policy.money import Money
from gateway.policy.question import Asked
from gateway.state.ledger import Standing
from gateway.state.store import MAX_KEY_BYTES, key_bytes
from tests.support.walking import CALLER, a_call, an_asked


def a_limit(**members: Any) -> LimitObligation:
    """One of the policy's answer."""
    return LimitObligation(
        **{
            "budget": "daily",
            "per": (),
            "currency": "USD",
            "limit": "100.00",
            "window_seconds": 86400,
            **members,
        }
    )


def counted(asked: Asked, *limits: LimitObligation) -> list[Count]:
    """What is reserved for a call that can be counted."""
    counts = counts_of(asked, limits)
    assert counts is not None
    return counts


def test_what_has_an_account_of_its_own() -> None:
    """Caller, tool and payee where the policy says so; always the budget and the currency."""
    asked = an_asked(a_call("pay_bill"))
    shared, own = counted(asked, a_limit(), a_limit(budget="own", per=("caller", "tool", "payee")))
    assert shared.accounts == ('["daily","USD",null,null,null]',)
    assert [read_account(one) for one in own.accounts] == [
        Account("own", "USD", CALLER.principal, "pay_bill", "shop")
    ]
    assert (shared.amount, shared.bound) == (1200, 10_000)


def test_two_callers_with_one_subject_are_two() -> None:
    """The issuer belongs to the name."""
    other = msgspec.structs.replace(CALLER, issuer="https://other.example")
    keys = [
        counts_of(an_asked(caller=caller), [a_limit(per=("caller",))]) for caller in (CALLER, other, CALLER)
    ]
    assert keys[0] == keys[2] != keys[1]


@pytest.mark.parametrize(
    ("members", "limits"),
    [
        ({"money": None}, [a_limit()]),
        ({"money": Money()}, [a_limit()]),
        ({}, [a_limit(currency="EUR")]),
        ({"money": Money(amount="12.00", currency="JPY")}, [a_limit(currency="JPY", limit="100")]),
        ({}, [a_limit(limit="100.001")]),
        ({"money": Money(amount="12.00", currency="XXX")}, [a_limit(currency="XXX")]),
        ({"money": Money(amount="12.00", currency="USD")}, [a_limit(per=("payee",))]),
        ({}, [a_limit(), a_limit()]),
        ({}, [a_limit(budget=f"b{n}") for n in range(33)]),
    ],
)
def test_what_cannot_be_counted(members: dict[str, Any], limits: list[LimitObligation]) -> None:
    """It is not counted a little: the call must not go on."""
    assert counts_of(an_asked(**members), limits) is None


def test_the_facts_are_those_of_the_fullest_account() -> None:
    """One payee that has had all of it is enough."""
    (count,) = counted(an_asked(), a_limit())
    fact = count.counted([Standing(1, 2), Standing(0, 9), Standing(5, 0)])
    assert (fact.spent, fact.reserved, fact.limit, fact.amount) == (9, 0, 10_000, 1200)
    assert [line.ttl_s for line in (*count.lines(35.0), *count.lines(None))] == [35.0, 86400.0]


@given(subject=st.text(max_size=300), payee=st.text(min_size=1, max_size=300))
def test_any_caller_and_payee_has_a_name_in_the_store(subject: str, payee: str) -> None:
    """Whatever they are called: it fits, it can be read again, and it is one of its own."""
    caller = msgspec.structs.replace(CALLER, subject=subject)
    money = Money(amount="1.00", currency="USD", payee=f"x{payee}", source="arguments")
    counts = counts_of(an_asked(caller=caller, money=money), [a_limit(per=("caller", "tool", "payee"))])
    assert counts is not None
    (key,) = counts[0].accounts
    assert len(key_bytes(key)) <= MAX_KEY_BYTES
    assert read_account(key) is not None


@pytest.mark.parametrize("key", ["", "[]", "{}", "x", '["a"]', "\ud800"])
def test_a_name_that_is_none_of_ours(key: str) -> None:
    """It is not an account; looking at it breaks nothing."""
    assert read_account(key) is None

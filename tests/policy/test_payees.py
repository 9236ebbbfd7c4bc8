"""Attack: the same payee in another spelling."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.policy.money import Money
from gateway.policy.payees import one_spelling, payees_of

SPELLINGS = [
    "shop@example.com",
    "Shop@Example.COM",
    " shop@example.com ",
    "shop@example.com\u200b",
    "\u2060shop@exam\u00adple.com",
    "shop@example.com\u0000",
    "\uff53\uff48\uff4f\uff50@example.com",
    "SHOP@EXAMPLE\uff0eCOM",
    "shop @example.com",
    "shop@example.com\r\n",
]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_one_payee_has_one_spelling(spelling: str) -> None:
    """Case, blanks, full width, and what cannot be seen."""
    assert payees_of(Money(payee=spelling)) == ("shop@example.com",)


@pytest.mark.parametrize("other", ["shop@example.org", "shop2@example.com", "sh\u043ep@example.com"])
def test_another_payee_is_another(other: str) -> None:
    """A letter of another script is an address of somebody else."""
    assert one_spelling(other) != "shop@example.com"


@pytest.mark.parametrize("money", [None, Money(), Money(payee=""), Money(payee=" \u200b")])
def test_nobody(money: Money | None) -> None:
    """What shows nothing names nobody."""
    assert payees_of(money) == ()


class Several(Money, frozen=True, kw_only=True):
    """Money that goes to more than one."""

    payees: tuple[str, ...] = ()


def test_several_payees_are_counted_each() -> None:
    """Once for each, whatever they are spelt like; one of whom nothing can be seen makes all of them unknown."""
    assert payees_of(Several(payees=("B@x.example", "a@x.example", " b@X.example"))) == (
        "b@x.example",
        "a@x.example",
    )
    assert payees_of(Several(payees=("a@x.example", "\u200b"))) == ()
    assert payees_of(Several(payee="a@x.example")) == ("a@x.example",)


@given(st.text(max_size=60))
def test_a_spelling_is_its_own(payee: str) -> None:
    """Spelling it again changes nothing, so an operator's list can be written in it."""
    once = one_spelling(payee)
    assert one_spelling(once) == once

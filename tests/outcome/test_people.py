"""Which names are one person."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.outcome.people import same_name, seem_enough, with_one_spelling
from gateway.policy.decision import AtLeast, ConfirmObligation
from tests.support.waiting import a_pending, a_signature

PENDING = a_pending()


def names(*who: str, caller: str = "agent-one") -> list[str]:
    """The names that the policy gets to compare."""
    return [
        one.who for one in with_one_spelling((a_signature(PENDING, who=name) for name in who), caller=caller)
    ]


@pytest.mark.parametrize("other", ["BOB", " bob ", "\uff22ob", "bob\u2003"])
def test_one_person_has_one_name(other: str) -> None:
    """Spelt as at first."""
    assert names("bob", other) == ["bob", "bob"]
    assert names(other, "bob") == [other, other]


@pytest.mark.parametrize("other", ["eve", "bob2", "b\u043eb", "bo b"])
def test_two_people_have_two(other: str) -> None:
    """A look-alike is somebody else; its approval was given by whoever has that name at the identity provider."""
    assert len(set(names("bob", other))) == 2


@pytest.mark.parametrize("own", ["AGENT-ONE", "\uff41gent-one", " agent-one"])
def test_the_caller_is_the_caller_however_it_is_spelt(own: str) -> None:
    """So that the policy's rule against confirming one's own call sees it."""
    assert names("bob", own) == ["bob", "agent-one"]


@given(st.text(), st.text())
def test_the_same_is_the_same_both_ways(one: str, other: str) -> None:
    """And everything is itself."""
    assert same_name(one, other) == same_name(other, one)
    assert same_name(one, one)


@given(st.lists(st.text(max_size=5), max_size=6), st.text(max_size=5))
def test_no_confirmation_is_lost_and_nothing_but_names_moves(who: list[str], caller: str) -> None:
    """The count of confirmations stays; each name is somebody's whom it was."""
    spelt = names(*who, caller=caller)
    assert len(spelt) == len(who)
    assert all(same_name(one, other) for one, other in zip(spelt, who, strict=True))


def test_two_of_one_kind_do_not_seem_enough_where_it_takes_another() -> None:
    """And what was signed under another picture counts as nothing."""
    two = ConfirmObligation(by=("agent", "human"), quorum=2, at_least=AtLeast(human=1))
    agents = [a_signature(PENDING, who=name, by="agent") for name in ("guard", "warden")]
    person = a_signature(PENDING, who="bob")
    here = PENDING.view.view_hash
    assert not seem_enough(agents, two, here)
    assert seem_enough([agents[0], person], two, here)
    assert not seem_enough([agents[0], person], two, "f" * 64)
    assert not seem_enough([agents[0], person, person], ConfirmObligation(by=("human",), quorum=3), here)

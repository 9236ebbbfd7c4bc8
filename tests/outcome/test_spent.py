"""What a gateway remembers of tokens that it took."""

from __future__ import annotations

from gateway.outcome.spent import Spent


def test_a_name_is_first_once() -> None:
    """Also when others came in between."""
    spent = Spent()
    assert [spent.first(name) for name in ("a", "b", "a", "b", "c")] == [True, True, False, False, True]


def test_the_memory_is_bounded() -> None:
    """The oldest goes first: by then its token has long expired."""
    spent = Spent(most=2)
    assert [spent.first(name) for name in ("a", "b", "c", "b", "c", "a")] == [
        True,
        True,
        True,
        False,
        False,
        True,
    ]

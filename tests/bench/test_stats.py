"""Quantiles, spreads and in-round ratios."""

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bench.stats import quantile, ratios, spread

FIGURES = st.floats(min_value=0, max_value=1e6)


@given(st.lists(FIGURES, min_size=2, max_size=40))
def test_quartiles_agree_with_the_standard_library(values: list[float]) -> None:
    """Quartiles are those of `statistics.quantiles` with inclusive ranks."""
    expected = statistics.quantiles(values, n=4, method="inclusive")
    assert [quantile(values, q) for q in (0.25, 0.5, 0.75)] == pytest.approx(expected)


def test_the_ends_of_a_list_are_its_extreme_quantiles() -> None:
    """q = 0 is the least value and q = 1 the greatest, in whatever order they come."""
    assert (quantile([3, 1, 2], 0), quantile([3, 1, 2], 1)) == (1, 3)


@pytest.mark.parametrize(("values", "q"), [([], 0.5), ([1.0], 1.1), ([1.0], -0.1)])
def test_a_quantile_that_does_not_exist_is_refused(values: list[float], q: float) -> None:
    """No values, or a q outside 0..1, is an error and no number."""
    with pytest.raises(ValueError, match=r"no values|between 0 and 1"):
        quantile(values, q)


def test_no_values_have_no_spread() -> None:
    """An empty list says nothing, not zero."""
    assert spread([]) is None


def test_ratios_compare_a_round_with_the_same_round_only() -> None:
    """Rounds that one side lacks, and rounds in which the base is zero, are left out."""
    assert ratios({1: 6.0, 2: 8.0, 3: 9.0, 4: 1.0}, {2: 4.0, 3: 3.0, 4: 0.0, 5: 1.0}) == [2.0, 3.0]

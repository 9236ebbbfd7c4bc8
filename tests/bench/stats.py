"""Medians, quartiles and in-round ratios: what the noise of a shared machine leaves meaningful."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec


class Spread(msgspec.Struct, frozen=True):
    """Median and interquartile range of `n` values (n >= 1)."""

    median: float
    q1: float
    q3: float
    n: int


def quantile(values: Sequence[float], q: float) -> float:
    """The q-quantile (0 <= q <= 1) by linear interpolation of the closest ranks; ValueError when empty."""
    if not values:
        raise ValueError("no values")
    if not 0 <= q <= 1:
        raise ValueError(f"a quantile lies between 0 and 1, not at {q}")
    ordered = sorted(values)
    place = q * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def spread(values: Sequence[float]) -> Spread | None:
    """Median and quartiles, or None when there is no value."""
    if not values:
        return None
    return Spread(quantile(values, 0.5), quantile(values, 0.25), quantile(values, 0.75), len(values))


def ratios(of: Mapping[int, float], to: Mapping[int, float]) -> list[float]:
    """`of` / `to`, round by round; rounds in which either is missing or `to` is 0 say nothing and are left
    out.
    """
    return [of[number] / to[number] for number in sorted(of.keys() & to.keys()) if to[number] > 0]

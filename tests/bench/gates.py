"""Gates: `LEG<=BARxBASE[@CONCURRENCY]`, judged on in-round ratios of CPU per call.

`gateway+opa<=3.0xstar-raw` holds for every leg whose name is `gateway+opa` or begins with `gateway+opa-`.
A gate fails only when the whole interquartile range lies beyond the bar: on a shared machine a median
alone proves nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Literal

import msgspec

from tests.bench.stats import Spread

# Quartiles of fewer values are hardly more than the values themselves.
MIN_ROUNDS = 4

Outcome = Literal["pass", "undecided", "fail", "unjudged"]

_GATE = re.compile(
    r"(?P<leg>[a-z][a-z0-9+-]*)(?P<sign><=|>=)(?P<bar>\d+(?:\.\d+)?)x(?P<base>[a-z][a-z0-9+-]*)(?:@(?P<c>[1-9]\d*))?"
)


class Gate(msgspec.Struct, frozen=True):
    """A bar for the ratio CPU(leg) / CPU(base); `concurrency` None means every one that was run."""

    text: str
    leg: str
    sign: Literal["<=", ">="]
    bar: float
    base: str
    concurrency: int | None

    def names(self, leg: str) -> bool:
        """Does this gate speak of that leg?"""
        return leg == self.leg or leg.startswith(self.leg + "-")


class Verdict(msgspec.Struct, frozen=True):
    """One gate applied to one leg at one concurrency; `ratio` None only when unjudged."""

    gate: str
    leg: str
    concurrency: int
    ratio: Spread | None
    outcome: Outcome
    why: str


def parse_gate(text: str) -> Gate:
    """Read a gate; blanks are ignored. ValueError with the expected form when it is not one."""
    match = _GATE.fullmatch("".join(text.split()))
    if match is None:
        raise ValueError(
            f"{text!r} is not a gate; write LEG<=BARxBASE, for example gateway+opa<=3.0xstar-raw@16"
        )
    return Gate(
        text="".join(text.split()),
        leg=match["leg"],
        sign="<=" if match["sign"] == "<=" else ">=",
        bar=float(match["bar"]),
        base=match["base"],
        concurrency=int(match["c"]) if match["c"] else None,
    )


def judge_ratio(gate: Gate, ratio: Spread | None) -> tuple[Outcome, str]:
    """The outcome for one ratio, and why in a few words."""
    if ratio is None:
        return "unjudged", f"no round has clean figures for both the leg and {gate.base}"
    if ratio.n < MIN_ROUNDS:
        return "unjudged", f"{ratio.n} rounds; quartiles need {MIN_ROUNDS}"
    lower, upper = ratio.q1, ratio.q3
    if gate.sign == ">=":
        within, beyond = lower >= gate.bar, upper < gate.bar
    else:
        within, beyond = upper <= gate.bar, lower > gate.bar
    if beyond:
        return "fail", "the whole interquartile range lies beyond the bar"
    if within:
        return "pass", "the whole interquartile range keeps the bar"
    return "undecided", "the interquartile range straddles the bar; run more rounds"


def apply_gates(
    gates: Iterable[Gate],
    legs: Iterable[str],
    concurrencies: Iterable[int],
    ratio_of: Callable[[str, str, int], Spread | None],
) -> list[Verdict]:
    """Judge every gate on every leg and concurrency it names; one that names nothing that ran is unjudged."""
    verdicts: list[Verdict] = []
    known, levels = list(legs), list(concurrencies)
    for gate in gates:
        named = [leg for leg in known if gate.names(leg)]
        wanted = [level for level in levels if gate.concurrency in (None, level)]
        for leg in named:
            for level in wanted:
                ratio = ratio_of(leg, gate.base, level)
                outcome, why = judge_ratio(gate, ratio)
                verdicts.append(Verdict(gate.text, leg, level, ratio, outcome, why))
        if not named or not wanted:
            missing = f"leg {gate.leg}" if not named else f"concurrency {gate.concurrency}"
            verdicts.append(
                Verdict(
                    gate.text, gate.leg, gate.concurrency or 0, None, "unjudged", f"{missing} did not run"
                )
            )
    return verdicts

"""Gates: how they are read and how they are judged."""

import pytest

from tests.bench.gates import Gate, Outcome, apply_gates, judge_ratio, parse_gate
from tests.bench.stats import Spread


def test_a_gate_is_read() -> None:
    """Leg, sign, bar, base and concurrency are taken apart; blanks do not matter."""
    assert parse_gate(" gateway+opa <= 3.0x star-raw @16") == Gate(
        text="gateway+opa<=3.0xstar-raw@16",
        leg="gateway+opa",
        sign="<=",
        bar=3.0,
        base="star-raw",
        concurrency=16,
    )


@pytest.mark.parametrize(
    "text",
    ["", "gateway", "gateway<=3", "gateway<=xstar-raw", "gateway<3xstar-raw", "gateway<=-3xstar-raw",
     "gateway<=3xstar-raw@0", "gateway<=3xstar-raw@", "gateway<=nanxstar-raw", "<=3xstar-raw", "a<=3xb<=4xc"],
)  # fmt: skip
def test_what_is_no_gate_is_refused_with_an_example(text: str) -> None:
    """A typing error never becomes a gate that holds by accident."""
    with pytest.raises(ValueError, match="for example"):
        parse_gate(text)


@pytest.mark.parametrize(
    ("gate", "quartiles", "outcome"),
    [
        ("a<=3xb", (2.0, 2.9), "pass"),
        ("a<=3xb", (2.0, 3.0), "pass"),
        ("a<=3xb", (2.9, 3.1), "undecided"),
        ("a<=3xb", (3.0, 3.4), "undecided"),
        ("a<=3xb", (3.1, 3.4), "fail"),
        ("a>=3xb", (3.0, 3.4), "pass"),
        ("a>=3xb", (2.9, 3.0), "undecided"),
        ("a>=3xb", (2.5, 2.9), "fail"),
    ],
)
def test_only_a_whole_range_beyond_the_bar_fails(
    gate: str, quartiles: tuple[float, float], outcome: Outcome
) -> None:
    """A median beyond the bar does not fail a gate as long as a quartile keeps it."""
    low, high = quartiles
    assert judge_ratio(parse_gate(gate), Spread((low + high) / 2, low, high, 10))[0] == outcome


def test_too_few_rounds_judge_nothing() -> None:
    """With three rounds there are no quartiles to speak of."""
    assert judge_ratio(parse_gate("a<=3xb"), Spread(1, 1, 1, 3))[0] == "unjudged"


def test_a_gate_holds_for_every_leg_of_its_family() -> None:
    """`gateway+opa` means gateway+opa-tcp and gateway+opa-uds, and not gateway+opaque."""
    seen: list[tuple[str, str, int]] = []

    def ratio_of(leg: str, base: str, concurrency: int) -> Spread:
        seen.append((leg, base, concurrency))
        return Spread(2, 2, 2, 10)

    legs = ["star-raw", "gateway+opa-tcp", "gateway+opa-uds", "gateway+opaque"]
    verdicts = apply_gates([parse_gate("gateway+opa<=3xstar-raw")], legs, [1, 16], ratio_of)
    assert {(verdict.leg, verdict.concurrency) for verdict in verdicts} == {
        ("gateway+opa-tcp", 1),
        ("gateway+opa-tcp", 16),
        ("gateway+opa-uds", 1),
        ("gateway+opa-uds", 16),
    }
    assert {base for _, base, _ in seen} == {"star-raw"}


@pytest.mark.parametrize("gate", ["absent<=3xstar-raw", "star-raw<=3xstar-raw@64", "star-raw<=3xabsent"])
def test_a_gate_that_meets_no_figures_is_unjudged_not_passed(gate: str) -> None:
    """A leg that was skipped, a concurrency that was not run or a missing base must not look like success."""
    verdicts = apply_gates([parse_gate(gate)], ["star-raw"], [1, 16], lambda leg, base, level: None)
    assert verdicts
    assert {verdict.outcome for verdict in verdicts} == {"unjudged"}

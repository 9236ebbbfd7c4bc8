"""The demo's table, on terminals of different width."""

import io

from rich.console import Console

from gateway.demo.agent import Ending
from gateway.demo.story import STEPS
from gateway.demo.table import Row, print_table


def printed(width: int) -> str:
    """The whole story as somebody with that many columns sees it."""
    rows = [
        Row(
            step=step,
            ending=Ending(
                status=step.expect, rounds=("handshake_required", step.expect), codes=("consent.given",)
            ),
            records=({"data_class": 2, "tier": "restricted"},),
            effects=("POST /v2/payments/captures/3C679366HH908993F/refund",) * step.effects,
        )
        for step in STEPS
    ]
    out = io.StringIO()
    print_table(Console(file=out, width=width, force_terminal=True, color_system=None), rows)
    return out.getvalue()


def test_no_word_is_broken_on_a_usual_terminal() -> None:
    """80 columns: every tool, class, tier, outcome and reason can be read whole."""
    said = printed(80)
    for step in STEPS:
        assert step.tool in said
    for word in ("restricted", "handshake", "executed", "refused", "consent.given", "nothing"):
        assert word in said
    assert max(map(len, said.splitlines())) <= 80


def test_a_wide_terminal_has_a_column_for_each_fact() -> None:
    """One line of headings, one column each."""
    headings = next(line for line in printed(160).splitlines() if "tier" in line)
    assert "what PayPal saw" in headings
    assert headings.index("step") < headings.index("class") < headings.index("tier")


def test_a_broken_promise_is_not_hidden() -> None:
    """A read that was refused is not what the story promises."""
    assert "NOT AS PROMISED" not in printed(160)
    step = STEPS[0]
    row = Row(
        step=step,
        ending=Ending(status="refused", rounds=("refused",)),
        records=({"data_class": 4},),
        effects=(),
    )
    out = io.StringIO()
    print_table(Console(file=out, width=160), [row])
    assert "NOT AS PROMISED" in out.getvalue()


def test_looking_up_whom_an_amount_goes_to_is_not_told_as_an_effect() -> None:
    """A refused refund was looked up at PayPal, and nothing else: the table says so, and not which addresses."""
    step = STEPS[3]
    row = Row(
        step=step,
        ending=Ending(status="refused", rounds=("handshake_required", "refused")),
        records=({"data_class": 2},),
        effects=(),
        reads=("GET /v2/payments/captures/3C679366HH908993F",),
    )
    out = io.StringIO()
    print_table(Console(file=out, width=160), [row])
    assert "only look-ups" in out.getvalue()
    assert "GET" not in out.getvalue()

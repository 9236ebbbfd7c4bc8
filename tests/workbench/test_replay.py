"""Recorded traffic is judged by a candidate: against what was answered, or against today's policy."""

import shutil
from pathlib import Path
from typing import Any

import msgspec

from gateway.decisions.entry import Recorded
from gateway.workbench.judging import EmbeddedJudge
from gateway.workbench.pack import read_pack
from gateway.workbench.paypal import PAYPAL
from gateway.workbench.questions import completed
from gateway.workbench.replay import replayed
from tests.workbench.conftest import edited


def recorded(folder: Path, amount: str, outcome: str) -> Recorded:
    """A refund that was asked about, and what was answered then."""
    question = completed(
        {
            "tool": {"name": "create_refund"},
            "arguments": {
                "capture_id": "2GG279541U471931P",
                "amount": {"value": amount, "currency_code": "USD"},
            },
        },
        read_pack(folder).data,
        {"paypal": PAYPAL},
    )
    reasons = [
        {"code": "consent.handshake_required", "outcome": "handshake"},
        {"code": "consent.confirmation_required", "outcome": "confirm"},
    ]
    answer = {
        "outcome": outcome,
        "reasons": reasons,
        "data_class": 2,
        "obligations": {"confirm": {"quorum": 1}},
    }
    return Recorded(time=1.0, arguments="kept", question=question, answer=answer, revision="r", engine="opa")


def test_a_lower_limit_is_stricter_for_what_is_above_it(folder: Path, tmp_path: Path) -> None:
    """And for nothing else."""
    candidate = tmp_path / "candidate"
    shutil.copytree(folder, candidate)
    edited(
        candidate / "limits" / "data.yaml",
        'USD: {soft: "500.00", hard: "10000.00"}',
        'USD: {soft: "5.00", hard: "100.00"}',
    )
    log = [recorded(folder, "4.00", "handshake"), recorded(folder, "400.00", "handshake")]
    found = replayed(log, EmbeddedJudge(candidate))
    assert (found.asked, found.same) == (2, 1)
    (flip,) = found.flips
    assert (flip.direction, flip.before, flip.after, flip.data_class) == ("stricter", "handshake", "deny", 2)
    assert "money.over_limit" in flip.new


def test_a_question_from_before_calls_were_counted_is_judged(folder: Path) -> None:
    """As if there had been none: a limit that nobody knew of makes no difference."""
    log = [recorded(folder, "4.00", "handshake")]
    before: list[Any] = [None, {"payees": [], "budgets": None}]
    for usage in before:
        old = [msgspec.structs.replace(one, question={**one.question, "usage": usage}) for one in log]
        assert replayed(old, EmbeddedJudge(folder), EmbeddedJudge(folder)).flips == ()
        assert replayed(old, EmbeddedJudge(folder)).of("stricter") == 0


def test_against_today_s_policy_only_the_candidate_makes_a_difference(folder: Path) -> None:
    """The record says what an older policy answered; nobody changed anything since."""
    log = [recorded(folder, "4.00", "allow")]
    assert replayed(log, EmbeddedJudge(folder)).of("stricter") == 1
    assert replayed(log, EmbeddedJudge(folder), EmbeddedJudge(folder)).flips == ()

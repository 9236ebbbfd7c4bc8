"""``countersign policy shadow``."""

from pathlib import Path

import pytest
import yaml

from gateway.shadow.comparing import compare
from gateway.shadow.report import Hold, write_report
from tests.cli.conftest import Run, good_settings
from tests.shadow.conftest import asked, said, tally


@pytest.fixture
def report(tmp_path: Path) -> Path:
    """Two questions about paying, one of them answered more laxly, and two others."""
    counts = tally(hold_above=0.3)
    counts.begin("live-1", "candidate-1", "opa")
    counts.add(asked("pay[/red]"), compare(said("deny", "money.over_limit"), said("allow", "consent.given")))
    counts.add(asked("pay[/red]"), compare(said("allow"), said("allow")))
    for _ in range(2):
        counts.add(asked("read"), compare(said("allow"), said("allow")))
    path = tmp_path / "shadow.json"
    write_report(path, counts.report(3))
    return path


def test_a_table_for_people(run: Run, report: Path) -> None:
    """Which tool, which way, why, and how often of how many; names of tools are shown as they are."""
    done = run("policy", "shadow", "--report", str(report))
    assert done.code == 0, done.err
    for words in (
        "candidate-1: watching",
        "pay[/red]",
        "laxer",
        "-money.over_limit +consent.given",
        "call-1",
    ):
        assert words in done.out
    assert "4 questions: 1 answered differently, 25.00%, 3 left out for want of room" in done.out


def test_the_gate(run: Run, report: Path) -> None:
    """Above the rate it fails; at the rate it passes; without one the hold's share counts."""
    for rate, code in (("0.25", 0), ("0.24", 1), ("0", 1), ("1", 0)):
        assert run("policy", "shadow", "--report", str(report), "--max-rate", rate).code == code
    done = run("policy", "shadow", "--report", str(report), "--json")
    assert (done.code, done.document["asked"], done.document["state"]) == (0, 4, "watching")
    assert run("policy", "shadow", "--report", str(report), "--max-rate", "2").code == 2


def test_held_refused_and_never_asked_fail_whatever_the_rate(run: Run, tmp_path: Path) -> None:
    """A candidate that was asked nothing has proved nothing."""
    path = tmp_path / "shadow.json"
    held = Hold(at=1e9, candidate="c", live="l", asked=10, diverged=4)
    write_report(path, tally(held=held).report(0))
    done = run("policy", "shadow", "--report", str(path), "--max-rate", "1")
    assert (done.code, "4 of 10 answers differed" in done.out) == (1, True)
    write_report(path, tally().report(0))
    done = run("policy", "shadow", "--report", str(path), "--max-rate", "1")
    assert (done.code, "asked nothing yet" in done.err) == (1, True)


def test_where_the_report_is_says_the_settings_file(run: Run, report: Path, tmp_path: Path) -> None:
    """In this folder, or named before the command."""
    settings = yaml.safe_dump(good_settings() | {"shadow": {"report": str(report)}})
    (tmp_path / "other.yaml").write_text(settings)
    assert run("policy", "--config", "other.yaml", "shadow").code == 0
    (tmp_path / "countersign.yaml").write_text(settings)
    assert run("policy", "shadow").code == 0


def test_no_report_is_said(run: Run, tmp_path: Path) -> None:
    """And one that is none."""
    done = run("policy", "shadow")
    assert (done.code, "shadow.path" in done.err) == (1, True)
    (tmp_path / "text").write_text("text")
    done = run("policy", "shadow", "--report", "text")
    assert (done.code, "no report of the shadow" in done.err) == (1, True)

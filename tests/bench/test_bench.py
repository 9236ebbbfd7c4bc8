"""The whole command, with few calls: table, JSON, exit status, and that nothing is left running."""

import io
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from rich.console import Console

from tests.bench.cpu import running_processes
from tests.bench.processes import ROOT
from tests.bench.report import HEADINGS, Report, aligned, cell, show
from tests.bench.stats import Spread

SMALL = ("--rounds", "1", "--calls", "50", "--concurrency", "2")


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m tests.bench` to its end."""
    return subprocess.run(
        [sys.executable, "-m", "tests.bench", *arguments],
        cwd=ROOT, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("era", ["modern", "legacy"])
def test_one_round_through_star_raw_gives_a_table(era: str) -> None:
    """Fifty calls, no errors, a line per leg with figures in the columns."""
    done = bench("--legs", "direct,star-raw", "--era", era, *SMALL)
    assert done.returncode == 0, done.stdout + done.stderr
    title, heading, direct, star_raw, *_ = done.stdout.splitlines()
    assert era in title
    assert heading.split() == " ".join(HEADINGS).split()
    assert direct.split()[:3] == ["direct", "2", "1"]
    cells = star_raw.split()
    assert cells[:3] == ["star-raw", "2", "1"]
    assert float(cells[3]) > 0
    assert cells[-1] == "0"


def test_the_json_file_holds_every_window(tmp_path: Path) -> None:
    """What is printed can be computed again from the file, which reads back into the same types."""
    file = tmp_path / "bench.json"
    done = bench("--legs", "star-raw", "--json", str(file), "--gate", "star-raw<=1.0xstar-raw", *SMALL)
    report = msgspec.json.decode(file.read_bytes(), type=Report)
    (window,) = report.run.windows
    assert (window.leg, window.concurrency, window.calls, window.errors) == ("star-raw", 2, 50, {})
    assert [verdict.outcome for verdict in report.gates] == ["unjudged"]
    assert done.returncode == 3
    assert "unjudged: star-raw<=1.0xstar-raw" in done.stdout


def test_a_gate_that_is_broken_in_every_round_fails() -> None:
    """Exit status 1 when the whole range lies beyond the bar: nothing costs a hundredth of itself."""
    arguments = ("--rounds", "5", "--seconds", "10", "--calls", "500", "-c", "2")
    done = bench("--legs", "star-raw", "--gate", "star-raw<=0.01xstar-raw@2", *arguments)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "fail: star-raw<=0.01xstar-raw@2" in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [("--legs", "no-such-leg"), ("--gate", "star-raw<=fast"), ("--concurrency", "0"), ("--rounds", "0")],
)
def test_wrong_usage_starts_nothing(arguments: tuple[str, ...]) -> None:
    """A typing error is told at once, with exit status 2."""
    done = bench(*arguments)
    assert done.returncode == 2
    assert arguments[0] in done.stderr


@pytest.mark.parametrize(("ended_by", "status"), [(signal.SIGTERM, 130), (signal.SIGKILL, -signal.SIGKILL)])
def test_ending_the_bench_ends_its_processes(ended_by: signal.Signals, status: int, tmp_path: Path) -> None:
    """Neither SIGTERM nor SIGKILL in the middle of a run leaves a process behind."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.bench", "--legs", "star-raw", "--rounds", "1000"],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    ) as running:  # fmt: skip
        assert running.stderr is not None
        assert running.stderr.readline().startswith("round 1 ")
        children = {process.pid for process in running_processes() if process.parent == running.pid}
        handles = [os.pidfd_open(pid) for pid in children]
        running.send_signal(ended_by)
        running.communicate(timeout=30)
    assert running.returncode == status
    assert len(handles) == 2
    for handle in handles:
        # A pidfd becomes readable when its process has ended.
        assert select.select([handle], [], [], 30)[0]
        os.close(handle)


def test_text_columns_line_up() -> None:
    """The first column stands left, the others right."""
    assert aligned([["leg", "c"], ["star-raw", "16"]]) == "leg        c\nstar-raw  16"


def test_a_figure_that_is_not_there_is_a_dash() -> None:
    """No figure is never a zero."""
    assert cell(None) == "-"
    assert cell(Spread(1234.5, 1000, 2000, 9), unit="x") == "x1234 [1000-2000]"


def test_a_terminal_gets_the_same_figures_in_a_table(tmp_path: Path) -> None:
    """On a terminal the lines stand in a table with every column."""
    file = tmp_path / "bench.json"
    bench("--legs", "star-raw", "--json", str(file), *SMALL)
    written = io.StringIO()
    screen = Console(force_terminal=True, color_system=None, width=200, file=written)
    show(msgspec.json.decode(file.read_bytes(), type=Report), screen)
    text = written.getvalue()
    assert all(heading in text for heading in HEADINGS)
    assert "│ star-raw │ 2 │" in text

"""Starting, waiting for and ending processes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.processes import Cores, Fleet, LegError
from tests.support.ports import free_port

UNPINNED = Cores(None, None)
STUBBORN = (
    "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('up', flush=True)\nsignal.pause()\n"
)


def test_a_process_that_ignores_sigterm_is_ended_all_the_same(tmp_path: Path) -> None:
    """Leaving the fleet leaves no process behind."""
    with Fleet(UNPINNED, tmp_path, end_deadline_s=0.2) as fleet:
        process = fleet.start([sys.executable, "-c", STUBBORN], "load")
        while "up" not in fleet.log_of(process):
            assert process.poll() is None
    assert process.returncode == -9


def test_a_process_that_ends_at_once_says_why(tmp_path: Path) -> None:
    """The error holds the end of the process's own output."""
    with Fleet(UNPINNED, tmp_path) as fleet:
        process = fleet.start([sys.executable, "-c", "raise SystemExit('no such setting: colour')"], "load")
        with pytest.raises(LegError, match="no such setting: colour"):
            fleet.wait_answering(process, ("127.0.0.1", free_port()), "/")


def test_a_preparing_command_that_fails_is_an_error(tmp_path: Path) -> None:
    """A leg is not started on a preparation that did not happen."""
    with Fleet(UNPINNED, tmp_path) as fleet, pytest.raises(LegError, match="ended with 3"):
        fleet.run([sys.executable, "-c", "raise SystemExit(3)"])


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="pinning needs two cores")
def test_each_process_runs_on_the_core_of_its_place(tmp_path: Path) -> None:
    """The measured process has its core for itself; this process keeps all of its own."""
    before = os.sched_getaffinity(0)
    cores = Cores.available()
    print_cores = "import os; print(os.sched_getaffinity(0), flush=True)"
    with Fleet(cores, tmp_path) as fleet:
        seen = []
        for place in ("proxy", "load"):
            process: subprocess.Popen[bytes] = fleet.start(
                [sys.executable, "-c", print_cores], "proxy" if place == "proxy" else "load"
            )
            process.wait(20)
            seen.append(fleet.log_of(process))
    assert seen == [f"{{{cores.proxy}}}", f"{{{cores.load}}}"]
    assert os.sched_getaffinity(0) == before

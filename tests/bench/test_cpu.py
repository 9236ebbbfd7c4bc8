"""Reading CPU time from /proc."""

import os
import subprocess
import sys
import time

import pytest

from tests.bench.cpu import TICKS_PER_SECOND, ProcessTimes, parse_stat, tree_seconds, tree_ticks

AFTER_COMMAND = "S 100 4242 4242 0 -1 4194304 100 0 0 0 11 22 33 44 20 0 1 0 12345 1000 100"


@pytest.mark.parametrize("command", ["python", "a b", "we) ird (", ""])
def test_a_command_may_hold_blanks_and_parentheses(command: str) -> None:
    """The command is whatever the process says it is; only the last parenthesis ends it."""
    parsed = parse_stat(f"4242 ({command}) {AFTER_COMMAND}\n")
    assert parsed == ProcessTimes(pid=4242, parent=100, ticks=11 + 22 + 33 + 44)


@pytest.mark.parametrize("line", ["", "4242 (python) S 100", "4242 python S 1 2 3", "x (y) " + AFTER_COMMAND])
def test_a_line_that_is_no_stat_line_is_refused(line: str) -> None:
    """Nothing is read out of a line that is cut short or holds no numbers."""
    with pytest.raises(ValueError, match=r"stat line|invalid literal"):
        parse_stat(line)


def test_the_tree_below_a_process_is_counted_and_nothing_beside_it() -> None:
    """Children and grandchildren count; parents, siblings and strangers do not."""
    processes = [
        ProcessTimes(pid=1, parent=0, ticks=1000),
        ProcessTimes(pid=10, parent=1, ticks=1),
        ProcessTimes(pid=11, parent=10, ticks=2),
        ProcessTimes(pid=12, parent=11, ticks=4),
        ProcessTimes(pid=20, parent=1, ticks=1000),
    ]
    assert tree_ticks(processes, 10) == 7


def test_a_process_that_is_gone_has_used_nothing() -> None:
    """An unknown pid gives 0, so that a leg that died is reported by its errors, not by a crash here."""
    assert tree_ticks([ProcessTimes(pid=1, parent=0, ticks=1)], 99) == 0


BURN = "import time\nend = time.process_time() + 0.2\nwhile time.process_time() < end: pass\n"


def test_a_real_child_that_has_ended_is_counted_with_its_parent() -> None:
    """CPU time of a grandchild that was waited for is still there when it has ended."""
    script = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {BURN!r}])\n"
    script += "print(flush=True)\ninput()\n"
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout is not None
        parent.stdout.readline()
        assert tree_seconds(parent.pid) >= 0.2 - 1 / TICKS_PER_SECOND
        parent.communicate(b"\n")


def test_this_process_agrees_with_its_own_clock() -> None:
    """For this very process the figure is that of `time.process_time`, within some ticks."""
    own = time.process_time() + sum(os.times()[2:4])
    assert tree_seconds(os.getpid()) >= own - 4 / TICKS_PER_SECOND

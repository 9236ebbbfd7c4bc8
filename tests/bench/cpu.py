"""CPU time of a process and all its descendants, read from /proc (Linux only; proc_pid_stat(5)).

Figures come in clock ticks (usually 10 ms), so a window of a second is known to about 1 %.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

PROC = Path("/proc")
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


class ProcessTimes(msgspec.Struct, frozen=True):
    """One line of /proc/<pid>/stat; `ticks` = utime + stime + cutime + cstime (children that were waited
    for).
    """

    pid: int
    parent: int
    ticks: int


def parse_stat(line: str) -> ProcessTimes:
    """Read a stat line. The command stands in parentheses and may itself hold blanks and parentheses.

    Raises ValueError when the line is cut short or holds no numbers where numbers belong.
    """
    before, bracket, after = line.rpartition(")")
    fields = after.split()
    if not bracket or len(fields) < 15:
        raise ValueError(f"not a /proc/<pid>/stat line: {line[:80]!r}")
    return ProcessTimes(
        pid=int(before.partition(" ")[0]),
        parent=int(fields[1]),
        ticks=sum(int(value) for value in fields[11:15]),
    )


def tree_ticks(processes: Iterable[ProcessTimes], root: int) -> int:
    """Ticks of `root` and everything below it; 0 when `root` is not there."""
    known = {process.pid: process for process in processes}
    children: dict[int, list[int]] = {}
    for process in known.values():
        children.setdefault(process.parent, []).append(process.pid)
    total, todo = 0, [root] if root in known else []
    while todo:
        pid = todo.pop()
        total += known[pid].ticks
        todo += children.get(pid, [])
    return total


def running_processes(proc: Path = PROC) -> Iterator[ProcessTimes]:
    """Every process that can be read now; one that ends meanwhile is left out."""
    for entry in proc.iterdir():
        if entry.name.isdecimal():
            try:
                yield parse_stat((entry / "stat").read_text(errors="replace"))
            except (FileNotFoundError, ProcessLookupError):
                continue


def tree_seconds(root: int) -> float:
    """CPU seconds that the process tree under `root` has used so far."""
    return tree_ticks(running_processes(), root) / TICKS_PER_SECOND

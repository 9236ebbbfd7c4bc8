"""The processes of a run: started on their own cores, waited for, ended by pid whatever happens."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, Self

import msgspec

ROOT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"
# A gateway that builds its policies at start takes some seconds on a loaded machine.
START_DEADLINE_S = 60.0
# Between two looks at whether a process answers; there is nothing to wait on but its socket.
POLL_S = 0.02
# SIGTERM first, so that files are closed; then SIGKILL.
END_DEADLINE_S = 5.0
PROBE_TIMEOUT_S = 5.0
LOG_TAIL_BYTES = 2000

PR_SET_PDEATHSIG = 1

_LIBC = ctypes.CDLL(None)

Place = Literal["proxy", "load"]


class LegError(RuntimeError):
    """A leg could not be started; the message holds the end of the process's log."""


class Cores(msgspec.Struct, frozen=True):
    """Where processes run: the measured one alone on `proxy`, everything else on `load`; None = unpinned."""

    proxy: int | None
    load: int | None

    @classmethod
    def available(cls) -> Cores:
        """The first two cores this process may use; no pinning with fewer."""
        cores = sorted(os.sched_getaffinity(0))
        return cls(cores[0], cores[1]) if len(cores) > 1 else cls(None, None)

    def of(self, place: Place) -> int | None:
        """The core of a place."""
        return self.proxy if place == "proxy" else self.load


@contextmanager
def pinned(core: int | None) -> Iterator[None]:
    """Run on one core meanwhile; children started inside stay there, from their first thread on."""
    before = os.sched_getaffinity(0)
    if core is not None:
        os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def listener() -> socket.socket:
    """A listening socket on a free port, to be handed to a child: no port is ever guessed, calls may queue
    at once.
    """
    sock = socket.socket()
    sock.bind((HOST, 0))
    sock.listen(1024)
    return sock


def probe(address: tuple[str, int] | Path, path: str) -> int | None:
    """The HTTP status of GET `path` over TCP or a unix socket; None while nobody answers."""
    family = socket.AF_UNIX if isinstance(address, Path) else socket.AF_INET
    with socket.socket(family) as sock:
        sock.settimeout(PROBE_TIMEOUT_S)
        try:
            sock.connect(str(address) if isinstance(address, Path) else address)
            sock.sendall(f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode())
            status = sock.recv(64).split(b" ")
        except OSError:
            return None
    return int(status[1]) if len(status) > 1 and status[1].isdigit() else None


def _end_with_parent() -> None:
    # A bench that is killed outright cannot end its processes; the kernel then does (prctl(2)).
    _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class Fleet:
    """A context manager that owns every process of a run and ends them all, the last started first."""

    def __init__(self, cores: Cores, logs: Path, *, end_deadline_s: float = END_DEADLINE_S) -> None:
        self._cores = cores
        self._end_deadline_s = end_deadline_s
        self._logs = logs
        self._running: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        for process in reversed(self._running):
            process.terminate()
        for process in reversed(self._running):
            try:
                process.wait(self._end_deadline_s)
            except subprocess.TimeoutExpired:
                # Each process leads a group of its own: its children go with it.
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def start(
        self,
        argv: Sequence[str | Path],
        place: Place,
        *,
        hand_over: socket.socket | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> subprocess.Popen[bytes]:
        """Start a process on its core, its output to a log file; `hand_over` is inherited and closed here."""
        log = self._logs / f"{len(self._running):02}.log"
        # A session of its own: Ctrl-C at the terminal reaches the bench alone, which then ends its processes.
        with pinned(self._cores.of(place)), log.open("wb") as out:
            process = subprocess.Popen(
                argv,
                cwd=ROOT,
                env={**os.environ, **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                pass_fds=() if hand_over is None else (hand_over.fileno(),),
                start_new_session=True,
                preexec_fn=_end_with_parent,
            )
        self._running.append(process)
        if hand_over is not None:
            hand_over.close()
        return process

    def start_module(self, module: str, place: Place, *arguments: str) -> tuple[subprocess.Popen[bytes], int]:
        """Start `python -m module --fd N ...` on a fresh listening socket; the process and its port."""
        sock = listener()
        port: int = sock.getsockname()[1]
        argv = [sys.executable, "-m", module, "--fd", str(sock.fileno()), *arguments]
        return self.start(argv, place, hand_over=sock), port

    def run(self, argv: Sequence[str | Path], environment: Mapping[str, str] | None = None) -> None:
        """Run a preparing command to its end; LegError when it fails."""
        process = self.start(argv, "load", environment=environment)
        try:
            status = process.wait(START_DEADLINE_S)
        except subprocess.TimeoutExpired:
            raise LegError(f"{argv[0]} did not end in {START_DEADLINE_S:.0f} s") from None
        if status != 0:
            raise LegError(f"{' '.join(map(str, argv))} ended with {status}\n{self.log_of(process)}")

    def wait_answering(
        self,
        process: subprocess.Popen[bytes],
        address: tuple[str, int] | Path,
        path: str,
        status: int | None = None,
    ) -> None:
        """Return when GET `path` answers `status` (None: whatever it is); LegError when the process ends or
        takes too long.
        """
        deadline = time.monotonic() + START_DEADLINE_S
        while (seen := probe(address, path)) is None or status not in (None, seen):
            if process.poll() is not None:
                raise LegError(f"the process ended with {process.returncode}\n{self.log_of(process)}")
            if time.monotonic() > deadline:
                raise LegError(f"{path} answers {seen or 'nothing'}\n{self.log_of(process)}")
            time.sleep(POLL_S)

    def log_of(self, process: subprocess.Popen[bytes]) -> str:
        """The end of what a process has written."""
        log = self._logs / f"{self._running.index(process):02}.log"
        return log.read_bytes()[-LOG_TAIL_BYTES:].decode(errors="replace").strip()

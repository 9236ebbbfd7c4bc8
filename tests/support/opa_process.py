"""A real OPA server for a test: started on a free port or a unix socket, stopped by its own pid."""

import signal
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support import stopped
from tests.support.ports import free_port

START_TIMEOUT_S = 20


class OpaProcess:
    """`opa run --server` on a bundle folder. A context manager; `url` is what `OpaSidecar.at` takes."""

    def __init__(
        self, binary: Path, bundle: Path | None, *, unix: Path | None = None, extra: tuple[str, ...] = ()
    ) -> None:
        self._binary = binary
        self._bundle = bundle
        self._unix = unix
        self._port = 0 if unix else free_port()
        self._extra = extra
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"unix://{self._unix}" if self._unix else f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Start and wait until the bundle is active. AssertionError with OPA's words if it exits instead."""
        address = self.url if self._unix else f"127.0.0.1:{self._port}"
        if self._unix:
            self._unix.unlink(missing_ok=True)  # a killed server leaves it behind
        command = [str(self._binary), "run", "--server", "--addr", address, "--log-level", "error"]
        command += ["--skip-version-check", *self._extra]
        if self._bundle is not None:  # otherwise a configuration among `extra` says where bundles come from
            command += ["--bundle", str(self._bundle)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self._healthy():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self._process.kill()
                raise AssertionError(self._process.communicate()[1].decode(errors="replace"))
            time.sleep(0.02)

    def kill(self) -> None:
        """SIGKILL: no goodbye to open connections but the kernel's."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """SIGTERM."""
        self._end(signal.SIGTERM)

    def pause(self) -> None:
        """SIGSTOP: the port still accepts, nobody answers."""
        assert self._process is not None
        stopped.stop(self._process)

    def resume(self) -> None:
        """SIGCONT."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def _end(self, sign: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
            self._process.send_signal(sign)
            self._process.communicate()
            self._process = None

    def _healthy(self) -> bool:
        family, address = (
            (socket.AF_UNIX, str(self._unix)) if self._unix else (socket.AF_INET, ("127.0.0.1", self._port))
        )
        with socket.socket(family) as connection:
            connection.settimeout(1)
            try:
                connection.connect(address)
                connection.sendall(b"GET /health?bundles=true HTTP/1.0\r\n\r\n")
                return connection.recv(64).startswith(b"HTTP/1.0 200")
            except OSError:
                return False

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

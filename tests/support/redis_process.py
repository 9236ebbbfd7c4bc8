"""A redis-server with options of one's own: TLS, a password, commands that older versions lack."""

import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.support import parts
from tests.support.ports import free_port

START_DEADLINE_S = 10.0
POLL_S = 0.01
TRIES = 5
"""A free port may be taken by somebody else before the server binds it."""


@contextmanager
def redis_on_port(arguments: Sequence[str], *, port_option: str = "--port") -> Iterator[int]:
    """The port on 127.0.0.1 of a redis-server with these arguments, for the length of the block."""
    binary = parts.require(parts.REDIS)
    with tempfile.TemporaryDirectory(prefix="cs-redis-") as directory:
        for _ in range(TRIES):
            port = free_port()
            options = ["--bind", "127.0.0.1", "--save", "", "--dir", directory, *arguments]
            if port_option != "--port":
                options += ["--port", "0"]
            with (Path(directory) / "log").open("wb") as log:
                process = subprocess.Popen([binary, *options, port_option, str(port)], stdout=log, stderr=log)
            try:
                if _listens(process, port):
                    yield port
                    return
            finally:
                process.kill()
                process.wait()
    raise RuntimeError("redis-server did not start")


def _listens(process: subprocess.Popen[bytes], port: int) -> bool:
    deadline = time.monotonic() + START_DEADLINE_S
    while process.poll() is None and time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return True
        time.sleep(POLL_S)
    return False

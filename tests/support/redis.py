"""A real Redis for tests: a process of our own on a unix socket, else a container."""

import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import redis

from tests.support import containers, parts, stopped

# A redis-server is up in about 10 ms; this only bounds how long a broken one can hold up a run.
START_DEADLINE_S = 10.0
# Between two looks at whether the server is up; there is nothing to wait on but its socket.
POLL_S = 0.01


class RedisServer:
    """One redis-server process with an empty data set and no persistence; fault tests may stop and stall it.

    On a unix socket in a directory of its own: no port to collide on. `url` stays the same over `stop` and
    `start`; the data does not survive them.
    """

    def __init__(self, binary: Path) -> None:
        self._binary = binary
        # Not pytest's tmp_path: its long names do not fit the 107 bytes of a socket path.
        self._dir = Path(tempfile.mkdtemp(prefix="cs-redis-"))
        self._socket = self._dir / "s"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The address that `redis.from_url` takes."""
        return f"unix://{self._socket}"

    def start(self) -> None:
        """Start the process and return when it answers; `RuntimeError` with its log when it does not."""
        log = self._dir / "log"
        arguments = ["--port", "0", "--unixsocket", str(self._socket), "--unixsocketperm", "700"]
        arguments += ["--dir", str(self._dir), "--save", "", "--appendonly", "no", "--daemonize", "no"]
        with log.open("wb") as out:
            self._process = subprocess.Popen(
                [self._binary, *arguments], stdin=subprocess.DEVNULL, stdout=out, stderr=out
            )
        deadline = time.monotonic() + START_DEADLINE_S
        while not _answers(self.url):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"redis-server did not start:\n{log.read_text(errors='replace')[-2000:]}")
            time.sleep(POLL_S)

    def stop(self) -> None:
        """End the process, also a stalled one, and lose its data. Harmless when it is not running."""
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        self._process = None
        self._socket.unlink(missing_ok=True)

    def stall(self) -> None:
        """Stop it from answering while its connections stay open, as a host that hangs does."""
        assert self._process is not None
        stopped.stop(self._process)

    def resume(self) -> None:
        """Let it answer again after `stall`."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self._dir, ignore_errors=True)


@contextmanager
def running_redis() -> Iterator[str]:
    """The URL of a Redis of our own for the length of the block; skips the test where there is none."""
    if binary := parts.find(parts.REDIS):
        with RedisServer(binary) as server:
            yield server.url
    elif containers.engine_answers():
        with containers.running(parts.REDIS, port=6379) as (host, port):
            yield f"redis://{host}:{port}/0"
    else:
        parts.require(parts.REDIS)


def flush(url: str) -> None:
    """Delete every key, so that no test sees what another left."""
    with redis.from_url(url) as client:
        client.flushall()


def _answers(url: str) -> bool:
    try:
        with redis.from_url(url) as client:
            return bool(client.ping())
    except redis.ConnectionError:
        return False

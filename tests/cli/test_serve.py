"""``countersign serve`` and ``countersign simulator`` as processes, as somebody would start them."""

import errno
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import msgspec
import yaml

from gateway.audit.keys import read_public_key
from gateway.audit.verify import verify_file
from tests.cli.conftest import Run, good_settings
from tests.support.house import AGENT_TOKEN
from tests.support.messages import legacy_body
from tests.support.ports import free_port

PROGRAM = "from gateway.cli import main; main()"
PATIENCE_S = 60


@contextmanager
def process(folder: Path, *words: str, url: str, code: int = 0) -> Iterator[subprocess.Popen[bytes]]:
    """A command that runs, ready when its URL answers at all; ended by SIGTERM, with this exit code."""
    environ = {
        key: value for key, value in os.environ.items() if not key.startswith(("COUNTERSIGN_", "PAYPAL_"))
    }
    environ["PYTHONPATH"] = str(Path(__file__).parents[2])
    with (folder / f"{words[0]}.log").open("wb") as log:
        started = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *words], cwd=folder, env=environ, stderr=log
        )
        try:
            _until_it_answers(started, url)
            yield started
            started.send_signal(signal.SIGTERM)
            assert started.wait(PATIENCE_S) == code
        finally:
            if started.poll() is None:
                started.kill()
                started.wait()
    assert "Traceback" not in (folder / f"{words[0]}.log").read_text()


def _until_it_answers(started: subprocess.Popen[bytes], url: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        assert started.poll() is None, "it ended before it answered"
        try:
            httpx.get(url, trust_env=False)
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("it never answered")


def test_a_gateway_and_a_simulated_paypal(tmp_path: Path) -> None:
    """Two commands and a settings file: a call goes through, SIGTERM ends both cleanly, the record is whole."""
    paypal, gateway = (f"127.0.0.1:{free_port()}" for _ in range(2))
    document = good_settings()
    keygen = subprocess.run(
        [sys.executable, "-c", PROGRAM, "audit", "keygen", str(tmp_path / "key")], check=False
    )
    assert keygen.returncode == 0
    document["audit"]["signing_key"] = "key"
    document["paypal"]["base_url"] = f"http://{paypal}"
    (tmp_path / "countersign.yaml").write_text(yaml.safe_dump(document))
    call = msgspec.json.encode(legacy_body())
    headers = {"content-type": "application/json", "authorization": f"Bearer {AGENT_TOKEN}"}
    with (
        process(tmp_path, "simulator", "--listen", paypal, url=f"http://{paypal}/", code=-signal.SIGTERM),
        process(tmp_path, "serve", "--listen", gateway, url=f"http://{gateway}/healthz"),
    ):
        answer = httpx.post(
            f"http://{gateway}/mcp", content=call, headers=headers, trust_env=False, timeout=PATIENCE_S
        )
        assert answer.json()["result"]["isError"] is False
        assert httpx.get(f"http://{gateway}/readyz", trust_env=False).json()["ready"] is True
    said = (tmp_path / "serve.log").read_text()
    assert f"http://{gateway}/mcp" in said
    assert "simulator-secret" not in said
    verified = verify_file(tmp_path / "audit.jsonl", read_public_key((tmp_path / "key.pub").read_bytes()))
    assert verified.ok
    assert verified.records >= 1
    # SIGTERM is how containers stop: the last line is a signature over everything before it.
    assert verified.closed
    assert verified.covered == verified.lines


def test_a_port_that_is_taken_is_one_line(tmp_path: Path) -> None:
    """Exit 2, and which it is."""
    (tmp_path / "countersign.yaml").write_text(yaml.safe_dump(good_settings()))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        ran = subprocess.run(
            [sys.executable, "-c", PROGRAM, "serve", "--listen", listen],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
    assert ran.returncode == 2
    assert "Traceback" not in ran.stderr
    assert listen in ran.stderr.splitlines()[-1]


def test_a_port_that_is_taken_is_one_clear_line(run: Run, config: Callable[..., Path]) -> None:
    """Exit 2, the address and the reason, once."""
    config()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ran = run("serve", "--listen", f"127.0.0.1:{port}")
    assert ran.code == 2
    assert ran.err.splitlines() == [
        f"countersign: cannot listen on 127.0.0.1:{port}: {os.strerror(errno.EADDRINUSE)}"
    ]


def test_a_port_that_is_taken_is_no_simulator(tmp_path: Path) -> None:
    """Exit 2, as everywhere, and which it is."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        where = f"127.0.0.1:{taken.getsockname()[1]}"
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, "simulator", "--listen", where],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_S,
        )
    assert done.returncode == 2
    assert done.stderr.endswith(f"countersign: cannot listen on {where}\n")
    assert "Traceback" not in done.stderr

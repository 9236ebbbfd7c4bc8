"""Agent frameworks that the client's adapters are tested with: environments of their own, next to the built parts.

Not in ``.venv``: together they are a gigabyte, and one of them wants another MCP SDK than the server. What is in them
is locked (``requirements/``); the project is not installed there but imported from the checkout, so that these tests
also show that the client runs without the server's dependencies.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Mapping
from pathlib import Path

import msgspec

from tests.support import parts

REPOSITORY = Path(__file__).parents[2]
UV = "uv==0.13.9"
INSTALL_TIMEOUT_S = 300
RUN_TIMEOUT_S = 90


class Frameworks(msgspec.Struct, frozen=True, kw_only=True):
    """One environment, by the name of its lock file."""

    name: str

    @property
    def lock(self) -> Path:
        """What is in it."""
        return REPOSITORY / "requirements" / f"{self.name}.txt"

    @property
    def folder(self) -> Path:
        """Where it is kept: another lock, or another Python, is another environment."""
        python = "".join(map(str, sys.version_info[:2]))
        content = hashlib.sha256(self.lock.read_bytes()).hexdigest()[:12]
        return parts.bin_dir().parent / f"py{python}-{self.name}-{content}"

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin" / "python"


FRAMEWORKS = Frameworks(name="frameworks")
CREWAI = Frameworks(name="crewai")
ALL = (FRAMEWORKS, CREWAI)


class NotInstalled(Exception):
    """It is not there and cannot be had; the message says why."""


def require(which: Frameworks) -> Path:
    """Its interpreter; else the test is skipped with the reason, or fails in CI."""
    try:
        install(which)
    except NotInstalled as problem:
        parts.missing(str(problem))
    return which.python


def prefetched(which: Frameworks) -> bool:
    """Get it before the tests; whether it is there now."""
    if not which.python.exists():
        print(f"getting {which.name} (once; about a minute) ...", flush=True)
    try:
        install(which)
    except NotInstalled as problem:
        print(f"{which.name}: NOT HAD: {problem}", flush=True)
        return False
    return True


def install(which: Frameworks) -> None:
    """Made beside and then moved, so that a half one is never used. :raises NotInstalled: no index that answers."""
    if which.python.exists():
        return
    which.folder.parent.mkdir(parents=True, exist_ok=True)
    made = which.folder.with_name(f".new-{which.folder.name}-{os.getpid()}")
    venv.create(made, with_pip=True)
    python = str(made / "bin" / "python")
    lock = ["--require-hashes", "--requirement", str(which.lock)]
    try:
        _run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", UV)
        _run(python, "-m", "uv", "pip", "install", "--quiet", "--no-cache", "--python", python, *lock)
        made.rename(which.folder)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        said = (error.stderr or b"").decode(errors="replace")[-300:]
        raise NotInstalled(f"the environment {which.name} cannot be installed: {said or error}") from error
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=INSTALL_TIMEOUT_S)


async def run(which: Frameworks, program: Path, environment: Mapping[str, str]) -> str:
    """Run a program there; the last line that it printed.

    :raises AssertionError: it failed; the message holds its stderr.
    """
    quiet = {"CREWAI_DISABLE_TELEMETRY": "true", "OTEL_SDK_DISABLED": "true", "CREWAI_TESTING": "true"}
    process = await asyncio.create_subprocess_exec(
        str(require(which)),
        str(program),
        env={
            "PATH": os.environ["PATH"],
            "HOME": environment["HOME"],
            "PYTHONPATH": str(REPOSITORY),
            **quiet,
            **environment,
        },
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(RUN_TIMEOUT_S):
            printed, errors = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, errors.decode(errors="replace")[-4000:]
    return printed.decode().strip().splitlines()[-1]

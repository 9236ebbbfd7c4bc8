"""Runs the official suite as the program it is, and reads what it found."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import msgspec

from tests.support import npm

OLD, NEW = (one.version for one in npm.CONFORMANCE)
"""The release that npm calls latest, and the one that knows 2026-07-28."""
_STAMP = re.compile(r"-\d{4}-\d\d-\d\dT[\d-]+Z?$")
DEADLINE_S = 100


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What a run found, by scenario."""

    passed: dict[str, int]
    failed: dict[str, list[str]]

    @property
    def checks(self) -> tuple[int, int]:
        """How many checks passed, and how many failed."""
        return sum(self.passed.values()), sum(len(one) for one in self.failed.values())


def command(version: str) -> list[str]:
    """The suite of that version, run by a Node that is new enough for it (its package brings one)."""
    package = next(one for one in npm.CONFORMANCE if one.version == version)
    modules = npm.require(package) / "node_modules"
    return [str(modules / "node" / "bin" / "node"), str(modules / package.name / "dist" / "index.js")]


async def against_server(url: str, *, version: str, spec: str, folder: Path) -> Found:
    """Every scenario for servers of that version of the specification."""
    words = [
        *command(version),
        "server",
        "--url",
        url,
        "--suite",
        "all",
        "--spec-version",
        spec,
        "-o",
        str(folder),
    ]
    await _ran(words)
    return _read(folder, prefix="server-")


async def against_client(program: str, scenario: str, *, version: str, folder: Path) -> Found:
    """One scenario for clients; ``program`` is started with the address of the suite's server at its end."""
    words = [*command(version), "client", "--command", program, "--scenario", scenario, "-o", str(folder)]
    await _ran(words)
    return _read(folder, prefix="")


async def _ran(words: list[str]) -> str:
    process = await asyncio.create_subprocess_exec(
        *words,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        stdin=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(DEADLINE_S):
            said, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return said.decode(errors="replace")


def _read(folder: Path, *, prefix: str) -> Found:
    """One folder for each scenario, with ``checks.json``: a list of checks, each with an id and a status."""
    passed: dict[str, int] = {}
    failed: dict[str, list[str]] = {}
    for path in sorted(folder.glob("**/checks.json")):
        scenario = _STAMP.sub("", path.parent.name.removeprefix(prefix))
        checks: list[dict[str, Any]] = json.loads(path.read_text())
        passed[scenario] = sum(one["status"] == "SUCCESS" for one in checks)
        wrong = [
            f"{one['id']}: {one.get('errorMessage', '')}" for one in checks if one["status"] == "FAILURE"
        ]
        if wrong:
            failed[scenario] = wrong
    return Found(passed=passed, failed=failed)

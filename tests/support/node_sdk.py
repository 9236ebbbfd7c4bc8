"""The official TypeScript SDK of MCP, installed once per user outside the tree, and run by `node`."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.support import parts

PACKAGE = "@modelcontextprotocol/sdk"
VERSION = "1.32.2"
INSTALL_TIMEOUT_S = 90
"""A cold npm cache takes some ten seconds; beyond this there is no registry to be had."""
RUN_TIMEOUT_S = 60


def folder() -> Path:
    """Where the SDK is kept: next to the built parts, one folder for each version."""
    return parts.bin_dir().parent / f"node-sdk-{VERSION}"


def require() -> Path:
    """The folder with the SDK in it, installed now if it is missing; else the test is skipped, or fails in CI."""
    if shutil.which("node") is None:
        parts.missing("node is not on PATH; the TypeScript SDK needs it")
    if _installed() != VERSION:
        _install()
    return folder()


async def run(script: Path, environment: Mapping[str, str]) -> Any:
    """Run a module script that imports the SDK by its bare name; what it printed, read as JSON.

    :raises AssertionError: it failed; the message holds its stderr.
    """
    # Bare imports are looked up beside the script, so a copy of it runs next to node_modules.
    with tempfile.TemporaryDirectory(dir=require()) as beside:
        copy = Path(beside, script.name)
        shutil.copyfile(script, copy)
        node = await asyncio.create_subprocess_exec(
            "node",
            str(copy),
            env={"PATH": os.environ["PATH"], **environment},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(RUN_TIMEOUT_S):
                printed, errors = await node.communicate()
        finally:
            if node.returncode is None:
                node.kill()
                await node.wait()
    assert node.returncode == 0, errors.decode(errors="replace")
    return json.loads(printed)


def _installed() -> str | None:
    manifest = folder() / "node_modules" / PACKAGE / "package.json"
    return str(json.loads(manifest.read_bytes())["version"]) if manifest.exists() else None


def _install() -> None:
    npm = shutil.which("npm")
    if npm is None:
        parts.missing(f"npm is not on PATH, and {PACKAGE} {VERSION} is not in {folder()}")
    folder().mkdir(parents=True, exist_ok=True)
    command = [npm, "install", "--prefix", str(folder()), "--ignore-scripts", "--no-audit", "--no-fund"]
    try:
        subprocess.run(
            [*command, f"{PACKAGE}@{VERSION}"], check=True, capture_output=True, timeout=INSTALL_TIMEOUT_S
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        said = (error.stderr or b"").decode(errors="replace")[-300:]
        parts.missing(f"npm cannot install {PACKAGE} {VERSION}: {said or error}")

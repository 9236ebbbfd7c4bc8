"""The official TypeScript SDK of MCP, installed once per user outside the tree, and run by `node`."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.support import npm, parts

RUN_TIMEOUT_S = 60


def require() -> Path:
    """The folder with the SDK in it; else the test is skipped, or fails in CI."""
    if shutil.which("node") is None:
        parts.missing("node is not on PATH; the TypeScript SDK needs it")
    return npm.require(npm.SDK)


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

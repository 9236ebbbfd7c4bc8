"""The TypeScript package: its compiler, the Node that runs it, and its table of classes.

``python -m tests.support.typescript`` writes the table anew after an edit of ``policies/gateway/classes/data.yaml``.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from gateway.places import policies_folder
from gateway.policy.data_file import parse_yaml
from tests.support import npm

REPOSITORY = Path(__file__).parents[2]
PACKAGE = REPOSITORY / "gateway/client/typescript"
CLASSES = PACKAGE / "src/classes.json"
DEADLINE_S = 60


def classes_json() -> str:
    """The table as the package holds it."""
    data = parse_yaml((policies_folder() / "classes/data.yaml").read_text(encoding="utf-8"))
    return json.dumps({**data["tools"], **data["aliases"]}, indent=2) + "\n"


async def node(*arguments: str, environment: Mapping[str, str] | None = None) -> tuple[int, str]:
    """Run Node in the repository: exit code and what it printed."""
    return await _run(
        npm.require(npm.TYPESCRIPT) / "node_modules/node/bin/node", *arguments, environment=environment
    )


async def with_ai_sdk(script: Path, environment: Mapping[str, str]) -> tuple[int, str]:
    """Run a test that imports Vercel's AI SDK: bare imports are looked up beside it, so a copy runs there."""
    folder = npm.require(npm.AI_SDK)
    with tempfile.TemporaryDirectory(dir=folder) as beside:
        copy = Path(beside, script.name)
        shutil.copyfile(script, copy)
        return await node("--test", "--test-reporter=tap", str(copy), environment=environment)


async def tsc(*arguments: str, cwd: Path = REPOSITORY) -> tuple[int, str]:
    """Run the compiler."""
    modules = npm.require(npm.TYPESCRIPT) / "node_modules"
    compiler = str(modules / "typescript/bin/tsc")
    return await _run(modules / "node/bin/node", compiler, *arguments, cwd=cwd)


async def checked(files: list[Path]) -> tuple[int, str]:
    """Check tests by the package's own strict settings, with Node's types."""
    modules = npm.require(npm.TYPESCRIPT) / "node_modules"
    settings = {
        "extends": str(PACKAGE / "tsconfig.json"),
        "compilerOptions": {
            "noEmit": True,
            "allowImportingTsExtensions": True,
            "rewriteRelativeImportExtensions": False,
            "rootDir": str(REPOSITORY),
            "types": ["node"],
            "typeRoots": [str(modules / "@types")],
        },
        "include": [str(file) for file in files],
    }
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "tsconfig.json").write_text(json.dumps(settings))
        return await tsc("--project", folder)


async def built(folder: Path) -> tuple[int, str]:
    """Build a copy of the package as ``npm run build`` does."""
    shutil.copytree(
        PACKAGE, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("node_modules", "dist")
    )
    return await tsc("--project", "tsconfig.json", cwd=folder)


async def _run(
    *command: str | Path, environment: Mapping[str, str] | None = None, cwd: Path = REPOSITORY
) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        *map(str, command),
        env={"PATH": os.environ["PATH"], "NO_COLOR": "1", **(environment or {})},
        cwd=cwd,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(DEADLINE_S):
            printed, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode is not None
    return process.returncode, printed.decode(errors="replace")


if __name__ == "__main__":
    CLASSES.write_text(classes_json(), encoding="utf-8")

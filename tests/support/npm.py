"""Packages of the npm registry that tests run, installed once per user outside the tree, next to the built parts."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

from tests.support import parts

INSTALL_TIMEOUT_S = 90
"""A cold npm cache takes some ten seconds; beyond this there is no registry to be had."""


def require(name: str, package: str, version: str, *more: str, scripts: bool = False) -> Path:
    """The folder ``name-version`` with the package (and ``more``) in its ``node_modules``, installed now if missing.

    Else the test is skipped with the reason, or fails in CI. ``scripts``: one of them needs its install script.
    """
    folder = parts.bin_dir().parent / f"{name}-{version}"
    manifest = folder / "node_modules" / package / "package.json"
    if manifest.exists() and json.loads(manifest.read_bytes())["version"] == version:
        return folder
    npm = shutil.which("npm")
    if npm is None:
        parts.missing(f"npm is not on PATH, and {package} {version} is not in {folder}")
    folder.mkdir(parents=True, exist_ok=True)
    command = [npm, "install", "--prefix", str(folder), "--no-audit", "--no-fund"]
    command += [] if scripts else ["--ignore-scripts"]
    try:
        subprocess.run(
            [*command, *more, f"{package}@{version}"],
            check=True,
            capture_output=True,
            timeout=INSTALL_TIMEOUT_S,
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        said = (error.stderr or b"").decode(errors="replace")[-300:]
        parts.missing(f"npm cannot install {package} {version}: {said or error}")
    return folder

"""Packages of the npm registry that tests run, installed once per user outside the tree, next to the built parts."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import msgspec

from tests.support import parts

INSTALL_TIMEOUT_S = 90
"""A cold npm cache takes some ten seconds; beyond this there is no registry to be had."""


class Package(msgspec.Struct, frozen=True, kw_only=True):
    """One package of a pinned version, and what it needs beside it."""

    name: str
    version: str
    beside: tuple[str, ...] = ()
    scripts: bool = False
    """Whether one of them needs its install script."""

    @property
    def folder(self) -> Path:
        """Where it is kept."""
        short = self.name.rpartition("/")[2]
        return parts.bin_dir().parent / f"npm-{short}-{self.version}"

    @property
    def installed(self) -> bool:
        """Whether it is there, in its version."""
        manifest = self.folder / "node_modules" / self.name / "package.json"
        return manifest.exists() and json.loads(manifest.read_bytes())["version"] == self.version


SDK = Package(name="@modelcontextprotocol/sdk", version="1.32.2")
CONFORMANCE = tuple(
    Package(name="@modelcontextprotocol/conformance", version=version, beside=("node@22",), scripts=True)
    for version in ("0.1.16", "0.2.0-alpha.12")
)
"""The suite's releases, each with a Node that is new enough for it: npm's ``node`` package brings one."""
TYPESCRIPT = Package(
    name="typescript", version="7.0.2", beside=("node@22.23.3", "@types/node@22.20.5"), scripts=True
)
"""The compiler, and a Node that runs TypeScript as it is written."""
AI_SDK = Package(name="ai", version="7.0.173", beside=("zod@4.1.12",))
"""Vercel's AI SDK, which an adapter of the TypeScript client makes tools for."""
OIDC_PROVIDER = Package(name="oidc-provider", version="9.13.3")
"""An OAuth server that the OpenID Foundation certified. It wants the Node beside the compiler."""
PACKAGES = {
    f"{one.name}@{one.version}": one for one in (SDK, *CONFORMANCE, TYPESCRIPT, AI_SDK, OIDC_PROVIDER)
}


class NotInstalled(Exception):
    """It is not there and cannot be had; the message says why."""


def require(package: Package) -> Path:
    """The folder with the package in its ``node_modules``, installed now if it is missing.

    Else the test is skipped with the reason, or fails in CI.
    """
    try:
        install(package)
    except NotInstalled as problem:
        parts.missing(str(problem))
    return package.folder


def prefetched(name: str) -> bool:
    """Get a package before the tests; whether it is there now."""
    try:
        install(PACKAGES[name])
    except NotInstalled as problem:
        print(f"{name}: NOT HAD: {problem}", flush=True)
        return False
    return True


def install(package: Package) -> None:
    """:raises NotInstalled: there is no npm, or no registry that answers."""
    if package.installed:
        return
    npm, what = shutil.which("npm"), f"{package.name}@{package.version}"
    if npm is None:
        raise NotInstalled(f"npm is not on PATH, and {what} is not in {package.folder}")
    package.folder.mkdir(parents=True, exist_ok=True)
    command = [npm, "install", "--prefix", str(package.folder), "--no-audit", "--no-fund"]
    command += [] if package.scripts else ["--ignore-scripts"]
    try:
        subprocess.run(
            [*command, *package.beside, what], check=True, capture_output=True, timeout=INSTALL_TIMEOUT_S
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        said = (error.stderr or b"").decode(errors="replace")[-300:]
        raise NotInstalled(f"npm cannot install {what}: {said or error}") from error

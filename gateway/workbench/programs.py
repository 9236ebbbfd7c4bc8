"""OPA and Regal, each as a short process on the files of the person who runs them, and what stands where.

Programs are given a list of arguments, never a line for a shell.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import msgspec

TIMEOUT_S = 120.0
"""Longest run of one program: the whole test suite of a large policy takes some seconds."""


class Programs(msgspec.Struct, frozen=True, kw_only=True):
    """Where the programs are; None: not on this machine."""

    opa: str | None = None
    regal: str | None = None


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """A policy folder and what it is held against: what stands beside it (``policies/``), else what ships."""

    folder: Path
    shipped: Path | None = None
    """What ships (``policies/``), for what does not stand beside the folder."""

    @property
    def schemas(self) -> Path:
        """JSON Schemas of the questions, the answers and the data files."""
        return self._beside("schemas")

    @property
    def checks(self) -> Path:
        """The policy about policies."""
        return self._beside("checks")

    @property
    def capabilities(self) -> Path:
        """The built-ins that both engines have."""
        return self._beside("capabilities.json")

    @property
    def style(self) -> Path | None:
        """Regal's configuration; None where Regal finds one of the folder's own by itself."""
        folder = self.folder.absolute()
        for above in (folder, *folder.parents):
            if (above / ".regal").is_dir() or (above / ".regal.yaml").is_file():
                return None
        shipped = None if self.shipped is None else self.shipped / ".regal" / "config.yaml"
        return shipped if shipped is not None and shipped.is_file() else None

    def _beside(self, name: str) -> Path:
        own = self.folder.parent / name
        return own if own.exists() or self.shipped is None else self.shipped / name

    @property
    def loaded(self) -> str:
        """The folder as OPA has to load it."""
        return f"gateway:{self.folder}"


def run_program(command: Sequence[str], stdin: str = "") -> subprocess.CompletedProcess[str]:
    """How it ended and what it said; 124 as its exit code where it did not end."""
    try:
        return subprocess.run(  # noqa: S603 - a list, and the programs are the operator's
            command, input=stdin, capture_output=True, text=True, check=False, timeout=TIMEOUT_S
        )
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 124, "", f"no end after {TIMEOUT_S:.0f} s")

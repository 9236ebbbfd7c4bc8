"""The version of this release, as the package's metadata has it."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

try:
    VERSION = version("countersign")
except PackageNotFoundError:  # run from a bare checkout
    VERSION = "0.0.0+checkout"

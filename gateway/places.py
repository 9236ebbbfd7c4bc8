"""Where the files that ship with the gateway are: beside the package in a checkout, inside it in a wheel."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent


def policies_folder() -> Path:
    """The tree that engines load, ``policies/gateway``. :raises FileNotFoundError: neither place has it."""
    for folder in (_PACKAGE.parent / "policies" / "gateway", _PACKAGE / "_policies" / "gateway"):
        if folder.is_dir():
            return folder
    raise FileNotFoundError("the policies that ship with countersign are missing; set policy.path")


def overlays_folder() -> Path | None:
    """The overlays of the checkout, ``bundles``; None in a wheel, which has none."""
    folder = _PACKAGE.parent / "bundles"
    return folder if (folder / "production").is_dir() else None

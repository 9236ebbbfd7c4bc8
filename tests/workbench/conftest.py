"""A copy of the policies that ship, to be broken."""

import shutil
from pathlib import Path

import pytest

from tests.support.policy_cases import POLICIES


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """``policies/gateway`` with its tests, and what stands beside it."""
    for name in ("gateway", "schemas", "checks", ".regal"):
        shutil.copytree(POLICIES / name, tmp_path / "policies" / name)
    shutil.copy(POLICIES / "capabilities.json", tmp_path / "policies")
    return tmp_path / "policies" / "gateway"


def edited(path: Path, old: str, new: str) -> None:
    """The file with another text at one place, which must be there."""
    text = path.read_text(encoding="utf-8")
    assert text.count(old) >= 1, f"{old!r} is not in {path}"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def appended(path: Path, text: str) -> None:
    """The file with more at its end."""
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")

"""What is published: the client works from the wheel, with the policy's own table of classes in it."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

from tests.support.typescript import REPOSITORY

PROGRAM = "import gateway.client as c; print(c.__file__); print(c.data_class_of('create_refund'))"


def test_the_wheel_holds_what_the_client_needs(tmp_path: Path) -> None:
    """Built as it is for PyPI, and run from there, away from the checkout; what npm publishes is not in it."""
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(build, check=True, capture_output=True, cwd=REPOSITORY)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as opened:
        names = opened.namelist()
        opened.extractall(tmp_path / "site")
    assert "gateway/py.typed" in names
    assert not [name for name in names if "typescript" in name or name.endswith(".ts")]
    environment = {"PYTHONPATH": str(tmp_path / "site")}
    run = [sys.executable, "-c", PROGRAM]
    printed = subprocess.run(run, check=True, capture_output=True, text=True, cwd=tmp_path, env=environment)
    where, data_class = printed.stdout.split()
    assert Path(where).is_relative_to(tmp_path)
    assert data_class == "2"

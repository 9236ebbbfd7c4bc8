"""Opening files beneath a folder: whole names, no links, no moment in between."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.authoring.servers.beneath import OutsideError, open_beneath, steps_beneath

DATA = PurePosixPath("/srv/data")


@given(st.text(st.sampled_from("/.adt\\\x00 %2e"), max_size=40))
def test_whatever_the_path_its_steps_stay_beneath(tail: str) -> None:
    """No step is a dot-dot, a slash or empty, for any text that begins like the folder."""
    try:
        steps = steps_beneath(DATA, f"/srv/data{tail}")
    except OutsideError:
        return
    assert all(step not in ("", ".", "..") and "/" not in step and "\x00" not in step for step in steps)
    assert PurePosixPath(f"/srv/data{tail}").is_relative_to(DATA)


@pytest.mark.parametrize(
    ("path", "steps"),
    [("/srv/data", ()), ("/srv/data/", ()), ("/srv/data/a/./b", ("a", "b")), ("/srv/data//a", ("a",))],
)
def test_steps(path: str, steps: tuple[str, ...]) -> None:
    """As a shell would read them."""
    assert steps_beneath(DATA, path) == steps


@pytest.mark.parametrize("step", ["..", ".", "", "a/b"])
def test_a_step_is_one_name(step: str, tmp_path: Path) -> None:
    """Whoever calls with others."""
    with pytest.raises(OutsideError):
        open_beneath(tmp_path, [step], os.O_RDONLY)


def test_a_folder_that_becomes_a_link_is_not_followed(tmp_path: Path) -> None:
    """Attack: the folder is swapped after the path was checked; each step is opened without following."""
    (tmp_path / "served/sub").mkdir(parents=True)
    (tmp_path / "served/sub/x").write_text("good")
    (tmp_path / "out").mkdir()
    (tmp_path / "out/x").write_text("secret")
    steps = steps_beneath(PurePosixPath(tmp_path / "served"), f"{tmp_path}/served/sub/x")
    os.close(open_beneath(tmp_path / "served", steps, os.O_RDONLY))
    (tmp_path / "served/sub").rename(tmp_path / "served/old")
    (tmp_path / "served/sub").symlink_to(tmp_path / "out")
    with pytest.raises(OutsideError):
        open_beneath(tmp_path / "served", steps, os.O_RDONLY)


def test_no_descriptor_stays_open(tmp_path: Path) -> None:
    """Neither after a file nor after a refusal."""
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/c").write_text("x")
    (tmp_path / "a/l").symlink_to(tmp_path)
    folder = Path("/proc/self/fd") if Path("/proc/self/fd").exists() else Path("/dev/fd")
    before = len(list(folder.iterdir()))
    os.close(open_beneath(tmp_path, ("a", "b", "c"), os.O_RDONLY))
    for steps in (("a", "l", "x"), ("a", "none"), ("none", "b")):
        with pytest.raises((OutsideError, OSError)):
            open_beneath(tmp_path, steps, os.O_RDONLY)
    assert len(list(folder.iterdir())) == before

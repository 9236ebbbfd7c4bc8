"""Opens a file beneath a folder, and never one that is elsewhere (R178).

Each step of the path is opened from the folder before it, by its descriptor and without following links (openat(2),
``O_NOFOLLOW``): there is no moment between the check and the use in which somebody could put a link in the way.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Final

from gateway.authoring.errors import ConfigInvalid

MAX_PATH_CHARS: Final = 4_096
MAX_STEPS: Final = 128
_STEP: Final = os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0)
SUPPORTED: Final = os.open in os.supports_dir_fd and hasattr(os, "O_NOFOLLOW")


class OutsideError(Exception):
    """The path is not beneath the folder, or leads through a link."""


def checked_root(path: Path) -> Path:
    """A folder that may be served. :raises ConfigInvalid: none, a link, or the whole file system."""
    if not SUPPORTED:
        raise ConfigInvalid("this system cannot open files beneath a folder safely (openat)")
    root = path.absolute()
    if not root.is_dir() or root.is_symlink():
        raise ConfigInvalid(f"{path.name or path}: is no folder")
    root = root.resolve()
    if root == Path(root.anchor):
        raise ConfigInvalid("the whole file system is no folder to serve")
    return root


def steps_beneath(root: PurePosixPath, path: str) -> tuple[str, ...]:
    """The steps from ``root`` to an absolute ``path``, by whole names: ``/database`` is not in ``/data``. Pure.

    :raises OutsideError: relative, with ``..`` or NUL, too long, or somewhere else.
    """
    if len(path) > MAX_PATH_CHARS or "\x00" in path or not path.startswith("/"):
        raise OutsideError
    parts = PurePosixPath(path).parts
    if ".." in parts or len(parts) > MAX_STEPS or parts[: len(root.parts)] != root.parts:
        raise OutsideError
    return parts[len(root.parts) :]


def open_beneath(root: Path, steps: Sequence[str], flags: int) -> int:
    """A descriptor of the file or folder at ``steps`` below ``root``; the caller closes it.

    :raises OutsideError: a step is a link, or is no name.
    :raises OSError: not there, or the system says no.
    """
    folder = os.open(root, _STEP)
    try:
        for step in steps[:-1]:
            inner = _open(step, _STEP, folder)
            os.close(folder)
            folder = inner
        if not steps:
            return os.dup(folder)
        # O_NONBLOCK: opening a pipe that nobody writes to must not wait for ever.
        return _open(steps[-1], flags | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, folder)
    finally:
        os.close(folder)


def is_plain_file(descriptor: int, *, writing: bool) -> bool:
    """Whether it is an ordinary file; for writing also one with no second name, which could be anywhere."""
    found = os.fstat(descriptor)
    return stat.S_ISREG(found.st_mode) and not (writing and found.st_nlink > 1)


def _open(step: str, flags: int, folder: int) -> int:
    if step in ("", ".", "..") or "/" in step:
        raise OutsideError
    try:
        return os.open(step, flags, 0o600, dir_fd=folder)
    except OSError:
        if _is_link(step, folder):
            raise OutsideError from None
        raise


def _is_link(step: str, folder: int) -> bool:
    try:
        return stat.S_ISLNK(os.stat(step, dir_fd=folder, follow_symlinks=False).st_mode)
    except OSError:
        return False

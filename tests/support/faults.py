"""Faults of the host that a test can switch on: no rights, and a disk that is full."""

import os
import resource
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

NOBODY = 65534
"""The user that owns nothing."""


@contextmanager
def without_rights() -> Iterator[None]:
    """Root passes every permission check, so while the block lasts root is nobody. Others stay who they
    are."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@contextmanager
def readable_directory() -> Iterator[Path]:
    """An empty directory that nobody may enter too, which pytest's own `tmp_path` does not let them."""
    with tempfile.TemporaryDirectory(prefix="cs-") as name:
        path = Path(name)
        path.chmod(0o755)
        yield path


@contextmanager
def no_file_longer_than(size: int) -> Iterator[None]:
    """Writes of this process past `size` bytes of any file fail, the last one after a part of it (EFBIG).

    Python ignores SIGXFSZ, so the write itself reports the error, as it does on a full disk.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def full_disk_under(path: Path) -> Iterator[None]:
    """Every descriptor of this process that is open on `path` leads to /dev/full: writes fail with ENOSPC.

    For the files of one part only: a limit on the whole process would hit the state store as well.
    """
    found = []
    for link in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            if link.readlink() == path.resolve():
                found.append(int(link.name))
    taken = [(descriptor, os.dup(descriptor)) for descriptor in found]
    full = os.open("/dev/full", os.O_WRONLY)
    try:
        for descriptor, _ in taken:
            os.dup2(full, descriptor)
        yield
    finally:
        for descriptor, kept in taken:
            os.dup2(kept, descriptor)
            os.close(kept)
        os.close(full)

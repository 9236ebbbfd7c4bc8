"""Files of a bundle <-> the bytes of its ``.tar.gz``. Pure; hostile archives are refused.

Written so that the same files make the same bytes: fixed order, times, owners and modes, no name and no time in the
head of gzip (RFC 1952). What can still differ is zlib: other releases of it may compress otherwise. A revision is made
of the content, never of these bytes.
"""

from __future__ import annotations

import gzip
import io
import tarfile
import zlib
from collections.abc import Mapping

from gateway.policy.engine import PolicyRefused
from gateway.policy.revision import MAX_BYTES, MAX_FILES

MANIFEST = ".manifest"
SIGNATURES = ".signatures.json"
_FIRST = (MANIFEST, SIGNATURES)
_MODE = 0o644


def packed(files: Mapping[str, bytes]) -> bytes:
    """The archive. Names are relative, with ``/``."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name in sorted(files, key=lambda one: (one not in _FIRST, one)):
            member = tarfile.TarInfo(name)  # time, owner and group are 0 and unnamed
            member.size, member.mode = len(files[name]), _MODE
            archive.addfile(member, io.BytesIO(files[name]))
    made = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=made, mtime=0) as file:
        file.write(plain.getvalue())
    return made.getvalue()


def unpacked(archive: bytes) -> dict[str, bytes]:
    """The files by name. Nothing is written anywhere.

    Refused is what readers disagree about: two members of one name (one reader takes the first, another the last), and
    names that leave the archive; links and devices; more than a policy can be.

    :raises PolicyRefused: no bundle, or one that no honest builder makes.
    """
    try:
        plain = _inflated(archive)
        with tarfile.open(fileobj=io.BytesIO(plain), mode="r:") as tar:
            return _members(tar)
    except (
        OSError,
        EOFError,
        zlib.error,
        tarfile.TarError,
        UnicodeError,
        ValueError,
        OverflowError,
        RecursionError,  # heads about heads: each is one step deeper in the reader
    ) as problem:
        raise PolicyRefused(f"the bundle is no tar.gz that can be read ({type(problem).__name__})") from None


def _inflated(archive: bytes) -> bytes:
    with gzip.GzipFile(fileobj=io.BytesIO(archive)) as file:
        plain = file.read(2 * MAX_BYTES + 1)
        if len(plain) > 2 * MAX_BYTES:
            raise PolicyRefused(f"the bundle is larger than {2 * MAX_BYTES} bytes")
        file.read(1)  # to the end: there the checksum is compared
    return plain


def _members(tar: tarfile.TarFile) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    size = 0
    for member in tar:
        # A negative size leads back to what was read before, and makes room for more in the sum below.
        if member.size < 0 or member.issparse():
            raise PolicyRefused(f"{member.name!r}: says a size that is not that of its bytes")
        if member.isdir():
            continue
        name = member.name.lstrip("/")
        if not member.isfile():
            raise PolicyRefused(f"{name!r}: only plain files belong into a bundle")
        if not name or "\\" in name or "\0" in name or any(one in ("", ".", "..") for one in name.split("/")):
            raise PolicyRefused(f"{member.name!r}: is no name for a file of a bundle")
        if name in files:
            raise PolicyRefused(f"{name}: is in the bundle twice")
        size += member.size
        if size > MAX_BYTES or len(files) >= MAX_FILES:
            raise PolicyRefused(f"the bundle is larger than {MAX_BYTES} bytes or {MAX_FILES} files")
        content = tar.extractfile(member)
        assert content is not None  # a plain file has content
        files[name] = content.read()
    return files

"""A policy as a folder, whether it came as one or as a bundle of OPA (a tar archive).

Attack: a bundle from elsewhere that writes beside its folder, or fills the disk. Only plain files below the folder are
taken out, and only so many bytes.
"""

from __future__ import annotations

import shutil
import tarfile
import zlib
from pathlib import Path

import msgspec

from gateway.policy.engine import PolicyRefused
from gateway.policy.revision import MAX_BYTES, ROOT


def folder_of(path: Path, scratch: Path, *, base: Path) -> Path:
    """The folder that is the policy: ``path`` itself, its ``gateway``, or what is in the bundle, below ``scratch``.

    A folder without rules of its own (``bundles/production``) is laid over ``base``, file by file.

    :raises PolicyRefused: no policy is there, or the bundle is none.
    """
    if path.is_dir():
        folder = path / ROOT if (path / ROOT).is_dir() else path
        return folder if any(folder.rglob("*.rego")) else _laid_over(base, folder, scratch)
    try:
        with tarfile.open(path) as bundle:
            _take_out(bundle, scratch)
    except (OSError, EOFError, ValueError, zlib.error, tarfile.TarError) as problem:
        raise PolicyRefused(f"{path}: no folder, and no bundle ({type(problem).__name__})") from None
    folder = scratch / ROOT
    if not folder.is_dir():
        raise PolicyRefused(f"{path}: the bundle holds no {ROOT}/")
    _graft(scratch / "data.json", folder)
    return folder


def _laid_over(base: Path, overlay: Path, scratch: Path) -> Path:
    whole = scratch / ROOT
    shutil.copytree(base, whole)
    shutil.copytree(overlay, whole, dirs_exist_ok=True)
    return whole


def _take_out(bundle: tarfile.TarFile, scratch: Path) -> None:
    size = 0
    for member in bundle:
        size += member.size
        if size > MAX_BYTES:
            raise PolicyRefused(f"the bundle is larger than {MAX_BYTES} bytes")
        if member.isfile():
            member.name = _place(member.name)
            bundle.extract(member, scratch, filter="data")


def _place(name: str) -> str:
    """``opa build`` names modules by where they lay on the builder's machine; only what follows the root is kept."""
    inside = name.lstrip("/").split(f"{ROOT}/")
    return f"{ROOT}/{inside[-1]}" if len(inside) > 1 else inside[0]


def _graft(path: Path, folder: Path) -> None:
    """``opa build`` puts all data into one file at the top; the engines here read it below the root."""
    if not path.is_file():
        return
    try:
        data = msgspec.json.decode(path.read_bytes(), type=dict[str, object])
    except (OSError, ValueError, RecursionError):
        raise PolicyRefused("data.json of the bundle cannot be read") from None
    if ROOT in data and not (folder / "data.json").exists():
        (folder / "data.json").write_bytes(msgspec.json.encode(data[ROOT]))

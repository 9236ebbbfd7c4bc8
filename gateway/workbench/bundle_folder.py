"""A policy as a folder, whether it came as one or as a bundle of OPA (a ``.tar.gz``).

Attack: a bundle from elsewhere that writes beside its folder, fills the disk or the memory, or never ends. It is read
by the one reader of bundles (``gateway/bundle/archive.py``), within its bounds, before anything is written.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec

from gateway.bundle.archive import unpacked
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
        with path.open("rb") as file:
            archive = file.read(MAX_BYTES + 1)
        if len(archive) > MAX_BYTES:
            raise PolicyRefused(f"the bundle is larger than {MAX_BYTES} bytes")
        _take_out(unpacked(archive), scratch)
    except (OSError, PolicyRefused) as problem:
        why = problem.message if isinstance(problem, PolicyRefused) else type(problem).__name__
        raise PolicyRefused(f"{path}: no folder, and no bundle ({why})") from None
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


def _take_out(files: dict[str, bytes], scratch: Path) -> None:
    for name, content in files.items():
        path = scratch / _place(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


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

"""A policy folder on disk -> modules, data and the revision, read as OPA reads a bundle.

The folder is `policies/gateway` (or a copy of it under any name): every `.rego` in it but `*_test.rego`, every
`data.yaml` and `data.json` at `data.gateway` and the path of its directory. The revision is the SHA-256 over the
sorted paths and bytes of these files, so that any edit shows.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import msgspec

from gateway.policy.data_file import DataFileError, parse_json, parse_yaml
from gateway.policy.engine import PolicyRefused

ROOT = "gateway"
"""Where the folder stands in `data`: the root in the bundle's manifest. Schemas and checks stand beside it."""
MAX_FILES = 1000
"""A policy is some dozens of files; more means that the wrong folder was named."""
MAX_BYTES = 16 * 1024 * 1024
"""Likewise."""

_DATA = {"data.yaml": parse_yaml, "data.yml": parse_yaml, "data.json": parse_json}


class PolicySource(msgspec.Struct, frozen=True, kw_only=True):
    """What an engine compiles. Modules by path, beginning with `gateway/`."""

    modules: dict[str, str]
    data: dict[str, Any]
    revision: str


def policy_files(folder: Path) -> list[Path]:
    """The files that make the policy, sorted; hidden ones and `*_test.rego` are not among them."""
    found = []
    for path in folder.rglob("*"):
        wanted = path.name in _DATA or (path.suffix == ".rego" and not path.name.endswith("_test.rego"))
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if wanted and not hidden and path.is_file():
            found.append(path)
    if not found or len(found) > MAX_FILES:
        raise PolicyRefused(f"{folder}: {len(found)} policy files (1 to {MAX_FILES} are expected)")
    return sorted(found)


def read_policy(folder: Path) -> PolicySource:
    """Read the folder once. Raises PolicyRefused naming the file; whether the Rego compiles is NOT checked."""
    digest = hashlib.sha256()
    modules: dict[str, str] = {}
    data: dict[str, Any] = {}
    size = 0
    for path in policy_files(folder):
        name = f"{ROOT}/{path.relative_to(folder).as_posix()}"
        try:
            content = path.read_bytes()
            text = content.decode("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise PolicyRefused(f"{name}: cannot be read as UTF-8") from error
        size += len(content)
        if size > MAX_BYTES:
            raise PolicyRefused(f"{name}: the policy is larger than {MAX_BYTES} bytes")
        if "\0" in text:  # C strings end there: the engine would load half a file
            raise PolicyRefused(f"{name}: holds a NUL character")
        for part in (name.encode(), content):
            digest.update(len(part).to_bytes(8, "big") + part)
        if path.suffix == ".rego":
            modules[name] = text
        else:
            _graft(data, (ROOT, *path.parent.relative_to(folder).parts), _parsed(path, name, text), name)
    return PolicySource(modules=modules, data=data, revision=digest.hexdigest())


def _parsed(path: Path, name: str, text: str) -> dict[str, Any]:
    try:
        return _DATA[path.name](text)
    except DataFileError as error:
        raise PolicyRefused(f"{name}: {error}") from error


def _graft(data: dict[str, Any], path: tuple[str, ...], value: dict[str, Any], name: str) -> None:
    """Put a file's object at its directory's path; two files that say the same key are refused, as by OPA."""
    for step in path:
        data = data.setdefault(step, {})
        if not isinstance(data, dict):
            raise PolicyRefused(f"{name}: a data file above already says `{step}`")
    for key, item in value.items():
        if key in data:
            raise PolicyRefused(f"{name}: another data file already says `{key}`")
        data[key] = item

"""A policy folder -> the files of a bundle. Pure but for reading the folder.

What is in it: each module as it is, all data as one canonical ``data.json`` at the top (as ``opa build`` merges it, and
so that nobody's YAML reader decides what it says), and the manifest. Tests and hidden files are not.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import msgspec

from gateway.bundle.archive import MANIFEST
from gateway.bundle.revision import revision_text
from gateway.canonical import canonical_bytes
from gateway.policy.engine import PolicyRefused
from gateway.policy.revision import ROOT, read_policy

DATA = "data.json"


class Built(msgspec.Struct, frozen=True, kw_only=True):
    """A bundle that nobody signed yet."""

    revision: str
    files: dict[str, bytes]


def build(folder: Path, *, name: str, sequence: int | None) -> Built:
    """Make the files. Whether the policy is any good is NOT looked at (``proving.py``).

    :raises PolicyRefused: a file of the folder cannot be read. :raises ValueError: the name, or the sequence.
    """
    source = read_policy(folder)
    files = {path: text.encode() for path, text in source.modules.items()}
    try:
        files[DATA] = canonical_bytes(source.data)
    except ValueError as problem:
        raise PolicyRefused(f"the policy's data: {problem}") from None
    digest = content_digest(files)
    revision = revision_text(name, sequence, digest)
    metadata: dict[str, Any] = {"name": name, "digest": digest}
    if sequence is not None:
        metadata["sequence"] = sequence
    manifest = {"revision": revision, "roots": [ROOT], "rego_version": 1, "metadata": metadata}
    return Built(revision=revision, files={**files, MANIFEST: canonical_bytes(manifest)})


def content_digest(files: dict[str, bytes]) -> str:
    """SHA-256 over the sorted names and bytes of all files but those about the bundle itself; 64 digits."""
    digest = hashlib.sha256()
    for name in sorted(one for one in files if not one.startswith(".")):
        for part in (name.encode(), files[name]):
            digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()

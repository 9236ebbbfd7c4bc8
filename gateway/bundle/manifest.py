"""``.manifest`` of a bundle, read; and a bundle as people look at it. Pure."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from gateway.bundle.archive import MANIFEST, SIGNATURES
from gateway.bundle.building import content_digest
from gateway.bundle.hashing import strict_object
from gateway.bundle.signature import Signed, unverified
from gateway.policy.engine import PolicyRefused
from gateway.policy.revision import ROOT


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What OPA reads, and what we put beside it. Unknown members are of no interest."""

    revision: str = ""
    roots: tuple[str, ...] | None = None
    metadata: dict[str, Any] = {}


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """A bundle at a glance. ``signature`` is what it claims; ``files`` are name -> bytes."""

    revision: str
    sequence: int | None
    name: str | None
    roots: tuple[str, ...]
    signature: Signed | None
    files: dict[str, int]
    size: int
    sha256: str


def read_manifest(files: dict[str, bytes]) -> Manifest:
    """The manifest.

    :raises PolicyRefused: there is none, it cannot be read, its roots are more than the policy's own (such a bundle
        replaces what else OPA holds), or its digest is not that of the files.
    """
    if MANIFEST not in files:
        raise PolicyRefused(f"{MANIFEST}: the bundle has none")
    document = strict_object(MANIFEST, files[MANIFEST])
    try:
        manifest = msgspec.convert(document, Manifest)
    except msgspec.ValidationError as problem:
        raise PolicyRefused(f"{MANIFEST}: {problem}") from None
    if manifest.roots != (ROOT,):
        raise PolicyRefused(f'{MANIFEST}: roots are not ["{ROOT}"]')
    if not manifest.revision:
        raise PolicyRefused(f"{MANIFEST}: has no revision")
    digest = manifest.metadata.get("digest")
    if digest is not None and digest != content_digest({n: c for n, c in files.items() if n != SIGNATURES}):
        raise PolicyRefused(f"{MANIFEST}: the digest is not that of the files")
    return manifest


def summary(archive: bytes, files: dict[str, bytes]) -> Summary:
    """Look at it. Nothing is verified but the form. :raises PolicyRefused:"""
    manifest = read_manifest(files)
    sequence, name = manifest.metadata.get("sequence"), manifest.metadata.get("name")
    return Summary(
        revision=manifest.revision,
        sequence=sequence if isinstance(sequence, int) else None,
        name=name if isinstance(name, str) else None,
        roots=manifest.roots or (),
        signature=unverified(files),
        files={one: len(files[one]) for one in sorted(files)},
        size=len(archive),
        sha256=hashlib.sha256(archive).hexdigest(),
    )

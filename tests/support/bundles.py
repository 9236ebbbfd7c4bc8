"""Bundles for tests: a small policy, built and signed; and the real OPA's opinion of a file."""

from __future__ import annotations

from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from gateway.bundle.archive import packed
from gateway.bundle.building import Built, build
from gateway.bundle.keys import generate, read_private_key
from gateway.bundle.signature import signed
from tests.support.opa_program import Opa
from tests.support.policies import write_policy


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """A key and where its public half lies."""

    private: EllipticCurvePrivateKey
    private_path: Path
    public_path: Path


def a_pair(folder: Path, name: str = "bundle") -> Pair:
    """A fresh key."""
    private, public = folder / f"{name}.pem", folder / f"{name}.pub.pem"
    generate(private, public)
    return Pair(private=read_private_key(private.read_bytes()), private_path=private, public_path=public)


def small_bundle(
    folder: Path,
    *,
    sequence: int | None = 1,
    name: str = "small",
    changes: dict[str, str | None] | None = None,
) -> Built:
    """The small policy of ``tests.support.policies``, below a folder of its own."""
    return build(write_policy(folder, changes), name=name, sequence=sequence)


def signed_archive(files: dict[str, bytes], pair: Pair, *, scope: str = "") -> bytes:
    """The file that is handed out."""
    return packed(signed(files, pair.private, scope=scope))


def opa_takes(opa: Opa, archive: Path, public: Path, *, scope: str = "") -> str | None:
    """None where OPA verifies and compiles the bundle; otherwise its words."""
    done = opa.run(
        "build",
        *("--bundle", archive, "--output", archive.with_suffix(".out")),
        *("--verification-key", public, "--signing-alg", "ES256", "--scope", scope),
    )
    return None if done.returncode == 0 else done.stdout + done.stderr

"""Whether a bundle may be handed to anybody: loaded and asked, by the embedded engine and, where it is there, by OPA.

Works on the very bytes that are handed out, not on the folder they were made of.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import Any

import msgspec

from gateway.bundle.archive import MANIFEST, SIGNATURES, unpacked
from gateway.bundle.building import DATA
from gateway.bundle.manifest import Manifest, read_manifest
from gateway.policy.engine import PolicyRefused
from gateway.policy.loading import CAPABILITIES, load_policy
from gateway.policy.revision import ROOT
from gateway.policy.vectors import VECTORS

TIMEOUT_S = 60.0
MAX_SAID = 2_000
"""Characters of OPA's words that are passed on."""


def prove(archive: bytes, *, opa: str | None = None, capabilities: Path | None = None) -> Manifest:
    """Load it and ask the known vectors; blocking, some tenths of a second. ``opa``: path of the program.

    :raises PolicyRefused: with the reason; nobody may be given this bundle.
    """
    files = unpacked(archive)
    manifest = read_manifest(files)
    with tempfile.TemporaryDirectory(prefix="countersign-bundle-") as scratch:
        folder = Path(scratch) / ROOT
        _laid_out(files, folder)
        if capabilities is not None and capabilities.is_file():
            (Path(scratch) / CAPABILITIES).write_bytes(capabilities.read_bytes())
        load_policy(folder)
        if opa is not None:
            path = Path(scratch) / "bundle.tar.gz"
            path.write_bytes(archive)
            _asked(path, opa)
    return manifest


def _laid_out(files: dict[str, bytes], folder: Path) -> None:
    """As the embedded engine reads a folder: what stands at the top of a bundle stands above its root."""
    inside: dict[str, bytes] = {}
    for name, content in files.items():
        if name in (MANIFEST, SIGNATURES):
            continue
        if name != DATA and not name.startswith(f"{ROOT}/"):
            raise PolicyRefused(f"{name}: lies outside the root {ROOT!r}")
        place = name.removeprefix(f"{ROOT}/")
        if place in inside:
            raise PolicyRefused(f"{DATA}: stands in two places; build the bundle, or use `opa build`")
        inside[place] = _below_root(content) if name == DATA else content
    for place, content in inside.items():
        path = folder / place
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        except OSError as problem:
            raise PolicyRefused(f"{place}: cannot be laid out ({problem.strerror})") from None


def _below_root(content: bytes) -> bytes:
    try:
        data = msgspec.json.decode(content, type=dict[str, dict[str, Any]])
    except (ValueError, RecursionError) as problem:
        raise PolicyRefused(f"data.json: {problem}") from None
    if set(data) - {ROOT}:
        raise PolicyRefused(f"data.json: says something outside the root {ROOT!r}")
    return msgspec.json.encode(data.get(ROOT, {}))


def _asked(path: Path, opa: str) -> None:
    """Ask OPA every vector, each from the bundle as OPA itself reads it."""
    asked = "\n".join(
        f"a{number} := [answer | answer := data.{vector.entrypoint.replace('/', '.')} with input as input[{number}]]"
        for number, vector in enumerate(VECTORS)
    )
    query = "; ".join(asked.splitlines())
    questions = msgspec.json.encode([msgspec.Raw(vector.document) for vector in VECTORS])
    command = [opa, "eval", "--format", "json", "--stdin-input", "--strict-builtin-errors"]
    try:
        done = subprocess.run(  # noqa: S603 - a list, and the program is the operator's
            [*command, "--bundle", str(path), query],
            input=questions,
            capture_output=True,
            check=False,
            timeout=TIMEOUT_S,
        )
    except subprocess.TimeoutExpired:
        raise PolicyRefused(f"OPA gave no answer within {TIMEOUT_S:.0f} s") from None
    if done.returncode != 0:
        said = (done.stdout + done.stderr).decode(errors="replace")[:MAX_SAID]
        raise PolicyRefused(f"OPA refuses the bundle: {' '.join(said.split())}")
    bindings = msgspec.json.decode(done.stdout)["result"][0]["bindings"]
    for number, vector in enumerate(VECTORS):
        answers = bindings[f"a{number}"]
        problem = vector.problem(msgspec.json.encode(answers[0]) if answers else None)
        if problem is not None:
            raise PolicyRefused(f"OPA: {problem}")

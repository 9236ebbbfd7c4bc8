"""The bundles that are handed out: each file of a folder, once it was verified and proved.

A file that is refused does not replace the one before it: sidecars go on with what they have, and the log says why.
Polls cost one look at the file's time and size; a changed file is read, verified and proved once, in a thread.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from gateway.bundle.archive import unpacked
from gateway.bundle.proving import prove
from gateway.bundle.revision import NAME
from gateway.bundle.signature import verify
from gateway.policy.engine import PolicyRefused
from gateway.policy.revision import MAX_BYTES

SUFFIX = ".tar.gz"
_LOG = logging.getLogger("countersign.policy")
_Stamp = tuple[int, int, int]


class Served(msgspec.Struct, frozen=True, kw_only=True):
    """One file as it is handed out. ``etag`` is the SHA-256 of its bytes in quotes (RFC 9110 section 8.8.3)."""

    content: bytes
    etag: str
    revision: str


class BundleShelf:
    """Files ``NAME.tar.gz`` of a folder, signed by one key for one scope."""

    def __init__(self, folder: Path, key: EllipticCurvePublicKey, *, scope: str) -> None:
        self._folder = folder
        self._key = key
        self._scope = scope
        self._seen: dict[str, _Stamp] = {}
        self._served: dict[str, Served] = {}
        self._one_at_a_time = asyncio.Lock()

    async def current(self, name: str) -> Served | None:
        """The bundle of that name; None: there is none, or never was a good one."""
        if not NAME.fullmatch(name):
            return None
        path = self._folder / f"{name}{SUFFIX}"
        async with self._one_at_a_time:
            stamp = _stamp(path)
            if stamp is None:
                self._seen.pop(name, None)
                self._served.pop(name, None)
                return None
            if self._seen.get(name) != stamp:
                await self._look(name, path)
                self._seen[name] = stamp
            return self._served.get(name)

    async def _look(self, name: str, path: Path) -> None:
        try:
            served = await asyncio.to_thread(self._read, path)
        except (PolicyRefused, OSError) as problem:
            said = problem.message if isinstance(problem, PolicyRefused) else problem.strerror
            kept = self._served.get(name)
            stays = "nothing is handed out" if kept is None else f"{kept.revision} stays"
            _LOG.error("bundle %s REFUSED, %s: %s", name, stays, said)
            return
        self._served[name] = served
        _LOG.warning("bundle %s: revision %s is handed out from now on", name, served.revision)

    def _read(self, path: Path) -> Served:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise PolicyRefused(f"the bundle is larger than {MAX_BYTES} bytes")
        verify(unpacked(content), self._key, scope=self._scope)
        manifest = prove(content)
        etag = f'"{hashlib.sha256(content).hexdigest()}"'
        return Served(content=content, etag=etag, revision=manifest.revision)


def _stamp(path: Path) -> _Stamp | None:
    """What tells that the file is another one; None if it is not there."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino

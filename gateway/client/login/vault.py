"""Where tokens and the proof key are kept: the keyring of the operating system, else a file only this user can read."""

from __future__ import annotations

import asyncio
import hashlib
import os
import secrets
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final, Protocol

from gateway.client.errors import VaultError

SERVICE: Final = "countersign"
TRUSTED_BACKENDS: Final = (
    "keyring.backends.macOS",
    "keyring.backends.Windows",
    "keyring.backends.SecretService",
    "keyring.backends.libsecret",
    "keyring.backends.kwallet",
)
"""Keyrings of operating systems. Named one by one: backends that keep plain text look the same from outside."""
MAX_KEPT: Final = 64 * 1024
"""Bytes of one kept value."""
LOCK_STALE_S: Final = 60.0
"""Seconds after which a lock belongs to a process that is gone: nobody holds one longer than a token exchange."""
LOCK_POLL_S: Final = 0.05


class Vault(Protocol):
    """Keeps small secrets by name, across processes. Errors: ``VaultError``."""

    async def get(self, name: str) -> bytes | None:
        """What is kept under a name."""
        ...

    async def put(self, name: str, value: bytes) -> None:
        """Keep it, in place of what was there."""
        ...

    async def delete(self, name: str) -> None:
        """Forget it."""
        ...

    def locked(self, name: str) -> Any:
        """An async context that one process at a time is in: a refresh token may be used once."""
        ...


class Keyring(Protocol):
    """The part of a keyring backend that is used."""

    def get_password(self, service: str, username: str) -> str | None:
        """The kept text."""
        ...

    def set_password(self, service: str, username: str, password: str) -> None:
        """Keep text."""
        ...

    def delete_password(self, service: str, username: str) -> None:
        """Forget text."""
        ...


class FileVault:
    """One file for each name, mode 0600, in a folder of mode 0700."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def get(self, name: str) -> bytes | None:
        """:raises VaultError: others may read or write the file, or it is not ours."""
        return await asyncio.to_thread(self._get, name)

    async def put(self, name: str, value: bytes) -> None:
        """Written beside, then moved into place: a crash leaves the old value or the new one."""
        await asyncio.to_thread(self._put, name, value)

    async def delete(self, name: str) -> None:
        """Forget it."""
        self._path(name).unlink(missing_ok=True)

    @asynccontextmanager
    async def locked(self, name: str) -> AsyncIterator[None]:
        """A lock file, taken by whoever creates it."""
        self._make_folder()
        path = self._path(name).with_suffix(".lock")
        while True:
            try:
                os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
                break
            except FileExistsError:
                with suppress(FileNotFoundError):
                    if time.time() - path.stat().st_mtime > LOCK_STALE_S:
                        path.unlink()
                        continue
                await asyncio.sleep(LOCK_POLL_S)
            except OSError as problem:
                raise VaultError(f"The folder for tokens cannot be used: {problem.strerror}.") from None
        try:
            yield
        finally:
            path.unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        return self._folder / f"{hashlib.sha256(name.encode()).hexdigest()[:40]}.secret"

    def _make_folder(self) -> None:
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as problem:
            raise VaultError(f"The folder for tokens cannot be made: {problem.strerror}.") from None

    def _get(self, name: str) -> bytes | None:
        try:
            opened = os.open(self._path(name), os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
        except FileNotFoundError:
            return None
        except OSError as problem:
            raise VaultError(f"The kept token cannot be read: {problem.strerror}.") from None
        with os.fdopen(opened, "rb") as file:
            about = os.fstat(file.fileno())
            # Windows keeps the profile's own access list; mode bits say nothing there.
            if sys.platform != "win32" and (about.st_uid != os.getuid() or about.st_mode & 0o077):
                raise VaultError("The kept token can be read by others, and is not used. Sign in anew.")
            return file.read(MAX_KEPT)

    def _put(self, name: str, value: bytes) -> None:
        self._make_folder()
        path = self._path(name)
        beside = path.with_suffix(f".{secrets.token_hex(8)}")
        try:
            opened = os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            with os.fdopen(opened, "wb") as file:
                file.write(value)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
        except OSError as problem:
            beside.unlink(missing_ok=True)
            raise VaultError(f"The token cannot be kept: {problem.strerror}.") from None


class KeyringVault:
    """The operating system's keyring. Locks stand in files beside, since keyrings have none."""

    def __init__(self, keyring: Keyring, files: FileVault) -> None:
        self._keyring = keyring
        self._files = files
        self.locked = files.locked

    async def get(self, name: str) -> bytes | None:
        """:raises VaultError: the keyring is locked or gone."""
        kept = await self._do("read", self._keyring.get_password, SERVICE, name)
        return kept.encode() if isinstance(kept, str) else None

    async def put(self, name: str, value: bytes) -> None:
        """:raises VaultError: it does not take the value."""
        await self._do("keep", self._keyring.set_password, SERVICE, name, value.decode())

    async def delete(self, name: str) -> None:
        """Forget it, if it is there."""
        if await self.get(name) is not None:
            await self._do("forget", self._keyring.delete_password, SERVICE, name)

    async def _do(self, what: str, function: Any, *arguments: str) -> Any:
        try:
            return await asyncio.to_thread(function, *arguments)
        except Exception as problem:  # noqa: BLE001 - backends raise what their systems raise
            raise VaultError(f"The keyring did not {what} the token: {type(problem).__name__}.") from None


def trusted(backend: Any) -> Keyring | None:
    """A keyring of the operating system behind what the ``keyring`` library chose; None: there is none to trust."""
    chained = getattr(backend, "backends", None)
    candidates = list(chained) if isinstance(chained, list | tuple) else [backend]
    for one in candidates:
        if type(one).__module__ in TRUSTED_BACKENDS:
            found: Keyring = one
            return found
    return None


def open_vault(folder: Path) -> tuple[Vault, bool]:
    """The best place there is, and whether it is a keyring. The library is optional."""
    files = FileVault(folder)
    try:
        import keyring
    except ImportError:
        return files, False
    try:
        found = trusted(keyring.get_keyring())
    except Exception:  # noqa: BLE001 - a broken keyring is no keyring
        found = None
    return (KeyringVault(found, files), True) if found is not None else (files, False)

"""Reading and replacing a host's file: the old one kept beside it, the new one complete or not there."""

from __future__ import annotations

import difflib
import json
import os
import secrets
from pathlib import Path
from typing import Any

from gateway.client.errors import HostFileError
from gateway.client.hosts.entries import Entry
from gateway.client.hosts.merge import MAX_FILE, entry_in, merged

BACKUP = ".countersign-backup"
NEW_FILE_MODE = 0o600
"""A file that may come to hold a token is for its owner alone."""
NOT_SHOWN = "(not shown)"


class Change:
    """One file, as it is and as it would be. Reading happens at once. :raises HostFileError: it cannot be changed."""

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        # A link to a file in a dotfiles folder stays one.
        self.path = entry.path.resolve()
        self._before = _read(self.path)
        before = (self._before or b"").decode()
        self.after = merged(before, entry).encode()
        self._held = entry_in(before, entry)

    @property
    def is_needed(self) -> bool:
        """False: the file says it already."""
        return bool(self._held != self.entry.value)

    def diff(self) -> str:
        """What would change in the entry, and nothing of other ones, which may hold secrets; nor what it held before.

        Not of the file's lines: one that was written without line breaks would be shown whole.
        """
        held = None if self._held is None else _without_secrets(self._held, self.entry.value)
        old = _lines(self.entry, held)
        new = _lines(self.entry, self.entry.value)
        lines = difflib.unified_diff(old, new, str(self.path), str(self.path), n=0, lineterm="")
        return "\n".join(lines)

    def write(self) -> Path | None:
        """Do it; the path of the backup, if there was a file.

        :raises HostFileError: the file changed since it was read (the host is running), or cannot be written.
        """
        try:
            if _read(self.path) != self._before:
                raise HostFileError(f"{self.path} has changed meanwhile; nothing was written. Try again.")
            self.path.parent.mkdir(parents=True, exist_ok=True)
            mode = self.path.stat().st_mode & 0o777 if self._before is not None else NEW_FILE_MODE
            backup = None
            if self._before is not None:
                backup = self.path.with_name(self.path.name + BACKUP)
                _replace(backup, self._before, mode)
            _replace(self.path, self.after, mode)
        except OSError as problem:
            raise HostFileError(f"{self.path} cannot be written: {problem.strerror}.") from None
        return backup


def _lines(entry: Entry, value: Any) -> list[str]:
    if value is None:
        return []
    return json.dumps({entry.section: {entry.name: value}}, indent=2, ensure_ascii=False).splitlines()


def _without_secrets(before: Any, after: Any) -> Any:
    """``before``, of which is shown what stays: a token can be a header, a variable, an argument or part of a URL."""
    if isinstance(before, dict):
        stays = after if isinstance(after, dict) else {}
        return {name: _without_secrets(value, stays.get(name)) for name, value in before.items()}
    return before if before == after else NOT_SHOWN


def _read(path: Path) -> bytes | None:
    try:
        if path.stat().st_size > MAX_FILE:
            raise HostFileError(f"{path} is over {MAX_FILE} bytes; nothing was written.")
        content = path.read_bytes()
        content.decode()
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        raise HostFileError(f"{path} is not text; nothing was written.") from None
    except OSError as problem:
        raise HostFileError(f"{path} cannot be read: {problem.strerror}.") from None
    return content


def _replace(path: Path, content: bytes, mode: int) -> None:
    beside = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    opened = os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, NEW_FILE_MODE)
    try:
        with os.fdopen(opened, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.chmod(mode)
        beside.replace(path)
    except OSError:
        beside.unlink(missing_ok=True)
        raise

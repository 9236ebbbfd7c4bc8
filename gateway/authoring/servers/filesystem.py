"""A file server whose tools are held to the paths in their permissions (R178).

``read_file`` and ``list_folder`` have ``filesystem:read:<folder>`` for each folder that may be read, ``write_file`` has
``filesystem:write:<folder>``. A call needs the tool's own permission and, where callers have tokens, one in the
caller's token that covers the path: ``tool:filesystem:read:/data/a`` reads there and nowhere else.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any, Final, Literal
from urllib.parse import quote, unquote

from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import ToolAnnotations

from gateway.authoring.errors import ConfigInvalid
from gateway.authoring.etdi import Etdi
from gateway.authoring.profiles import split_permission
from gateway.authoring.servers.beneath import (
    OutsideError,
    checked_root,
    is_plain_file,
    open_beneath,
    steps_beneath,
)
from gateway.authoring.servers.guarded import GuardedServer, granted_to_caller

MAX_FILE_BYTES: Final = 1024 * 1024
MAX_NAMES: Final = 1_000
Action = Literal["read", "write"]
_REFUSED: Final = "That path is outside what this tool may use."


def permission_for(action: Action, folder: PurePosixPath | Path) -> str:
    """``filesystem:read:/data``; what a scope cannot hold is percent-encoded."""
    return f"filesystem:{action}:{quote(folder.as_posix(), safe='/:@!$&()*+,;=~')}"


class FilesystemServer(GuardedServer):
    """``read`` and ``write`` are folders. A folder that is written to is not read from unless it is named there too.

    :raises ConfigInvalid: no folder, or one that cannot be served.
    """

    def __init__(
        self, *, etdi: Etdi, read: Sequence[Path] = (), write: Sequence[Path] = (), **members: Any
    ) -> None:
        if not read and not write:
            raise ConfigInvalid("filesystem: name a folder to read from or to write to")
        self._roots: dict[Action, tuple[Path, ...]] = {
            "read": tuple(checked_root(path) for path in read),
            "write": tuple(checked_root(path) for path in write),
        }
        super().__init__("filesystem", etdi=etdi, **members)
        if read:
            may_read = [permission_for("read", root) for root in self._roots["read"]]
            only_reads = ToolAnnotations(read_only_hint=True, open_world_hint=False)
            self.tool(annotations=only_reads, permissions=may_read)(self.read_file)
            self.tool(annotations=only_reads, permissions=may_read)(self.list_folder)
        if write:
            may_write = [permission_for("write", root) for root in self._roots["write"]]
            changes = ToolAnnotations(read_only_hint=False, destructive_hint=True, open_world_hint=False)
            self.tool(annotations=changes, permissions=may_write)(self.write_file)

    def read_file(self, path: str) -> str:
        """The text of a file, 1 MiB at most. The path is absolute."""
        descriptor = self._open("read", path, os.O_RDONLY)
        with os.fdopen(descriptor, "rb") as file:
            if not is_plain_file(descriptor, writing=False):
                raise ToolError("That is no ordinary file.")
            content = file.read(MAX_FILE_BYTES + 1)
        if len(content) > MAX_FILE_BYTES:
            raise ToolError(f"That file has more than {MAX_FILE_BYTES} bytes.")
        try:
            return content.decode()
        except UnicodeDecodeError:
            raise ToolError("That file is not text.") from None

    def list_folder(self, path: str) -> list[str]:
        """The names in a folder, folders with a slash, 1000 at most. The path is absolute."""
        descriptor = self._open("read", path, os.O_RDONLY)
        try:
            if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
                raise ToolError("That is no folder.")
            with os.scandir(descriptor) as entries:
                names = [
                    entry.name + ("/" if entry.is_dir(follow_symlinks=False) else "")
                    for entry, _ in zip(entries, range(MAX_NAMES), strict=False)
                ]
        finally:
            os.close(descriptor)
        return sorted(names)

    def write_file(self, path: str, content: str) -> str:
        """Write a text to a file, in place of what it held; 1 MiB at most. The path is absolute."""
        data = content.encode()
        if len(data) > MAX_FILE_BYTES:
            raise ToolError(f"A file has {MAX_FILE_BYTES} bytes at most.")
        # Not truncated on opening: what turns out to be a second name of another file must stay as it is.
        descriptor = self._open("write", path, os.O_WRONLY | os.O_CREAT)
        with os.fdopen(descriptor, "wb") as file:
            if not is_plain_file(descriptor, writing=True):
                raise ToolError("That is no ordinary file, or it has a second name.")
            os.ftruncate(descriptor, 0)
            file.write(data)
        return f"{len(data)} bytes written"

    def _open(self, action: Action, path: str, flags: int) -> int:
        """:raises ToolError: outside, refused, or not there. It says no more of what is outside than that it is."""
        root, steps = self._allowed(action, path)
        try:
            return open_beneath(root, steps, flags)
        except OutsideError:
            raise ToolError(_REFUSED) from None
        except (OSError, ValueError) as problem:
            reason = os.strerror(problem.errno or 0) if isinstance(problem, OSError) else "no such name"
            raise ToolError(f"That cannot be opened: {reason}.") from None

    def _allowed(self, action: Action, path: str) -> tuple[Path, tuple[str, ...]]:
        granted = granted_to_caller()
        if granted is not None and not any(_covers(one, action, path) for one in granted):
            raise ToolError(_REFUSED)
        for root in self._roots[action]:
            try:
                return root, steps_beneath(PurePosixPath(root), path)
            except OutsideError:
                continue
        raise ToolError(_REFUSED)


def _covers(permission: str, action: Action, path: str) -> bool:
    """Whether a permission of a caller's token covers the path. No wildcard, no part of a name, and no folder that is
    relative: ``.`` and the empty one are beneath everything."""
    try:
        category, allowed, folder = split_permission(permission)
        if (category, allowed) != ("filesystem", action) or folder is None:
            return False
        root = PurePosixPath(unquote(folder))
        if not root.is_absolute():
            return False
        steps_beneath(root, path)
    except (ValueError, OutsideError):
        return False
    return True

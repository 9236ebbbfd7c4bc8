"""One list in pages. Pure.

A cursor names the list it was handed out for: who pages through a list that changed in between starts anew instead of
missing a tool, or seeing one twice (2025-11-25/server/utilities/pagination: cursors are opaque, a wrong one is -32602).
"""

from __future__ import annotations

import hashlib
import re
from typing import Any

from gateway.errors import INVALID_PARAMS, MalformedRequest

PAGE_TOOLS = 500
"""Tools of one page: what hosts of today show in one request, and far below a body that they would refuse."""
_CURSOR = re.compile(r"([0-9]{1,9})\.([0-9a-f]{16})")


def page_of(tools: list[dict[str, Any]], cursor: Any, *, size: int = PAGE_TOOLS) -> dict[str, Any]:
    """``tools`` and, where there are more, ``nextCursor``. :raises MalformedRequest: a cursor that leads nowhere."""
    if cursor is None and len(tools) <= size:
        return {"tools": tools}
    names = "\0".join(str(tool.get("name")) for tool in tools)
    digest = hashlib.sha256(names.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    start = 0
    if cursor is not None:
        match = _CURSOR.fullmatch(cursor) if isinstance(cursor, str) else None
        if match is None or match[2] != digest or not 0 < int(match[1]) < len(tools):
            raise MalformedRequest(
                "params.cursor leads nowhere; list from the beginning.",
                code="door.cursor",
                rpc_code=INVALID_PARAMS,
            )
        start = int(match[1])
    end = start + size
    page: dict[str, Any] = {"tools": tools[start:end]}
    if end < len(tools):
        page["nextCursor"] = f"{end}.{digest}"
    return page

"""Well-formed headers and bodies of both eras, for tests that break one thing at a time."""

from __future__ import annotations

from typing import Any

from gateway.door.headers import Headers
from gateway.door.protocol import META_CAPABILITIES, META_CLIENT, META_PROTOCOL

MODERN = "2026-07-28"
LEGACY = "2025-11-25"


def meta(**capabilities: Any) -> dict[str, Any]:
    """The ``_meta`` that every modern request carries."""
    return {
        META_PROTOCOL: MODERN,
        META_CLIENT: {"name": "host", "version": "1"},
        META_CAPABILITIES: capabilities,
    }


def modern_body(
    method: str = "tools/call", params: dict[str, Any] | None = None, **members: Any
) -> dict[str, Any]:
    """One modern request; ``members`` replace those of the message."""
    given = {"name": "list_invoices", "arguments": {}} if params is None and method == "tools/call" else {}
    return {
        "jsonrpc": "2.0",
        "id": 1,
        "method": method,
        "params": {"_meta": meta(), **given, **(params or {})},
        **members,
    }


def legacy_body(
    method: str = "tools/call", params: dict[str, Any] | None = None, **members: Any
) -> dict[str, Any]:
    """One legacy request."""
    given = {"name": "list_invoices", "arguments": {}} if params is None and method == "tools/call" else {}
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": {**given, **(params or {})}, **members}


def modern_headers(
    method: str = "tools/call", name: str | None = "list_invoices", **changed: str | None
) -> Headers:
    """The headers that belong to a modern request; ``mcp_name=None`` leaves one out."""
    fields: dict[str, str | None] = {
        "mcp-protocol-version": MODERN,
        "mcp-method": method,
        "mcp-name": name,
        **{key.replace("_", "-"): value for key, value in changed.items()},
    }
    return Headers([(key.encode(), value.encode()) for key, value in fields.items() if value is not None])


def legacy_headers(version: str | None = LEGACY) -> Headers:
    """The one header of a legacy request."""
    return Headers([(b"mcp-protocol-version", version.encode())] if version is not None else [])

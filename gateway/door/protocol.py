"""The versions of MCP this door speaks, and what it says about itself.

Two eras on one path: *legacy* opens with ``initialize`` (2024-11-05 .. 2025-11-25), *modern* carries everything in
each request's ``_meta`` (2026-07-28). Source: modelcontextprotocol.io/specification, basic/versioning.
"""

from __future__ import annotations

from typing import Any, Final

MODERN: Final = ("2026-07-28",)
LEGACY: Final = ("2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05")
SUPPORTED: Final = MODERN + LEGACY
LEGACY_DEFAULT: Final = "2025-03-26"
"""What a request without the version header speaks (2025-11-25/basic/transports, protocol version header)."""

META_PROTOCOL: Final = "io.modelcontextprotocol/protocolVersion"
META_CLIENT: Final = "io.modelcontextprotocol/clientInfo"
META_CAPABILITIES: Final = "io.modelcontextprotocol/clientCapabilities"
META_SERVER: Final = "io.modelcontextprotocol/serverInfo"

SERVER_NAME: Final = "countersign"
CAPABILITIES: Final[dict[str, Any]] = {"tools": {"listChanged": False}}
INSTRUCTIONS: Final = (
    "Every call is judged by a policy. A result that says `handshake_required` or `confirmation_required` means that "
    "nothing was executed yet: repeat exactly the same call, after a person has confirmed it where one is asked for."
)
LIST_TTL_MS: Final = 5_000
"""How long a host may reuse a list: it depends on the caller and on the policy, and both may change."""


def server_info(version: str) -> dict[str, str]:
    """``serverInfo`` of both eras."""
    return {"name": SERVER_NAME, "title": "Countersign gateway", "version": version}


def discover_result(version: str) -> dict[str, Any]:
    """Answer to ``server/discover`` (2026-07-28/server/discover)."""
    return {
        "resultType": "complete",
        "supportedVersions": list(SUPPORTED),
        "capabilities": CAPABILITIES,
        "instructions": INSTRUCTIONS,
        "ttlMs": 3_600_000,
        "cacheScope": "public",
        "_meta": {META_SERVER: server_info(version)},
    }


def initialize_result(requested: Any, version: str) -> dict[str, Any]:
    """Answer to ``initialize``: the requested version where we speak it, else our newest of that era."""
    agreed = requested if requested in LEGACY else LEGACY[0]
    return {
        "protocolVersion": agreed,
        "capabilities": CAPABILITIES,
        "serverInfo": server_info(version),
        "instructions": INSTRUCTIONS,
    }

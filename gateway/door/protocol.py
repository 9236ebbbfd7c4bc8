"""The versions of MCP this door speaks, and what it says about itself.

Two eras on one path: *legacy* opens with ``initialize`` (2024-11-05 .. 2025-11-25), *modern* carries everything in
each request's ``_meta`` (2026-07-28). Source: modelcontextprotocol.io/specification, basic/versioning.
"""

from __future__ import annotations

from collections.abc import Mapping
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
TASKS_EXTENSION: Final = "io.modelcontextprotocol/tasks"
NOT_CARRIED: Final = frozenset({"tasks"})
"""Capabilities of a server that are not shown: a task outlives the call that was judged."""
MAX_INSTRUCTIONS: Final = 8_000
"""Characters of a server's instructions that a host gets to read."""
INSTRUCTIONS: Final = (
    "Every call is judged by a policy. A result that says `handshake_required` or `confirmation_required` means that "
    "nothing was executed yet: repeat exactly the same call, after a person has confirmed it where one is asked for."
)
LIST_TTL_MS: Final = 5_000
"""How long a host may reuse a list: it depends on the caller and on the policy, and both may change."""
DISCOVER_TTL_MS: Final = 60_000
"""How long a host may reuse what a server said about itself; another server may stand there after a deployment."""


def server_info(version: str) -> dict[str, str]:
    """``serverInfo`` of both eras."""
    return {"name": SERVER_NAME, "title": "Countersign gateway", "version": version}


def capabilities_of(declared: Mapping[str, Any]) -> dict[str, Any]:
    """What a server says it can do, less what this gateway does not carry: tasks, of either era."""
    kept = {key: value for key, value in declared.items() if key not in NOT_CARRIED}
    extensions = kept.get("extensions")
    if isinstance(extensions, dict):
        kept["extensions"] = {key: value for key, value in extensions.items() if key != TASKS_EXTENSION}
    return {"tools": {}, **kept}


def instructions_of(said: str | None) -> str:
    """Ours, and the server's own words after them, named as such."""
    return (
        INSTRUCTIONS if not said else f"{INSTRUCTIONS}\n\nThe server itself says: {said[:MAX_INSTRUCTIONS]}"
    )


def discover_result(version: str, declared: Mapping[str, Any], instructions: str | None) -> dict[str, Any]:
    """Answer to ``server/discover`` (2026-07-28/server/discover)."""
    return {
        "resultType": "complete",
        "supportedVersions": list(SUPPORTED),
        "capabilities": capabilities_of(declared),
        "instructions": instructions_of(instructions),
        "ttlMs": DISCOVER_TTL_MS,
        "cacheScope": "public",
        "_meta": {META_SERVER: server_info(version)},
    }


def agreed_version(requested: Any) -> str:
    """The requested version where we speak it, else our newest of that era (2025-11-25/basic/lifecycle)."""
    return requested if requested in LEGACY else LEGACY[0]


def initialize_result(
    agreed: str, version: str, declared: Mapping[str, Any], instructions: str | None
) -> dict[str, Any]:
    """Answer to ``initialize``."""
    return {
        "protocolVersion": agreed,
        "capabilities": capabilities_of(declared),
        "serverInfo": server_info(version),
        "instructions": instructions_of(instructions),
    }

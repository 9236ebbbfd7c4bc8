"""What leaves the door: one tool call, parsed once, frozen."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import msgspec

from gateway.identity.credentials import Credentials

OWN_META_PREFIX = "dev.countersign/"
"""Keys of ``_meta`` that only the gateway and its own parts write. From a host they are dropped at the door:
nothing that a caller says about itself is believed."""
PROOF_META = OWN_META_PREFIX + "proof"
"""The one key of ours that a caller sends: its signature over the parameters, which is checked, not believed."""


class Era(StrEnum):
    """How the two sides of MCP talk. ``rest`` is the plain HTTP handshake of the how-to guide."""

    MODERN = "modern"
    LEGACY = "legacy"
    REST = "rest"


class Client(msgspec.Struct, frozen=True, kw_only=True):
    """What THIS request declares about the host that sent it. Untrusted: it picks a dialect, never a right."""

    name: str = ""
    version: str = ""
    can_elicit: tuple[str, ...] = ()
    can_input_required: bool = False


class ToolCall(msgspec.Struct, frozen=True, kw_only=True):
    """One ``tools/call``, strictly parsed.

    ``arguments`` is the object that was judged and the object that will be sent: nobody parses the bytes again.
    ``token`` is the handshake token the caller presents (``requestState`` or ``ephemeralToken``), if any.
    ``param_headers`` are the ``Mcp-Param-*`` headers that came with it, by their lower-case names.
    ``received_at`` is unix seconds. ``rpc_id`` is the caller's JSON-RPC id, echoed and otherwise unused.
    """

    call_id: str
    received_at: float
    server: str
    tool: str
    arguments: dict[str, Any]
    arguments_hash: str
    era: Era
    protocol: str
    client: Client
    credentials: Credentials
    method: str = "tools/call"
    token: str | None = None
    input_responses: dict[str, Any] = {}
    meta: dict[str, Any] = {}
    param_headers: Mapping[str, str] = {}
    rpc_id: str | int | None = None

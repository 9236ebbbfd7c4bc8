"""Everything that can go wrong, as one tree with stable codes.

::

    CountersignError                 code                       HTTP  JSON-RPC
    ├── MalformedRequest             door.*                     400   -32700 / -32600 / -32602
    │   ├── HeaderMismatch           door.header_mismatch       400   -32020
    │   ├── UnsupportedVersion       door.unsupported_version   400   -32022
    │   ├── UnknownMethod            door.unknown_method        404   -32601
    │   ├── TooLarge                 door.too_large             413   -32600
    │   └── (door/http.py)           door.media_type 415, door.not_acceptable 406, door.too_slow 408
    ├── Unauthenticated              identity.*                 401   4010
    ├── Forbidden                    identity.forbidden_*       403   4030
    ├── RateLimited                  rate.*                     429   4290
    ├── UnknownTool                  catalog.unknown_tool       400   -32602
    ├── TokenRefused                 handshake.*, confirm.*     400   -32602
    │                                transaction.already_begun
    ├── OAuthRefused                 idp.*                      400   (idp/errors.py, in RFC 6749's words)
    ├── Unavailable                  *.unavailable              503   5030
    │   ├── PolicyUnavailable        policy.*
    │   ├── StoreUnavailable         state.unavailable
    │   ├── AuditUnavailable         audit.unavailable
    │   └── UpstreamUnavailable      upstream.*
    └── SettingsError                settings.*                 (at start only)

A *no* of the policy is not an error: it is a ``Decision`` and travels as a value. Errors are for what is broken
or was never a proper question. Codes of our own lie outside -32768..-32000, which JSON-RPC 2.0 section 5.1 and
MCP 2026-07-28 (basic/index, error codes) keep for themselves. Messages are safe to show to a caller: they name
what is wrong and what to do, never a secret, a path of the host or a stack trace.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
HEADER_MISMATCH = -32020
UNSUPPORTED_PROTOCOL_VERSION = -32022


class CountersignError(Exception):
    """The root. ``code`` is stable and public; ``message`` is one sentence for the caller."""

    code: str = "internal"
    http_status: ClassVar[int] = 500
    rpc_code: int = INTERNAL_ERROR

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        rpc_code: int | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code
        if rpc_code is not None:
            self.rpc_code = rpc_code
        self.data: dict[str, Any] = {"code": self.code, **(data or {})}


class MalformedRequest(CountersignError):
    """What arrived is not a request of the protocol it claims to speak."""

    code = "door.malformed"
    http_status = 400
    rpc_code = INVALID_REQUEST


class HeaderMismatch(MalformedRequest):
    """Header and body disagree (MCP 2026-07-28, transports/streamable-http, server validation)."""

    code = "door.header_mismatch"
    rpc_code = HEADER_MISMATCH


class UnsupportedVersion(MalformedRequest):
    """A protocol version that this gateway does not speak."""

    code = "door.unsupported_version"
    rpc_code = UNSUPPORTED_PROTOCOL_VERSION


class UnknownMethod(MalformedRequest):
    """A JSON-RPC method that this gateway does not serve."""

    code = "door.unknown_method"
    http_status = 404
    rpc_code = METHOD_NOT_FOUND


class TooLarge(MalformedRequest):
    """More bytes than a request may have."""

    code = "door.too_large"
    http_status = 413


class Unauthenticated(CountersignError):
    """Nobody that this gateway knows is asking. The message never says more than a caller may know."""

    code = "identity.token_invalid"
    http_status = 401
    rpc_code = 4010


class Forbidden(CountersignError):
    """Known, but not allowed through this door at all (an origin, a host name, a missing scope)."""

    code = "identity.forbidden"
    http_status = 403
    rpc_code = 4030


class RateLimited(CountersignError):
    """Too often (RFC 6585 section 4). Nothing was judged, sent or burnt; ``retry_after_s`` is whole seconds."""

    code = "rate.exceeded"
    http_status = 429
    rpc_code = 4290

    def __init__(self, message: str, *, retry_after_s: int, code: str | None = None) -> None:
        super().__init__(message, code=code, data={"retryAfter": retry_after_s})
        self.retry_after_s = retry_after_s


class UnknownTool(CountersignError):
    """No tool of that name at that server (MCP 2025-11-25 server/tools: unknown tool is a protocol error)."""

    code = "catalog.unknown_tool"
    http_status = 400
    rpc_code = INVALID_PARAMS


class TokenRefused(CountersignError):
    """A handshake token or a confirmation that does not fit this call. Whatever was presented is burnt by now."""

    code = "handshake.token_unknown"
    http_status = 400
    rpc_code = INVALID_PARAMS


class Unavailable(CountersignError):
    """A part the gateway needs is not there. Nothing was sent upstream unless the audit says otherwise."""

    code = "unavailable"
    http_status = 503
    rpc_code = 5030


class PolicyUnavailable(Unavailable):
    """No usable answer from the policy engine. Every caller of the engine turns this into deny."""

    code = "policy.unavailable"


class StoreUnavailable(Unavailable):
    """The state store did not answer."""

    code = "state.unavailable"


class AuditUnavailable(Unavailable):
    """The audit sink cannot take a record that must be written first."""

    code = "audit.unavailable"


class UpstreamUnavailable(Unavailable):
    """The target cannot be reached, and it is certain that nothing was carried out."""

    code = "upstream.unavailable"


class SettingsError(CountersignError):
    """The configuration is unusable. The message names the key; the command exits with 2."""

    code = "settings.invalid"

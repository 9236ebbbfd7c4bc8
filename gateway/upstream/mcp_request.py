"""One MCP request over streamable HTTP, as headers and body, in the server's era. Pure.

The caller's token never gets here; the target's own credential, if any, is the only Authorization there is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from mcp.shared.inbound import (
    encode_header_value,
    find_invalid_x_mcp_header,
    mcp_param_headers,
    x_mcp_header_map,
)

from gateway.door.call import Era
from gateway.door.protocol import META_CAPABILITIES, META_CLIENT, META_PROTOCOL

SESSION = b"mcp-session-id"
MAX_SESSION_BYTES = 1024
"""Bytes of a session id; what is longer is no id but something to carry."""

Headers = list[tuple[bytes, bytes]]
ParamHeaders = dict[tuple[str, ...], str]
_RESERVED = "io.modelcontextprotocol/"
_ENCODER = msgspec.json.Encoder()


class Talk(msgspec.Struct, frozen=True, kw_only=True):
    """How one server is talked to, as agreed with it: era, version and (legacy) session."""

    era: Era
    protocol: str
    session: bytes | None = None


def fixed_headers(bearer: str | None) -> Headers:
    """The headers that every request carries. ``bearer`` is the gateway's own credential at the target."""
    headers = [
        (b"content-type", b"application/json"),
        (b"accept", b"application/json, text/event-stream"),
    ]
    if bearer:
        headers.append((b"authorization", b"Bearer " + bearer.encode("ascii")))
    return headers


def session_of(value: bytes | None) -> bytes | None:
    """The session id of an ``initialize`` answer: visible ASCII (2025-11-25/basic/transports, session management).

    :raises ValueError: anything else; it would have to be written into every later request.
    """
    if not value:
        return None
    if len(value) > MAX_SESSION_BYTES or not all(0x21 <= byte <= 0x7E for byte in value):
        raise ValueError("not a session id")
    return value


def headers_of(
    talk: Talk,
    method: str,
    *,
    fixed: Headers,
    name: str | None = None,
    params: Mapping[str, str] | None = None,
) -> Headers:
    """The headers of one request. ``params`` are the ``Mcp-Param-*`` headers of a call, by their names."""
    headers = list(fixed)
    if talk.era is Era.MODERN:
        headers.append((b"mcp-method", method.encode()))
        if name is not None:
            headers.append((b"mcp-name", encode_header_value(name).encode("ascii")))
        for key, value in (params or {}).items():
            headers.append((key.encode("ascii"), value.encode("ascii")))
    if method != "initialize":
        headers.append((b"mcp-protocol-version", talk.protocol.encode()))
    if talk.session is not None:
        headers.append((SESSION, talk.session))
    return headers


def body_of(
    talk: Talk, method: str, params: Mapping[str, Any], *, rpc_id: int | None, client: Mapping[str, str]
) -> bytes:
    """The body of one request; a notification if it has no id. ``client`` is what the gateway calls itself."""
    sent = dict(params)
    if talk.era is Era.MODERN:
        sent["_meta"] = {
            **params.get("_meta", {}),
            # No capabilities: the upstream must not ask for what only the host could answer.
            META_CAPABILITIES: {},
            META_CLIENT: client,
            META_PROTOCOL: talk.protocol,
        }
    body: dict[str, Any] = {"jsonrpc": "2.0", "method": method, "params": sent}
    if rpc_id is not None:
        body["id"] = rpc_id
    return _ENCODER.encode(body)


def passed_on(meta: Mapping[str, Any]) -> dict[str, Any]:
    """The host's ``_meta`` less what MCP itself defines: that describes the host's own connection, not ours."""
    return {
        key: value for key, value in meta.items() if key != "progressToken" and not key.startswith(_RESERVED)
    }


def param_headers_of(schema: Any) -> ParamHeaders:
    """Which arguments of a tool a modern server wants to see as headers too; none where it says so wrongly.

    2026-07-28/basic/transports/streamable-http, custom headers: a client drops a tool whose annotations are wrong;
    the gateway leaves them out, and the server refuses the call.
    """
    return x_mcp_header_map(schema) if find_invalid_x_mcp_header(schema) is None else {}


def params_of(wanted: ParamHeaders | None, arguments: Mapping[str, Any]) -> dict[str, str]:
    """The ``Mcp-Param-*`` headers of one call."""
    return mcp_param_headers(wanted, arguments) if wanted else {}

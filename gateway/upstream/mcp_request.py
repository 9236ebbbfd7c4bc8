"""One MCP request in the server's era: its body, and over streamable HTTP its headers. Pure.

The caller's token never gets here; the target's own credential, if any, is the only Authorization there is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from mcp.shared.inbound import (
    NAME_BEARING_METHODS,
    encode_header_value,
    find_invalid_x_mcp_header,
    mcp_param_headers,
    x_mcp_header_map,
)

from gateway.door.call import OWN_META_PREFIX, Era
from gateway.door.host import ASKED_OF_HOSTS
from gateway.door.protocol import META_CAPABILITIES, META_CLIENT, META_PROTOCOL

SESSION = b"mcp-session-id"
MAX_SESSION_BYTES = 1024
"""Bytes of a session id; what is longer is no id but something to carry."""

Headers = list[tuple[bytes, bytes]]
ParamHeaders = dict[tuple[str, ...], str]
NOTHING: Mapping[str, Any] = {}
TASKS = "io.modelcontextprotocol/tasks"
META_LOG_LEVEL = "io.modelcontextprotocol/logLevel"
_RESERVED = "io.modelcontextprotocol/"
_CONNECTION = frozenset({META_CAPABILITIES, META_CLIENT, META_PROTOCOL})
_ENCODER = msgspec.json.Encoder()


class Talk(msgspec.Struct, frozen=True, kw_only=True):
    """How one server is talked to, as agreed with it: era, version and (legacy, over HTTP) session."""

    era: Era
    protocol: str
    session: bytes | None = None


FIXED: tuple[tuple[bytes, bytes], ...] = (
    (b"content-type", b"application/json"),
    (b"accept", b"application/json, text/event-stream"),
)
"""The headers of every POST."""


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
    authorization: bytes | None = None,
    name: str | None = None,
    params: Mapping[str, str] | None = None,
) -> Headers:
    """The headers of one POST. ``params`` are the ``Mcp-Param-*`` headers of a call, by their names; ``authorization``
    is the gateway's own credential at the target."""
    headers = [*FIXED]
    if authorization is not None:
        headers.append((b"authorization", authorization))
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


def stream_headers_of(talk: Talk, *, authorization: bytes | None, last_id: bytes | None = None) -> Headers:
    """The headers of one GET (2025-11-25/basic/transports, listening and resumability)."""
    headers: Headers = [(b"accept", b"text/event-stream"), (b"mcp-protocol-version", talk.protocol.encode())]
    if authorization is not None:
        headers.append((b"authorization", authorization))
    if talk.session is not None:
        headers.append((SESSION, talk.session))
    if last_id is not None:
        headers.append((b"last-event-id", last_id))
    return headers


def body_of(
    talk: Talk,
    method: str,
    params: Mapping[str, Any],
    *,
    rpc_id: int | None,
    client: Mapping[str, str],
    capabilities: Mapping[str, Any] = NOTHING,
) -> bytes:
    """The body of one request; a notification if it has no id. ``client`` is what the gateway calls itself,
    ``capabilities`` what the host declared, as :func:`capabilities_of` has it.

    2026-07-28 wants both in each request (basic/index, ``_meta``); before, they were said once.
    """
    sent: Mapping[str, Any] = params
    if talk.era is Era.MODERN:
        sent = {
            **params,
            "_meta": {
                **params.get("_meta", NOTHING),
                META_CAPABILITIES: capabilities,
                META_CLIENT: client,
                META_PROTOCOL: talk.protocol,
            },
        }
    body: dict[str, Any] = {"jsonrpc": "2.0", "method": method, "params": sent}
    if rpc_id is not None:
        body["id"] = rpc_id
    return _ENCODER.encode(body)


def capabilities_of(declared: Mapping[str, Any]) -> Mapping[str, Any]:
    """A host's capabilities as a modern server may know them: less tasks, which would outlive the judged call."""
    if not declared:
        return NOTHING
    kept = {key: value for key, value in declared.items() if key != "tasks"}
    extensions = kept.get("extensions")
    if isinstance(extensions, Mapping) and TASKS in extensions:
        kept["extensions"] = {key: value for key, value in extensions.items() if key != TASKS}
    return kept


def opened_with(declared: Mapping[str, Any]) -> dict[str, Any]:
    """A host's capabilities as an older server is told once, at ``initialize``: what it may ask of the host."""
    return {
        name: declared[name] for name in ASKED_OF_HOSTS.values() if isinstance(declared.get(name), Mapping)
    }


def meta_of(meta: Any, era: Era) -> dict[str, Any]:
    """The host's ``_meta`` as the server gets it: what it knows (``progressToken``, ``traceparent``, log level) and
    what nobody here knows passes. What describes the host's own connection does not, nor does what only the gateway
    says.
    """
    if not isinstance(meta, Mapping) or not meta:
        return {}
    return {
        key: value
        for key, value in meta.items()
        if not key.startswith(OWN_META_PREFIX)
        and (not key.startswith(_RESERVED) or (era is Era.MODERN and key not in _CONNECTION))
    }


def name_of(method: str, params: Mapping[str, Any]) -> str | None:
    """What a modern server wants to see as ``Mcp-Name`` (streamable HTTP, standard headers; tasks extension)."""
    member = NAME_BEARING_METHODS.get(method) or ("taskId" if method.startswith("tasks/") else None)
    name = params.get(member) if member is not None else None
    return name if isinstance(name, str) else None


def param_headers_of(schema: Any) -> ParamHeaders:
    """Which arguments of a tool a modern server wants to see as headers too; none where it says so wrongly.

    2026-07-28/basic/transports/streamable-http, custom headers: a client drops a tool whose annotations are wrong;
    the gateway leaves them out, and the server refuses the call.
    """
    return x_mcp_header_map(schema) if find_invalid_x_mcp_header(schema) is None else {}


def params_of(wanted: ParamHeaders | None, arguments: Mapping[str, Any]) -> dict[str, str]:
    """The ``Mcp-Param-*`` headers of one call."""
    return mcp_param_headers(wanted, arguments) if wanted else {}

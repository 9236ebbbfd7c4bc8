"""Headers and a parsed body -> one JSON-RPC message of one era. Pure.

The rules of 2026-07-28/basic/transports/streamable-http (server validation) and 2025-11-25/basic/transports: header
and body must agree, since an intermediary may have routed or judged by the header while we act on the body.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from mcp.shared.inbound import decode_header_value

from gateway.door.call import OWN_META_PREFIX, PROOF_META, Client, Era
from gateway.door.headers import Headers
from gateway.door.protocol import (
    LEGACY_DEFAULT,
    META_CAPABILITIES,
    META_CLIENT,
    META_PROTOCOL,
    MODERN,
    SUPPORTED,
)
from gateway.errors import INVALID_PARAMS, HeaderMismatch, MalformedRequest, UnsupportedVersion

MAX_ID_CHARS = 256
"""Characters of a JSON-RPC id: it is echoed, and kept in nothing."""
MAX_CLIENT_TEXT = 100
"""Characters of the host's self-description that are kept."""
MAX_DECLARED_BYTES = 16 * 1024
"""Bytes of a host's capabilities. They are kept as long as its session, here and at its server."""
NOTIFICATIONS = "notifications/"
"""What the methods of all notifications begin with, in both eras."""
NAME_OF = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}
"""Methods whose target is repeated in ``Mcp-Name``, and the parameter it repeats."""


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One JSON-RPC message. ``rpc_id`` is None for a notification; ``method`` is None for a response, and
    ``response`` then holds it. ``capabilities`` are those that this very request declares."""

    era: Era
    protocol: str
    method: str | None
    rpc_id: str | int | None
    params: dict[str, Any]
    meta: dict[str, Any]
    client: Client
    capabilities: dict[str, Any] = {}
    response: dict[str, Any] = {}

    @property
    def wants_answer(self) -> bool:
        """Whether this is a request."""
        return self.method is not None and self.rpc_id is not None


def read_message(headers: Headers, body: Any) -> Message:
    """One parsed body -> :class:`Message`.

    A notification carries nothing the door acts on: of it only the version is checked, as 2026-07-28 defines neither
    headers nor ``_meta`` for one.

    :raises MalformedRequest: no JSON-RPC 2.0 message, or a batch (removed in 2025-06-18).
    :raises HeaderMismatch: header and body disagree.
    :raises UnsupportedVersion: a version this door does not speak.
    """
    if isinstance(body, list):
        raise MalformedRequest(
            "JSON-RPC batches are not served; send one message per request.", code="door.batch"
        )
    if not isinstance(body, dict) or body.get("jsonrpc") != "2.0":
        raise MalformedRequest('The body is not a JSON-RPC 2.0 message; it needs "jsonrpc": "2.0".')
    rpc_id = _id(body)
    method = _method(body)
    if method is not None and rpc_id is None and not method.startswith(NOTIFICATIONS):
        # Accepting it in silence would let a host believe that its call was carried out.
        raise MalformedRequest(f"The method {method[:64]!r} is a request; send it with an id.")
    params = body.get("params", {})
    if not isinstance(params, dict):
        raise MalformedRequest("The params of a request are an object.", rpc_code=INVALID_PARAMS)
    meta = params.get("_meta", {})
    if not isinstance(meta, dict):
        raise MalformedRequest("The _meta of a request is an object.", rpc_code=INVALID_PARAMS)

    era, protocol = _era(headers.one(b"mcp-protocol-version"), meta, is_request=rpc_id is not None)
    if era is Era.MODERN:
        if method is None:
            raise MalformedRequest(f"Since {protocol} a client sends no responses.")
        if rpc_id is not None:
            _check_modern(headers, method, params, meta)
    return Message(
        era=era,
        protocol=protocol,
        method=method,
        rpc_id=rpc_id,
        params=params,
        meta={
            key: value
            for key, value in meta.items()
            if not key.startswith(OWN_META_PREFIX) or key == PROOF_META
        },
        client=_client(era, meta, params if method == "initialize" else {}),
        capabilities=meta[META_CAPABILITIES] if era is Era.MODERN and rpc_id is not None else {},
        response=body if method is None else {},
    )


def check_declared(message: Message) -> None:
    """For a message larger than any host's capabilities. :raises MalformedRequest: they are what makes it so large."""
    declared = message.params.get("capabilities") if message.method == "initialize" else message.capabilities
    if len(msgspec.json.encode(declared)) > MAX_DECLARED_BYTES:
        raise MalformedRequest(
            f"The capabilities of a host have at most {MAX_DECLARED_BYTES} bytes.",
            code="door.params",
            rpc_code=INVALID_PARAMS,
        )


def rpc_id_of(body: Any) -> str | int | None:
    """The id to answer a refused message with; None where there is no usable one (JSON-RPC 2.0 section 5)."""
    try:
        return _id(body) if isinstance(body, dict) else None
    except MalformedRequest:
        return None


def _id(body: Mapping[str, Any]) -> str | int | None:
    if "id" not in body:
        return None
    rpc_id = body["id"]
    if isinstance(rpc_id, bool) or not isinstance(rpc_id, str | int):
        raise MalformedRequest("The id of a request is a string or an integer.")
    if isinstance(rpc_id, str) and len(rpc_id) > MAX_ID_CHARS:
        raise MalformedRequest(f"The id of a request has at most {MAX_ID_CHARS} characters.")
    return rpc_id


def _method(body: Mapping[str, Any]) -> str | None:
    """The method, or None for a response; what could be read as both is neither."""
    is_response = "result" in body or "error" in body
    if "method" not in body and is_response:
        return None
    method = body.get("method")
    if not isinstance(method, str) or not method or is_response:
        raise MalformedRequest("The message is neither one request nor one notification.")
    return method


def _era(header: str | None, meta: Mapping[str, Any], *, is_request: bool) -> tuple[Era, str]:
    declared = meta.get(META_PROTOCOL)
    if declared is not None and not isinstance(declared, str):
        raise MalformedRequest(f"_meta[{META_PROTOCOL!r}] is a string.", rpc_code=INVALID_PARAMS)
    if header is not None and declared is not None and header != declared:
        raise HeaderMismatch("MCP-Protocol-Version and the _meta of the body name different versions.")
    said = header if header is not None else declared
    if said is None:
        return Era.LEGACY, LEGACY_DEFAULT
    if said not in SUPPORTED:
        raise UnsupportedVersion(
            f"The protocol version {said[:32]!r} is not spoken here.",
            data={"supported": list(SUPPORTED), "requested": said[:32]},
        )
    if said not in MODERN:
        return Era.LEGACY, said
    if is_request and header is None:
        raise HeaderMismatch(f"A {said} request repeats its version in the header MCP-Protocol-Version.")
    return Era.MODERN, said


def _check_modern(headers: Headers, method: str, params: Mapping[str, Any], meta: Mapping[str, Any]) -> None:
    for key, kind in ((META_PROTOCOL, str), (META_CAPABILITIES, dict)):
        if not isinstance(meta.get(key), kind):
            raise MalformedRequest(
                f"A {MODERN[0]} request carries _meta[{key!r}] in its params.", rpc_code=INVALID_PARAMS
            )
    if headers.one(b"mcp-method") != method:
        raise HeaderMismatch("The header Mcp-Method is missing or is not the method of the body.")
    member = NAME_OF.get(method)
    if member is None:
        return
    name = decode_header_value(headers.one(b"mcp-name"))
    if name is None or name != params.get(member):
        raise HeaderMismatch(f"The header Mcp-Name is missing or is not params.{member} of the body.")


def _client(era: Era, meta: Mapping[str, Any], initialize: Mapping[str, Any]) -> Client:
    if era is Era.MODERN:
        info, capabilities = meta.get(META_CLIENT), meta.get(META_CAPABILITIES)
    else:
        info, capabilities = initialize.get("clientInfo"), initialize.get("capabilities")
    info = info if isinstance(info, dict) else {}
    return Client(
        name=_text(info.get("name")),
        version=_text(info.get("version")),
        can_elicit=_modes(capabilities.get("elicitation")) if isinstance(capabilities, dict) else (),
        can_input_required=era is Era.MODERN,
    )


def _text(value: Any) -> str:
    return value[:MAX_CLIENT_TEXT] if isinstance(value, str) else ""


def _modes(elicitation: Any) -> tuple[str, ...]:
    """What was declared, and no more: a mode that is not understood does not become one that is."""
    if not isinstance(elicitation, dict):
        return ()
    # An empty object means form only (2025-11-25/client/elicitation, capabilities).
    return (
        tuple(mode for mode in ("form", "url") if isinstance(elicitation.get(mode), dict))
        if elicitation
        else ("form",)
    )

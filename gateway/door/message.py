"""Headers and a parsed body -> one JSON-RPC message of one era. Pure.

The rules of 2026-07-28/basic/transports/streamable-http (server validation) and 2025-11-25/basic/transports: header
and body must agree, since an intermediary may have routed or judged by the header while we act on the body.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from mcp.shared.inbound import decode_header_value

from gateway.door.call import OWN_META_PREFIX, Client, Era
from gateway.door.protocol import (
    LEGACY,
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
NAME_OF = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}
"""Methods whose target is repeated in ``Mcp-Name``, and the parameter it repeats."""


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One JSON-RPC message. ``rpc_id`` is None for a notification; ``method`` is None for a response."""

    era: Era
    protocol: str
    method: str | None
    rpc_id: str | int | None
    params: dict[str, Any]
    meta: dict[str, Any]
    client: Client

    @property
    def wants_answer(self) -> bool:
        """Whether this is a request."""
        return self.method is not None and self.rpc_id is not None


class Headers:
    """The request's header fields by lower-case name. Values are stripped: httptools keeps trailing blanks."""

    def __init__(self, raw: list[tuple[bytes, bytes]]) -> None:
        self._raw = raw

    def all(self, name: bytes) -> list[bytes]:
        """Every value of a field, in order."""
        return [value.strip(b" \t") for key, value in self._raw if key == name]

    def one(self, name: bytes) -> str | None:
        """The value of a field that may come once.

        :raises HeaderMismatch: it came twice: which one another hop believed is a guess.
        """
        values = self.all(name)
        if not values:
            return None
        if len(values) > 1:
            raise HeaderMismatch(f"The header {name.decode()} came {len(values)} times; send it once.")
        return values[0].decode("latin-1")


def read_message(headers: Headers, body: Any) -> Message:
    """One parsed body -> :class:`Message`.

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
    method = body.get("method")
    if method is None and ("result" in body or "error" in body):
        method_name = None
    elif isinstance(method, str) and method:
        method_name = method
    else:
        raise MalformedRequest("The message has no method.")
    params = body.get("params", {})
    if not isinstance(params, dict):
        raise MalformedRequest("The params of a request are an object.", rpc_code=INVALID_PARAMS)
    meta = params.get("_meta", {})
    if not isinstance(meta, dict):
        raise MalformedRequest("The _meta of a request is an object.", rpc_code=INVALID_PARAMS)

    era, protocol = _era(headers.one(b"mcp-protocol-version"), meta)
    if era is Era.MODERN:
        _check_modern_headers(headers, method_name, params)
    return Message(
        era=era,
        protocol=protocol,
        method=method_name,
        rpc_id=rpc_id,
        params=params,
        meta={key: value for key, value in meta.items() if not key.startswith(OWN_META_PREFIX)},
        client=_client(era, meta, params if method_name == "initialize" else {}),
    )


def _id(body: Mapping[str, Any]) -> str | int | None:
    if "id" not in body:
        return None
    rpc_id = body["id"]
    if isinstance(rpc_id, bool) or not isinstance(rpc_id, str | int):
        raise MalformedRequest("The id of a request is a string or an integer.")
    if isinstance(rpc_id, str) and len(rpc_id) > MAX_ID_CHARS:
        raise MalformedRequest(f"The id of a request has at most {MAX_ID_CHARS} characters.")
    return rpc_id


def _era(header: str | None, meta: Mapping[str, Any]) -> tuple[Era, str]:
    declared = meta.get(META_PROTOCOL)
    if declared is not None and not isinstance(declared, str):
        raise MalformedRequest(f"_meta[{META_PROTOCOL!r}] is a string.", rpc_code=INVALID_PARAMS)
    for version in (header, declared):
        if version is not None and version not in SUPPORTED:
            raise UnsupportedVersion(
                f"The protocol version {version[:32]!r} is not spoken here.",
                data={"supported": list(SUPPORTED), "requested": version[:32]},
            )
    if declared in MODERN or header in MODERN:
        if header != declared:
            if declared is None:
                raise MalformedRequest(
                    f"A {header} request carries _meta[{META_PROTOCOL!r}] in its params.",
                    rpc_code=INVALID_PARAMS,
                )
            raise HeaderMismatch("MCP-Protocol-Version and the _meta of the body name different versions.")
        if not isinstance(meta.get(META_CAPABILITIES), dict):
            raise MalformedRequest(
                f"A {header} request carries _meta[{META_CAPABILITIES!r}] in its params.",
                rpc_code=INVALID_PARAMS,
            )
        return Era.MODERN, MODERN[0]
    if declared is not None and header is not None and header != declared:
        raise HeaderMismatch("MCP-Protocol-Version and the _meta of the body name different versions.")
    legacy = header or LEGACY_DEFAULT
    assert legacy in LEGACY
    return Era.LEGACY, legacy


def _check_modern_headers(headers: Headers, method: str | None, params: Mapping[str, Any]) -> None:
    said = headers.one(b"mcp-method")
    if said is None or said != method:
        raise HeaderMismatch("The header Mcp-Method is missing or is not the method of the body.")
    member = NAME_OF.get(method)
    if member is None:
        return
    name = decode_header_value(headers.one(b"mcp-name"))
    if name is None or name != params.get(member):
        raise HeaderMismatch(f"The header Mcp-Name is missing or is not params.{member} of the body.")


def _client(era: Era, meta: Mapping[str, Any], initialize: Mapping[str, Any]) -> Client:
    info = meta.get(META_CLIENT) if era is Era.MODERN else initialize.get("clientInfo")
    capabilities = meta.get(META_CAPABILITIES) if era is Era.MODERN else initialize.get("capabilities")
    info = info if isinstance(info, dict) else {}
    elicitation = capabilities.get("elicitation") if isinstance(capabilities, dict) else None
    modes: tuple[str, ...] = ()
    if isinstance(elicitation, dict):
        # An empty object means form only (2025-11-25/client/elicitation, capabilities).
        modes = tuple(mode for mode in ("form", "url") if mode in elicitation) or ("form",)
    return Client(
        name=str(info.get("name", ""))[:MAX_CLIENT_TEXT],
        version=str(info.get("version", ""))[:MAX_CLIENT_TEXT],
        can_elicit=modes,
        can_input_required=era is Era.MODERN,
    )

"""What a server sends besides the one answer that is awaited: told apart, and passed on as it came. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from gateway.door.call import OWN_META_PREFIX

TOOLS_CHANGED = "notifications/tools/list_changed"
CANCELLED = "notifications/cancelled"
PROGRESS = "notifications/progress"
ACKNOWLEDGED = "notifications/subscriptions/acknowledged"
META_SUBSCRIPTION = "io.modelcontextprotocol/subscriptionId"

_OWN = OWN_META_PREFIX.encode()
_ENCODER = msgspec.json.Encoder()
_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])


class Frame(msgspec.Struct, frozen=True):
    """The head of one JSON-RPC message. ``id`` stays encoded: it is the server's, and goes back byte for byte."""

    jsonrpc: str
    id: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    method: str | None = None
    params: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    result: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    error: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET

    @property
    def key(self) -> bytes | None:
        """The id as it was written, if it is a string or an integer."""
        if self.id is msgspec.UNSET:
            return None
        written = bytes(self.id).strip()
        proper = written[:1] == b'"' or written.removeprefix(b"-").isdigit()
        return written if proper else None

    @property
    def is_notification(self) -> bool:
        """Says something and wants no answer."""
        return self.method is not None and self.id is msgspec.UNSET

    @property
    def is_request(self) -> bool:
        """Asks something. One whose id nobody could repeat is neither a request nor anything else."""
        return self.method is not None and self.key is not None

    def answers(self, rpc_id: int) -> bool:
        """Whether this is a response to that request, well-formed or not."""
        return (
            self.method is None and self.id is not msgspec.UNSET and bytes(self.id).strip() == b"%d" % rpc_id
        )


_FRAME = msgspec.json.Decoder(Frame)


class _Meta(msgspec.Struct):
    meta: dict[str, msgspec.Raw] = msgspec.field(name="_meta", default={})


class _Correlated(msgspec.Struct):
    progress_token: Any = msgspec.field(name="progressToken", default=None)
    request_id: msgspec.Raw | msgspec.UnsetType = msgspec.field(name="requestId", default=msgspec.UNSET)
    meta: dict[str, Any] = msgspec.field(name="_meta", default={})


_META = msgspec.json.Decoder(_Meta)
_CORRELATED = msgspec.json.Decoder(_Correlated)


def read_frame(data: bytes) -> Frame | None:
    """One message, or None for bytes that are none. Never raises."""
    try:
        if not data.isascii():
            # msgspec skips over broken UTF-8 in what it leaves encoded, and what is passed on must be text.
            data.decode()
        frame = _FRAME.decode(data)
    except (ValueError, RecursionError):
        return None
    return frame if frame.jsonrpc == "2.0" else None


def passed_on(data: bytes) -> msgspec.Raw | None:
    """One notification as a host may get it: unchanged, less the gateway's own keys in ``params._meta``; one line.

    None: it cannot be read. Attack: an upstream that writes the gateway's own keys, and so speaks with the gateway's
    authority. A name can be spelled with escapes, and a member can stand twice: then the message is written anew.
    """
    if b"\r" in data or b"\n" in data:
        data = data.replace(b"\r", b" ").replace(b"\n", b" ")
    if _OWN not in data and b"\\" not in data:
        return msgspec.Raw(data)
    try:
        members: dict[str, Any] = dict(_MEMBERS.decode(data))
        if "params" in members:
            members["params"] = without_own(members["params"])
        return msgspec.Raw(_ENCODER.encode(members))
    except (ValueError, RecursionError):
        return None


def without_own(params: msgspec.Raw) -> dict[str, Any]:
    """The members of ``params``, encoded and each once, less the gateway's own keys in ``_meta``.

    :raises ValueError: it cannot be read, or ``_meta`` is no object. :raises RecursionError:
    """
    kept: dict[str, Any] = dict(_MEMBERS.decode(params))
    if "_meta" in kept:
        meta = _META.decode(params).meta
        kept["_meta"] = {key: value for key, value in meta.items() if not key.startswith(OWN_META_PREFIX)}
    return kept


def correlation(frame: Frame) -> tuple[Any, Any, bytes | None]:
    """What ties a notification to a request: its progress token, its subscription id, the id it cancels."""
    if frame.params is msgspec.UNSET:
        return None, None, None
    try:
        found = _CORRELATED.decode(frame.params)
    except (ValueError, RecursionError):
        return None, None, None
    request_id = None if found.request_id is msgspec.UNSET else bytes(found.request_id).strip()
    return found.progress_token, found.meta.get(META_SUBSCRIPTION), request_id


def with_token(data: bytes, token: Any) -> bytes:
    """A progress notification with the token of whoever asked for it. :raises ValueError: it cannot be read."""
    members: dict[str, Any] = dict(_MEMBERS.decode(data))
    members["params"] = {**_MEMBERS.decode(members["params"]), "progressToken": token}
    return _ENCODER.encode(members)


def notification(method: str, params: Mapping[str, Any]) -> bytes:
    """A notification of ours."""
    return _ENCODER.encode({"jsonrpc": "2.0", "method": method, "params": params})


def cancelled(rpc_id: int) -> bytes:
    """That we no longer wait for an answer (2025-11-25/basic/utilities/cancellation)."""
    return notification(CANCELLED, {"requestId": rpc_id, "reason": "The caller no longer waits."})


def result_for(key: bytes, result: msgspec.Raw) -> bytes:
    """The answer to a server's request."""
    return _ENCODER.encode({"jsonrpc": "2.0", "id": msgspec.Raw(key), "result": result})


def error_for(key: bytes, code: int, message: str, data: Any = None) -> bytes:
    """The refusal of a server's request."""
    error = {"code": code, "message": message, **({} if data is None else {"data": data})}
    return _ENCODER.encode({"jsonrpc": "2.0", "id": msgspec.Raw(key), "error": error})

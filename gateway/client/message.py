"""One JSON-RPC message of the host or the gateway: looked at, not rebuilt. Pure.

Members stay the bytes they were. Where a call is repeated only its ``id`` and its ``requestState`` change, and the
gateway's strict parse still sees every other byte the host wrote.
"""

from __future__ import annotations

from enum import Enum
from typing import Any, Final

import msgspec

META_PROTOCOL: Final = "io.modelcontextprotocol/protocolVersion"
MAX_ID_CHARS: Final = 1024
"""Characters of a JSON-RPC id: it is kept while the call runs, and echoed."""
_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])

RpcId = str | int


class Kind(Enum):
    """What a message is (JSON-RPC 2.0 sections 4 and 5)."""

    REQUEST = "request"
    NOTIFICATION = "notification"
    RESPONSE = "response"


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A message as far as the bridge has to know it. ``body`` is what came, byte for byte."""

    body: bytes
    kind: Kind
    id: RpcId | None = None
    method: str = ""
    params: dict[str, msgspec.Raw] = {}
    meta: dict[str, msgspec.Raw] = {}
    result: msgspec.Raw | None = None
    error: msgspec.Raw | None = None

    @property
    def protocol(self) -> str | None:
        """The version a modern message carries in its ``_meta``; None in the older era."""
        value = value_of(self.meta.get(META_PROTOCOL))
        return value if isinstance(value, str) else None

    @property
    def progress_token(self) -> RpcId | None:
        """Where the sender wants to hear of progress, if it does."""
        value = value_of(self.meta.get("progressToken"))
        return value if isinstance(value, str | int) and not isinstance(value, bool) else None


def read_message(body: bytes) -> Message:
    """One message. What is *not* checked: duplicate keys, depth, the shape of params; the gateway does that.

    :raises ValueError: not one JSON-RPC object; the text is for the sender. Batches (2025-03-26 only) are refused.
    """
    try:
        members = _MEMBERS.decode(body)
        ident = value_of(members.get("id"))
        method = value_of(members.get("method"))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ValueError("A message is one JSON object on one line.") from None
    if not _is_id(ident):
        raise ValueError("The id is a string or a whole number.")
    if "method" not in members:
        if "result" not in members and "error" not in members:
            raise ValueError("A message has a method, a result or an error.")
        return Message(
            body=body,
            kind=Kind.RESPONSE,
            id=ident,
            result=members.get("result"),
            error=members.get("error"),
        )
    if not isinstance(method, str):
        raise ValueError("The method is a string.")
    params = members_of(members.get("params"))
    return Message(
        body=body,
        kind=Kind.REQUEST if ident is not None else Kind.NOTIFICATION,
        id=ident,
        method=method,
        params=params,
        meta=members_of(params.get("_meta")),
    )


def members_of(raw: msgspec.Raw | None) -> dict[str, msgspec.Raw]:
    """The members of an object; none where it is something else."""
    try:
        return _MEMBERS.decode(raw) if raw is not None else {}
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}


def value_of(raw: msgspec.Raw | None) -> Any:
    """A member, decoded; None where there is none or it is no JSON."""
    try:
        return msgspec.json.decode(raw) if raw is not None else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def with_id(body: bytes, ident: RpcId | None) -> bytes:
    """The same message under another id, on one line."""
    members = _MEMBERS.decode(body)
    return one_line(msgspec.json.encode({**members, "id": ident}))


def repeated(message: Message, ident: RpcId, *, state: str | None) -> bytes:
    """The same request once more, under a new id as both eras want it; ``state`` as its ``requestState``.

    Answers to an earlier round's questions do not travel with it: they were for that round
    (2026-07-28/basic/patterns/mrtr).
    """
    members: dict[str, Any] = {**_MEMBERS.decode(message.body), "id": ident}
    if state is not None:
        kept = {key: value for key, value in message.params.items() if key != "inputResponses"}
        members["params"] = {**kept, "requestState": state}
    return one_line(msgspec.json.encode(members))


def with_meta(body: bytes, key: str, value: str) -> bytes:
    """The same request with one more member of ``_meta``; unchanged where that is there, or ``_meta`` is no object."""
    members: dict[str, Any] = _MEMBERS.decode(body)
    params: dict[str, Any] = members_of(members.get("params"))
    meta = value_of(params.get("_meta")) if "_meta" in params else {}
    if not isinstance(meta, dict) or key in meta:
        return body
    members["params"] = {**params, "_meta": {**members_of(params.get("_meta")), key: value}}
    return one_line(msgspec.json.encode(members))


def one_line(body: bytes) -> bytes:
    """JSON without line breaks: inside a string they are escaped, so what is left is white space."""
    if b"\n" not in body and b"\r" not in body:
        return body
    return body.replace(b"\r", b" ").replace(b"\n", b" ")


def error_answer(ident: RpcId | None, code: int, text: str, *, because: str | None = None) -> bytes:
    """A JSON-RPC error of the bridge itself; ``because`` is its stable code."""
    error = {"code": code, "message": text, **({"data": {"code": because}} if because else {})}
    return msgspec.json.encode({"jsonrpc": "2.0", "id": ident, "error": error})


def _is_id(value: Any) -> bool:
    if value is None or (isinstance(value, str) and len(value) <= MAX_ID_CHARS):
        return True
    return isinstance(value, int) and not isinstance(value, bool)

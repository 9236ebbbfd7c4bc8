"""The JSON-RPC response inside a finished event stream (WHATWG HTML, server-sent events). Pure."""

from __future__ import annotations

import msgspec


class _Id(msgspec.Struct):
    id: str | int | None = None
    method: str | None = None


def last_response(body: bytes, rpc_id: int) -> bytes:
    """The data of the event that answers ``rpc_id``, or ``b""``. Notifications and foreign ids are skipped.

    An event without its closing blank line never happened (a stream cut short): it is not returned.
    """
    text = body.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    events, _, _ = text.rpartition(b"\n\n")
    for event in reversed(events.split(b"\n\n")):
        data = b"\n".join(
            line[5:].removeprefix(b" ") for line in event.split(b"\n") if line.startswith(b"data:")
        )
        try:
            head = msgspec.json.decode(data, type=_Id)
        except (msgspec.ValidationError, msgspec.DecodeError):
            continue
        if head.id == rpc_id and head.method is None:
            return data
    return b""

"""The JSON-RPC response inside a finished event stream (WHATWG HTML, server-sent events). Pure."""

from __future__ import annotations

import msgspec

_BOM = b"\xef\xbb\xbf"


class _Head(msgspec.Struct):
    id: str | int | None = None
    method: str | None = None


_HEAD = msgspec.json.Decoder(_Head)


def only_response(body: bytes, rpc_id: int) -> bytes:
    """The data of the one event that answers ``rpc_id``, or ``b""``. Notifications and foreign ids are skipped.

    An event without its closing blank line never happened (a stream cut short): it is not returned. A second answer
    to the same request takes the first one back: then there is none.
    """
    text = body.removeprefix(_BOM).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    events, _, _ = text.rpartition(b"\n\n")
    answer = b""
    for event in events.split(b"\n\n"):
        data = b"\n".join(
            line[5:].removeprefix(b" ") for line in event.split(b"\n") if line.startswith(b"data:")
        )
        if not _answers(data, rpc_id):
            continue
        if answer:
            return b""
        answer = data
    return answer


def _answers(data: bytes, rpc_id: int) -> bool:
    try:
        head = _HEAD.decode(data)
    except (ValueError, RecursionError):
        return False
    return head.id == rpc_id and head.method is None

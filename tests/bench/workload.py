"""The one call that is repeated: a class 4 read (`list_disputes`), in both eras, and how it is judged.

Modern = MCP 2026-07-28 (stateless; `MCP-Protocol-Version`, `Mcp-Method`, `Mcp-Name` headers and the
`params._meta` envelope), legacy = the 2025-11-25 handshake (`initialize`, then an optional `Mcp-Session-
Id`). Each call carries its own number as JSON-RPC id and in its arguments; the upstream echoes the
argument, so a mixed-up answer is noticed.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from tests.bench.wire import Headers, Response, request_bytes

TOOL = "list_disputes"
MODERN_VERSION = "2026-07-28"
LEGACY_VERSION = "2025-11-25"
# Numbers start here so that every request has the same length.
FIRST_NUMBER = 1_000_000

_META = (
    b'"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",'
    b'"io.modelcontextprotocol/clientCapabilities":{},'
    b'"io.modelcontextprotocol/clientInfo":{"name":"bench","version":"1"}}'
)
_ARGUMENTS = b'{"disputed_transaction_id":"BENCH%012d","dispute_state":"REQUIRED_ACTION","page_size":10}'


class Era(StrEnum):
    """Which protocol era the load speaks."""

    MODERN = "modern"
    LEGACY = "legacy"


class Expect(StrEnum):
    """What counts as success: the tool's result, or (for a leg that measures denials) a refusal."""

    RESULT = "result"
    REFUSAL = "refusal"
    HANDSHAKE = "handshake"
    """A `requestState` first, and the tool's result when the same call comes again with it."""


class _Result(msgspec.Struct, rename="camel"):
    is_error: bool = False
    result_type: str = "complete"
    request_state: str | None = None


class _Error(msgspec.Struct):
    code: int
    message: str = ""


class _Answer(msgspec.Struct):
    id: int | str | None = None
    result: _Result | None = None
    error: _Error | None = None


_DECODER = msgspec.json.Decoder(_Answer)


def call_body(era: Era, number: int, state: str | None = None) -> bytes:
    """The JSON-RPC request with that number (7 digits), about 330 bytes with the modern envelope; with `state`, the
    second phase of the call."""
    arguments = _ARGUMENTS % number
    if state is not None:
        arguments += b',"requestState":%b' % msgspec.json.encode(state)
    head = b'{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"list_disputes",' % number
    if era is Era.MODERN:
        return b'%b"arguments":%b,%b}}' % (head, arguments, _META)
    return b'%b"arguments":%b}}' % (head, arguments)


def call_headers(era: Era, extra: Headers) -> Headers:
    """The headers every call of an era carries, and `extra` (authorization, session)."""
    headers = [
        (b"content-type", b"application/json"),
        (b"accept", b"application/json, text/event-stream"),
        (b"user-agent", b"countersign-bench"),
    ]
    if era is Era.MODERN:
        headers += [
            (b"mcp-protocol-version", MODERN_VERSION.encode()),
            (b"mcp-method", b"tools/call"),
            (b"mcp-name", TOOL.encode()),
        ]
    else:
        headers.append((b"mcp-protocol-version", LEGACY_VERSION.encode()))
    return headers + extra


def call_request(
    era: Era, number: int, *, host: bytes, path: bytes, extra: Headers, state: str | None = None
) -> bytes:
    """The whole HTTP request, head and body."""
    return request_bytes(b"POST", path, host, call_headers(era, extra), call_body(era, number, state))


def state_in(response: Response) -> str | None:
    """What the second phase has to bring; None where the answer asks for none."""
    try:
        answer = _DECODER.decode(response.body)
    except msgspec.DecodeError:
        return None
    return None if answer.result is None else answer.result.request_state


def initialize_body() -> bytes:
    """The legacy handshake's first message, id 1."""
    return msgspec.json.encode(
        {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "initialize",
            "params": {
                "protocolVersion": LEGACY_VERSION,
                "capabilities": {},
                "clientInfo": {"name": "bench", "version": "1"},
            },
        }
    )


INITIALIZED_BODY = b'{"jsonrpc":"2.0","method":"notifications/initialized"}'


def complaint(response: Response, number: int, expect: Expect = Expect.RESULT) -> str | None:
    """What is wrong with the answer to call `number`, as a short kind that can be counted; None when all is
    well.
    """
    try:
        answer = _DECODER.decode(response.body)
    except msgspec.DecodeError:
        kind = (response.header(b"content-type") or b"?").decode("latin-1").partition(";")[0]
        return f"http {response.status}, no JSON-RPC answer ({kind})"
    if answer.error is not None:
        refused = f"json-rpc error {answer.error.code} (http {response.status}): {answer.error.message[:60]}"
    elif answer.result is None or response.status != 200:
        return f"http {response.status}, neither result nor error"
    elif answer.result.is_error:
        refused = f"tool error: {response.body[:160].decode(errors='replace')}"
    elif answer.result.result_type != "complete":
        refused = f"result type {answer.result.result_type}"
    else:
        refused = ""
    if answer.id != number:
        return refused or "an answer with another id"
    if expect is Expect.REFUSAL:
        return None if refused else "answered where a refusal was due"
    if refused:
        return refused
    return None if b"BENCH%012d" % number in response.body else "the answer to another call"

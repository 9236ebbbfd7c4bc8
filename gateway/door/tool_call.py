"""A ``tools/call`` message -> :class:`~gateway.door.call.ToolCall`. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.canonical import canonical_hash
from gateway.door.call import Client, ToolCall
from gateway.door.message import Message
from gateway.errors import INVALID_PARAMS, MalformedRequest
from gateway.identity.credentials import Credentials

MAX_NAME_CHARS = 128
"""Characters of a tool name (2025-11-25/server/tools, tool names)."""
MAX_STATE_CHARS = 1024
"""Characters of a ``requestState``; ours has 64."""


def read_tool_call(
    message: Message,
    *,
    server: str,
    call_id: str,
    received_at: float,
    credentials: Credentials,
    client: Client,
    param_headers: Mapping[str, str],
) -> ToolCall:
    """The call as one frozen value, hashed.

    :raises MalformedRequest: with -32602: no tool name, arguments that are no object or cannot be canonicalised,
        a ``requestState`` that is no short text, ``inputResponses`` that are no object.
    """
    params = message.params
    name = params.get("name")
    if not isinstance(name, str) or not 1 <= len(name) <= MAX_NAME_CHARS:
        raise _bad(f"params.name is the name of a tool: 1 to {MAX_NAME_CHARS} characters.")
    arguments = params.get("arguments", {})
    if not isinstance(arguments, dict):
        raise _bad("params.arguments is an object.")
    token, responses = read_round(params)
    try:
        arguments_hash = canonical_hash(arguments)
    except ValueError as problem:
        raise _bad(f"params.arguments is {problem}.") from None
    return ToolCall(
        call_id=call_id,
        received_at=received_at,
        server=server,
        tool=name,
        arguments=arguments,
        arguments_hash=arguments_hash,
        era=message.era,
        protocol=message.protocol,
        client=client,
        credentials=credentials,
        token=token,
        input_responses=responses,
        meta=message.meta,
        param_headers=param_headers,
        rpc_id=message.rpc_id,
    )


def read_round(params: Mapping[str, Any]) -> tuple[str | None, dict[str, Any]]:
    """What a second round brings back (2026-07-28/basic/patterns/mrtr): ``requestState`` and ``inputResponses``.

    :raises MalformedRequest: with -32602: a state that is no short text, responses that are no object.
    """
    token = params.get("requestState")
    if token is not None and (not isinstance(token, str) or len(token) > MAX_STATE_CHARS):
        raise _bad("params.requestState is the text of the answer before, unchanged.")
    responses = params.get("inputResponses", {})
    if not isinstance(responses, dict):
        raise _bad("params.inputResponses is an object.")
    return token, responses


def _bad(text: str) -> MalformedRequest:
    return MalformedRequest(text, code="door.params", rpc_code=INVALID_PARAMS)

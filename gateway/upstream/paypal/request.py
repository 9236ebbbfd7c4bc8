"""Declaration and arguments -> one HTTP request. Pure.

A path segment is demanded to match its schema's pattern once more and is percent-encoded besides. Two locks
on one door, because in PayPal's toolkit this door was open: a dispute id of ``../../..`` became a full refund
(hazard 1).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import msgspec

from gateway.upstream.paypal.api import ApiRequest
from gateway.upstream.paypal.operation import Arguments, ToolDefinition

_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")


class UnsafePath(ValueError):
    """An argument that must not become part of a path. Validation has failed us if this is ever raised."""


def build_request(tool: ToolDefinition, arguments: Arguments, request_id: str) -> ApiRequest:
    """Validated arguments -> the request that carries them out. :raises UnsafePath:

    ``PayPal-Request-Id`` goes out on every POST that changes something: where PayPal declares it, a repeat
    with the same id is answered with the first result; elsewhere PayPal documents no such promise, and the
    header only helps its support to find the call. Reads and PATCH carry none.
    """
    operation = tool.operation
    posts = operation.method == "POST" and operation.effect == "write"
    return ApiRequest(
        method=operation.method,
        path=_path(tool, arguments),
        query=_query(tool, arguments),
        body=None if operation.body is None else msgspec.json.encode(operation.body(arguments)),
        request_id=request_id if posts else None,
        prefer=operation.prefer,
    )


def _path(tool: ToolDefinition, arguments: Arguments) -> str:
    properties: Mapping[str, Any] = tool.input_schema["properties"]

    def segment(match: re.Match[str]) -> str:
        name = match.group(1)
        value = arguments[name]
        pattern = properties[name]["pattern"]
        if not isinstance(value, str) or re.fullmatch(pattern, value, re.ASCII) is None:
            raise UnsafePath(f"{name} does not fit its pattern")
        return quote(value, safe="")

    return _PLACEHOLDER.sub(segment, tool.operation.path)


def _query(tool: ToolDefinition, arguments: Arguments) -> tuple[tuple[str, str], ...]:
    given = tuple((name, _text(arguments[name])) for name in tool.operation.query if name in arguments)
    return given + tool.operation.constants


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value))  # JSON Schema counts 2.0 among the integers; PayPal's query does not
    return str(value)

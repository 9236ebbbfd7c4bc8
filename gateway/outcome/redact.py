"""Mask what the policy says a caller may not see, by JSON pointer (RFC 6901), before the answer leaves. Pure.

``*`` as a step matches every array index and every object key. A pointer that matches nothing masks nothing: the
policy names places, the upstream decides which of them exist. The text copy of a structured result (one JSON text
block, as PayPal's tools answer) is masked the same way; a text block that is not JSON cannot be masked by pointer
and is replaced whole when the structured part was masked, so that the text never says what the structure hides.
"""

from __future__ import annotations

from typing import Any

import msgspec

MASK = "[redacted by policy]"


def redact(result: dict[str, Any], pointers: tuple[str, ...]) -> dict[str, Any]:
    """A masked copy of an MCP tool result. The input is left untouched."""
    paths = [_steps(pointer) for pointer in pointers]
    masked = dict(result)
    structured = result.get("structuredContent")
    hidden = False
    if isinstance(structured, dict | list):
        masked["structuredContent"] = _masked(structured, paths)
        hidden = masked["structuredContent"] != structured
    content = result.get("content")
    if isinstance(content, list):
        masked["content"] = [_masked_block(block, paths, hidden) for block in content]
    return masked


def _masked_block(block: Any, paths: list[list[str]], hidden: bool) -> Any:  # noqa: FBT001 - private
    if not isinstance(block, dict) or not isinstance(block.get("text"), str):
        return block
    try:
        document = msgspec.json.decode(block["text"])
    except msgspec.DecodeError:
        return {**block, "text": MASK} if hidden else block
    if not isinstance(document, dict | list):
        return {**block, "text": MASK} if hidden else block
    return {**block, "text": msgspec.json.encode(_masked(document, paths)).decode()}


def _steps(pointer: str) -> list[str]:
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def _masked(document: Any, paths: list[list[str]]) -> Any:
    for path in paths:
        document = _mask(document, path)
    return document


def _mask(value: Any, path: list[str]) -> Any:
    if not path:
        return MASK
    step, rest = path[0], path[1:]
    if isinstance(value, dict):
        if step == "*":
            return {key: _mask(one, rest) for key, one in value.items()}
        return {**value, step: _mask(value[step], rest)} if step in value else value
    if isinstance(value, list):
        if step == "*":
            return [_mask(one, rest) for one in value]
        if step.isdecimal() and int(step) < len(value):
            return [_mask(one, rest) if i == int(step) else one for i, one in enumerate(value)]
    return value

"""Mask what the policy says a caller may not see, by JSON pointer (RFC 6901), before the answer leaves. Pure.

``*`` as a step matches every array index and every object key. The pointers are tried on the structured part of a
result and on every text of it that is a JSON document (PayPal's tools send the same document in both places). A
pointer that matches nothing masks nothing: the policy names places, the upstream decides which of them exist.

What no pointer can look into (prose, images, ``_meta``) passes only if there was something to look into and nothing
in it had to be masked; otherwise it is masked whole, so that prose never says what the structure hides. The same
goes for a JSON text that differs from a masked structured part.

What this does NOT hide: the same value at another place, or in a second document. If an e-mail address also stands in a
free-text note, the policy has to name the note too.
"""

from __future__ import annotations

from typing import Any

import msgspec

MASK = "[redacted by policy]"

_PLAIN_MEMBERS = frozenset({"content", "structuredContent", "isError", "resultType"})
"""Members of a result that hold nothing else than what is looked at here, and two facts about it."""
_MASKED_BLOCK = {"type": "text", "text": MASK}


def redact(result: dict[str, Any], pointers: tuple[str, ...]) -> dict[str, Any]:
    """A masked copy of an MCP tool result. The input is left untouched; never raises."""
    paths = [_steps(pointer) for pointer in pointers]
    structured = result.get("structuredContent")
    looked_at = isinstance(structured, dict | list)
    masked = _masked(structured, paths) if looked_at else None
    content = result.get("content")
    blocks = [_Block(block, paths) for block in content] if isinstance(content, list) else []

    changed = looked_at and masked != structured
    looked = looked_at or any(block.document is not None for block in blocks)
    hidden = changed or any(block.hidden for block in blocks)
    opaque_passes = looked and not hidden

    kept = {key: value for key, value in result.items() if opaque_passes or key in _PLAIN_MEMBERS}
    if looked_at:
        kept["structuredContent"] = masked
    elif "structuredContent" in result and not opaque_passes:
        kept["structuredContent"] = MASK
    if isinstance(content, list):
        expected = masked if changed else None
        kept["content"] = [block.shown(expected, opaque_passes=opaque_passes) for block in blocks]
    elif "content" in result and not opaque_passes:
        kept["content"] = [_MASKED_BLOCK]
    return kept


def masked_result(result: msgspec.Raw | None, pointers: tuple[str, ...]) -> msgspec.Raw | None:
    """:func:`redact` of an encoded result."""
    if result is None:
        return None
    try:
        shown = redact(msgspec.json.decode(result), pointers)
    except (ValueError, RecursionError):
        # The money has moved: an error now would invite a second try, and the bytes as they are may tell too much.
        shown = redact({"content": []}, pointers)
    return msgspec.Raw(msgspec.json.encode(shown))


class _Block:
    """One content block, and the JSON document in its text, if there is one."""

    def __init__(self, block: Any, paths: list[list[str]]) -> None:
        self._block = block
        self.document = _document_of(block)
        self._masked = None if self.document is None else _masked(self.document, paths)
        self.hidden = self._masked != self.document

    def shown(self, expected: Any, *, opaque_passes: bool) -> Any:
        """The block as the caller sees it. ``expected`` is the structured part, if something in it was masked."""
        if self.document is None:
            return self._block if opaque_passes else _MASKED_BLOCK
        if expected is not None and self._masked != expected:
            return _MASKED_BLOCK
        # Encoded anew even if nothing changed: of a member that is there twice, only the one looked at remains.
        text = {"type": "text", "text": msgspec.json.encode(self._masked).decode()}
        return {**self._block, **text} if opaque_passes else text


def _document_of(block: Any) -> Any:
    if not isinstance(block, dict) or block.get("type") != "text" or not isinstance(block.get("text"), str):
        return None
    try:
        document = msgspec.json.decode(block["text"])
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict | list) else None


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
        return [_mask(one, rest) if step == str(i) else one for i, one in enumerate(value)]
    return value

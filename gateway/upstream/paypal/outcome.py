"""What one PayPal answer means: done, not done, or unknown; and the MCP tool result that says so. Pure.

``refused`` is said only when PayPal certainly did not do it. After a write, silence, a 5xx, a redirect or
"still working on it" are ``unknown``: money may have moved, and a model that reads "failed" would pay twice
(hazard 7).
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

import msgspec

from gateway.upstream.paypal.api import ApiReply
from gateway.upstream.paypal.operation import Arguments, Problem, ToolDefinition
from gateway.upstream.paypal.problem import PayPalProblem, debug_id_of, problem_in, problem_of
from gateway.upstream.target import OUTCOME_META_KEY, Effect

IN_PROGRESS = frozenset({"PREVIOUS_REQUEST_IN_PROGRESS", "ORDER_COMPLETION_IN_PROGRESS"})
"""Issues by which PayPal says that an earlier, equal request is still under way."""
_REQUEST_TIMEOUT = 408
_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
_PNG_BASE64 = re.compile(rb"(?:^|[\r\n\"])\s*(iVBORw0KGgo[A-Za-z0-9+/\r\n]+={0,2})")
_NOT_KNOWN = (
    "It is not known whether PayPal carried this out. "
    "Do not simply repeat it: read the resource first, or ask a human."
)


def executed_or_refused(
    tool: ToolDefinition, arguments: Arguments, reply: ApiReply, request_id: str | None
) -> dict[str, Any]:
    """PayPal's answer -> the tool result."""
    facts = {"status": reply.status, "debug_id": debug_id_of(reply), "request_id": request_id}
    if reply.status in tool.operation.success:
        return _succeeded(tool, arguments, reply, facts)
    problem = problem_of(reply)
    if tool.operation.effect == "write" and _leaves_doubt(reply.status, problem):
        return unknown(tool, problem, facts)
    return refused(tool, problem, facts)


def invalid_arguments(tool: ToolDefinition, problems: list[Problem]) -> dict[str, Any]:
    """Arguments that were never sent -> the tool result. Names places and rules, never the values."""
    said = "; ".join(f"{problem.pointer or '/'}: {problem.message}" for problem in problems)
    listed = [{"pointer": problem.pointer, "rule": problem.rule} for problem in problems]
    error = {"name": "INVALID_ARGUMENTS", "message": said, "problems": listed}
    return _result(
        f"{tool.name} was not sent to PayPal. {said}", {"error": error}, Effect.REFUSED, {}, failed=True
    )


def refused(tool: ToolDefinition, problem: PayPalProblem, facts: dict[str, Any]) -> dict[str, Any]:
    """Certainly not done."""
    said = problem.message or f"PayPal refused {tool.name}: {_named(problem)}"
    return _result(said, _error(problem, said), Effect.REFUSED, facts, failed=True)


def unknown(tool: ToolDefinition, problem: PayPalProblem, facts: dict[str, Any]) -> dict[str, Any]:
    """Done or not done; nobody here can tell."""
    said = f"{tool.name}: {problem.message or _named(problem)} {_NOT_KNOWN}"
    return _result(said, _error(problem, said), Effect.UNKNOWN, facts, failed=True)


def _succeeded(
    tool: ToolDefinition, arguments: Arguments, reply: ApiReply, facts: dict[str, Any]
) -> dict[str, Any]:
    if not reply.complete:
        return _unreadable(tool, "PayPal's answer is larger than is read here.", facts)
    if tool.operation.answer == "image":
        return _image(tool, reply, facts)
    if not reply.body.strip():
        names = _PLACEHOLDER.findall(tool.operation.path)
        done = {"status": "ok", **{name: arguments[name] for name in names}}
        return _result(_text(done), done, Effect.EXECUTED, facts)
    try:
        body = msgspec.json.decode(reply.body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _unreadable(tool, "PayPal's answer is not JSON.", facts)
    if tool.operation.answer == "batch" and isinstance(body, dict) and (errors := body.get("errors")):
        first = errors[0] if isinstance(errors, list) and isinstance(errors[0], dict) else {}
        return refused(tool, problem_in(first, status=reply.status, debug_id=facts["debug_id"]), facts)
    return _result(_text(body), body if isinstance(body, dict) else None, Effect.EXECUTED, facts)


def _unreadable(tool: ToolDefinition, said: str, facts: dict[str, Any]) -> dict[str, Any]:
    """A success whose body is lost: a write is done all the same, a read has failed."""
    if tool.operation.effect == "write":
        done = {"status": "ok", "warning": said}
        return _result(f"{tool.name} was carried out. {said}", done, Effect.EXECUTED, facts)
    return refused(tool, PayPalProblem(name="UNREADABLE_ANSWER", message=said), facts)


def _image(tool: ToolDefinition, reply: ApiReply, facts: dict[str, Any]) -> dict[str, Any]:
    """The base64 PNG inside PayPal's multipart text, and nothing else of it."""
    found = _PNG_BASE64.search(reply.body)
    encoded = b"" if found is None else b"".join(found.group(1).split())
    try:
        base64.b64decode(encoded, validate=True)
    except binascii.Error:
        encoded = b""
    if not encoded:
        return _unreadable(tool, "PayPal's answer holds no PNG image.", facts)
    return _result(encoded.decode("ascii"), None, Effect.EXECUTED, facts)


def _leaves_doubt(status: int, problem: PayPalProblem) -> bool:
    if 400 <= status < 500:
        return status == _REQUEST_TIMEOUT or bool(problem.issues & IN_PROGRESS)
    return True


def _named(problem: PayPalProblem) -> str:
    issues = ", ".join(detail.issue for detail in problem.details)
    status = "" if problem.status is None else f"{problem.status} "
    return f"{status}{problem.name}{f' ({issues})' if issues else ''}."


def _error(problem: PayPalProblem, said: str) -> dict[str, Any]:
    error: dict[str, Any] = msgspec.to_builtins(problem)
    return {"error": {**error, "message": said}}


def _text(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _result(
    text: str,
    structured: dict[str, Any] | None,
    effect: Effect,
    facts: dict[str, Any],
    *,
    failed: bool = False,
) -> dict[str, Any]:
    upstream = {"outcome": str(effect), "status": None, "debug_id": None, "request_id": None, **facts}
    result: dict[str, Any] = {
        "content": [{"type": "text", "text": text}],
        "isError": failed,
        "_meta": {OUTCOME_META_KEY: upstream},
    }
    if structured is not None:
        result["structuredContent"] = structured
    return result

"""Annotations and titles that say something else than the name (R131). Pure.

Attack: ``delete_everything`` with ``readOnlyHint: true``, for hosts that ask nobody before a read-only tool. The verb
is the name's first word that is one; what a tool really does, nobody can read off its definition.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from gateway.inspector.content_codes import CONTENT_CODES
from gateway.inspector.finding import Finding, Severity, excerpt, found

_WRITES: Final = frozenset(
    {
        "create",
        "add",
        "insert",
        "update",
        "edit",
        "modify",
        "write",
        "save",
        "upload",
        "send",
        "submit",
        "publish",
    }
    | {
        "accept",
        "approve",
        "assign",
        "rename",
        "move",
        "set",
        "put",
        "patch",
        "upsert",
        "subscribe",
        "merge",
        "post",
    }
)
_DANGEROUS: Final = frozenset(
    {
        "delete",
        "remove",
        "drop",
        "destroy",
        "purge",
        "wipe",
        "erase",
        "truncate",
        "revoke",
        "cancel",
        "terminate",
    }
    | {
        "pay",
        "refund",
        "transfer",
        "withdraw",
        "charge",
        "capture",
        "purchase",
        "buy",
        "payout",
        "disburse",
        "kill",
    }
)
_READS: Final = frozenset(
    {
        "get",
        "list",
        "read",
        "show",
        "view",
        "search",
        "find",
        "fetch",
        "lookup",
        "check",
        "describe",
        "count",
        "query",
    }
)
_WORDS: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


def check_hints(wire: Mapping[str, Any]) -> list[Finding]:
    """Of one definition."""
    name = wire.get("name")
    if not isinstance(name, str):
        return []
    verb = _verb(name)
    annotations = wire.get("annotations")
    hints: Mapping[str, Any] = annotations if isinstance(annotations, Mapping) else {}
    findings = []
    writes = verb in _WRITES or verb in _DANGEROUS
    if writes and hints.get("readOnlyHint") is True:
        severity = Severity.HIGH if verb in _DANGEROUS else None
        findings.append(_contradiction(name, "readOnlyHint", True, severity))
    if verb in _DANGEROUS and hints.get("destructiveHint") is False:
        findings.append(_contradiction(name, "destructiveHint", False, None))
    for title in (wire.get("title"), hints.get("title")):
        if isinstance(title, str) and writes and _verb(title) in _READS:
            findings.append(
                found(CONTENT_CODES, "TITLE_CONTRADICTS_NAME", name=excerpt(name), title=excerpt(title))
            )
            break
    return findings


def _contradiction(name: str, hint: str, said: bool, severity: Severity | None) -> Finding:  # noqa: FBT001
    return found(
        CONTENT_CODES, "HINT_CONTRADICTS_NAME", severity=severity, name=excerpt(name), hint=hint, said=said
    )


def _verb(name: str) -> str:
    words = [word.casefold() for word in _WORDS.findall(name[:256])]
    return next((word for word in words if word in _WRITES | _DANGEROUS | _READS), "")

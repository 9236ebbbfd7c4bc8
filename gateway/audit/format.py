"""A record as text for other systems: JSON, CEF, one line for people, and the handshake guide's own names.
Pure.

Every string in a record came from somebody else in the end. None may begin a new line, a new field or a new
colour in somebody's log (log injection, R146): control characters, line separators and bidirectional marks
are written out.
"""

from __future__ import annotations

import msgspec

from gateway.audit.record import AuditRecord, Outcome, Status

_ENCODER = msgspec.json.Encoder()
# ArcSight Common Event Format, 0 to 10: the guide's info, warning, error and critical (R145) are 2, 5, 8
# and 10.
_STATUS_SEVERITY = {
    Status.OPENED: 2,
    Status.EXECUTED: 2,
    Status.WAITING: 2,
    Status.REFUSED: 5,
    Status.FAILED: 8,
    Status.UNKNOWN: 10,
}


def severity(record: AuditRecord) -> int:
    """How much attention a record wants, 0 to 10."""
    if record.outcome is Outcome.ERROR:
        return max(8, _STATUS_SEVERITY[record.status])
    return _STATUS_SEVERITY[record.status]


def to_json(record: AuditRecord) -> str:
    """One line of JSON, all members, ASCII only."""
    return _visible(_ENCODER.encode(record).decode())


def to_cef(record: AuditRecord) -> str:
    """One line of CEF:0 (ArcSight Common Event Format, version 25): header fields and extension are escaped
    apart."""
    header = (
        "CEF:0",
        "Countersign",
        "gateway",
        _cef_header(record.service_version),
        _cef_header(f"{record.phase.value}.{record.status.value}"),
        _cef_header(f"{record.phase.value} {record.status.value}: {record.tool or '-'}"),
        str(severity(record)),
    )
    caller, decision, upstream = record.caller, record.decision, record.upstream
    extension = {
        "rt": record.time,
        "externalId": record.call_id,
        "suid": caller.subject if caller else None,
        "sntdom": caller.issuer if caller else None,
        "requestClientApplication": caller.client_id if caller else None,
        "dhost": record.server,
        "act": record.outcome.value if record.outcome else None,
        "outcome": record.status.value,
        "reason": record.error or " ".join(record.reasons) or None,
        "cn1Label": None if record.data_class is None else "dataClass",
        "cn1": None if record.data_class is None else str(record.data_class),
        **_labelled(1, "transactionId", record.transaction_id),
        **_labelled(2, "tier", record.tier),
        **_labelled(3, "argumentsHash", record.arguments_hash),
        **_labelled(4, "policyRevision", decision.revision if decision else None),
        **_labelled(5, "upstreamDebugId", upstream.debug_id if upstream else None),
        **_labelled(6, "environment", record.environment),
        "msg": record.note,
    }
    pairs = (f"{name}={_cef_value(value)}" for name, value in extension.items() if value is not None)
    return "|".join(header) + "|" + " ".join(pairs)


def to_text(record: AuditRecord) -> str:
    """One line for people; each name is quoted as JSON."""
    facts: dict[str, str | None] = {
        "server": record.server,
        "tool": record.tool,
        "subject": record.caller.subject if record.caller else None,
        "class": None if record.data_class is None else str(record.data_class),
        "would_be": record.would_be.value if record.would_be else None,
        "reasons": ",".join(record.reasons) or None,
        "error": record.error,
        "transaction": record.transaction_id,
        "call": record.call_id,
        "note": record.note,
    }
    shown = (f"{name}={_quoted(value)}" for name, value in facts.items() if value is not None)
    outcome = record.outcome.value if record.outcome else "-"
    start = f"{record.time} {record.phase.value} {record.status.value} {outcome} {record.duration_us}us"
    return " ".join((start, *shown))


def to_handshake_log(record: AuditRecord, *, service_version: str = "2.0.0") -> dict[str, str | None]:
    """The record under the names of the handshake how-to guide, section 7 (R039), whose service is 2.0.0."""
    done = record.status is Status.EXECUTED
    reason = record.error or (record.reasons[0] if record.reasons else record.status.value)
    return {
        "transactionId": record.transaction_id,
        "userId": record.caller.subject if record.caller else None,
        "tool": record.tool,
        "sensitivity": record.tier.upper() if record.tier else None,
        "status": "completed" if done else "failed",
        "result": "success" if done else reason,
        "timestamp": record.time,
        "serviceVersion": service_version,
    }


def _labelled(number: int, label: str, value: str | None) -> dict[str, str | None]:
    return {} if value is None else {f"cs{number}Label": label, f"cs{number}": value}


def _cef_header(text: str) -> str:
    return _visible(text.replace("\r", " ").replace("\n", " ")).replace("\\", "\\\\").replace("|", "\\|")


def _cef_value(text: str) -> str:
    # CEF has escapes of its own for line ends, and only for them.
    lines = ("\\r".join(map(_cef_escape, line.split("\r"))) for line in text.split("\n"))
    return "\\n".join(lines)


def _cef_escape(text: str) -> str:
    return _visible(text).replace("\\", "\\\\").replace("=", "\\=")


def _quoted(text: str) -> str:
    return _visible(_ENCODER.encode(text).decode())


def _visible(text: str) -> str:
    # In JSON this is an escape that reads back as the same character; elsewhere it is a picture of it.
    if text.isascii() and text.isprintable():
        return text
    return "".join(char if " " <= char <= "~" else _escape(char) for char in text)


def _escape(char: str) -> str:
    code = ord(char)
    if code <= 0xFFFF:
        return f"\\u{code:04x}"
    code -= 0x10000
    return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"

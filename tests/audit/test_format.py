"""Records for other systems' logs: one line each, whatever the names in them."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.audit.format import severity, to_cef, to_handshake_log, to_json, to_text
from gateway.audit.record import (
    AuditCaller,
    AuditDecision,
    AuditRecord,
    AuditUpstream,
    Outcome,
    Phase,
    Status,
)
from tests.support.audit import a_record

FULL = a_record(
    "c1",
    transaction_id="tx-1",
    phase=Phase.EXECUTE,
    caller=AuditCaller(issuer="https://idp", subject="agent-1", client_id="desktop"),
    server="paypal",
    tool="create_refund",
    data_class=1,
    tier="restricted",
    outcome=Outcome.ALLOW,
    reasons=("money.within_limit",),
    decision=AuditDecision(revision="r1"),
    arguments_hash="a" * 64,
    upstream=AuditUpstream(status=201, debug_id="f00"),
)
HOSTILE = 'a|b\\c=d\r\nCEF:0|e|f \u202e\u2028\x1b[31m"'


def hostile(text: str) -> AuditRecord:
    """The text in every member that the wire fills."""
    return a_record(
        text,
        transaction_id=text,
        caller=AuditCaller(issuer=text, subject=text, client_id=text),
        server=text,
        tool=text,
        upstream=AuditUpstream(debug_id=text),
    )


def test_json_reads_back() -> None:
    """All members, ASCII only."""
    assert json.loads(to_json(FULL))["tool"] == "create_refund"
    shown = to_json(hostile(HOSTILE))
    assert json.loads(shown)["tool"] == HOSTILE
    assert shown.isascii()


def test_cef_of_an_ordinary_record() -> None:
    """The golden line."""
    assert to_cef(FULL) == (
        "CEF:0|Countersign|gateway|0.1.0|execute.executed|execute executed: create_refund|2|"
        "rt=2026-11-21T01:17:00.000Z externalId=c1 suid=agent-1 sntdom=https://idp "
        "requestClientApplication=desktop dhost=paypal act=allow outcome=executed reason=money.within_limit "
        "cn1Label=dataClass cn1=1 cs1Label=transactionId cs1=tx-1 cs2Label=tier cs2=restricted "
        f"cs3Label=argumentsHash cs3={'a' * 64} cs4Label=policyRevision cs4=r1 cs5Label=upstreamDebugId cs5=f00 "
        "cs6Label=environment cs6=sandbox"
    )


def test_cef_of_a_hostile_record() -> None:
    """Pipes in the header, equal signs and line ends in the extension, and what a terminal would obey."""
    shown = to_cef(a_record("c1", tool=HOSTILE, server=HOSTILE))
    header = shown.split("rt=")[0]

    assert header.endswith('|call executed: a\\|b\\\\c=d  CEF:0\\|e\\|f \\\\u202e\\\\u2028\\\\u001b[31m"|2|')
    assert 'dhost=a|b\\\\c\\=d\\r\\nCEF:0|e|f \\\\u202e\\\\u2028\\\\u001b[31m" ' in shown


@given(st.text(max_size=60))
def test_cef_fields_cannot_be_forged(text: str) -> None:
    """Eight header fields, and no extension key that the record did not have, whatever the text."""
    shown = to_cef(hostile(text))

    assert shown.isascii()
    assert shown.isprintable()
    assert len(re.split(r"(?<!\\)(?:\\\\)*\|", shown, maxsplit=7)) == 8
    keys = re.findall(r"(?:^|[ |])(\w+)(?<!\\)=", shown.split("|2|", 1)[-1])
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize("show", [to_json, to_cef, to_text])
@given(text=st.text(max_size=60))
def test_every_format_is_one_line(show: object, text: str) -> None:
    """Log injection: no line ends, no separators, no control characters, nothing invisible."""
    assert callable(show)
    shown = show(hostile(text.encode("utf-8", "backslashreplace").decode()))

    assert shown.isascii()
    assert shown.isprintable()


def test_text_for_people() -> None:
    """The golden line."""
    assert to_text(FULL) == (
        "2026-11-21T01:17:00.000Z execute executed allow 1234us "
        'server="paypal" tool="create_refund" subject="agent-1" class="1" reasons="money.within_limit" '
        'transaction="tx-1" call="c1"'
    )
    assert to_text(a_record()).startswith("2026-11-21T01:17:00.000Z call executed - 1234us call=")


def test_the_handshake_guides_own_names() -> None:
    """R039: eight members, completed or failed, success or the error."""
    assert to_handshake_log(FULL) == {
        "transactionId": "tx-1",
        "userId": "agent-1",
        "tool": "create_refund",
        "sensitivity": "RESTRICTED",
        "status": "completed",
        "result": "success",
        "timestamp": "2026-11-21T01:17:00.000Z",
        "serviceVersion": "2.0.0",
    }
    failed = to_handshake_log(a_record(status=Status.FAILED, error="upstream.timeout", tier=None))
    assert (failed["status"], failed["result"]) == ("failed", "upstream.timeout")
    refused = to_handshake_log(a_record(status=Status.REFUSED, reasons=("a.b",)))
    assert (refused["status"], refused["result"]) == ("failed", "a.b")
    assert to_handshake_log(a_record(status=Status.UNKNOWN))["result"] == "unknown"


def test_severity_follows_what_became_of_it() -> None:
    """An unknown outcome wants most attention; a policy that was not heard is an error even when refused."""
    order = [severity(a_record(status=status)) for status in (Status.EXECUTED, Status.REFUSED, Status.FAILED)]

    assert order == [2, 5, 8]
    assert severity(a_record(status=Status.UNKNOWN)) == 10
    assert severity(a_record(status=Status.REFUSED, outcome=Outcome.ERROR)) == 8

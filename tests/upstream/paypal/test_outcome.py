"""Executed, refused or unknown: what each answer of PayPal may be called."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from gateway.upstream.paypal.api import ApiReply
from gateway.upstream.paypal.definitions import TOOLS
from gateway.upstream.paypal.outcome import executed_or_refused
from gateway.upstream.paypal.problem import problem_of
from gateway.upstream.paypal.simulator.faults import Fault, Match
from tests.upstream.paypal.conversation import ARGUMENTS, Conversation, outcome, upstream

WRITES = [name for name, tool in TOOLS.items() if tool.operation.effect == "write"]
READS = [name for name in TOOLS if name not in WRITES]


def reply(status: int, body: Any = None, raw: bytes | None = None) -> ApiReply:
    """An answer of PayPal."""
    encoded = raw if raw is not None else (b"" if body is None else msgspec.json.encode(body))
    return ApiReply(status=status, headers={"paypal-debug-id": "f1"}, body=encoded)


def read(tool: str, status: int, body: Any = None, raw: bytes | None = None) -> dict[str, Any]:
    """The result that one answer becomes."""
    return executed_or_refused(TOOLS[tool], ARGUMENTS[tool], reply(status, body, raw), "tx-1")


@pytest.mark.parametrize("status", [400, 403, 404, 409, 422, 429])
def test_calls_a_4xx_refused(status: int) -> None:
    """PayPal says no before it does anything."""
    result = read("create_refund", status, {"name": "NO", "debug_id": "abc", "details": [{"issue": "WHY"}]})
    assert (outcome(result), result["isError"]) == ("refused", True)
    assert upstream(result) == {
        "outcome": "refused",
        "status": status,
        "debug_id": "f1",
        "request_id": "tx-1",
    }


@pytest.mark.parametrize("status", [500, 502, 503, 504, 302, 307, 206, 202, 408])
def test_calls_what_is_not_clear_unknown(status: int) -> None:
    """After a write, a server error, a redirect, an undeclared success or a 408 prove nothing."""
    result = read("create_refund", status, {"name": "INTERNAL_SERVER_ERROR"})
    assert (outcome(result), result["isError"]) == ("unknown", True)
    assert "not known whether" in result["content"][0]["text"]


@pytest.mark.parametrize("issue", ["PREVIOUS_REQUEST_IN_PROGRESS", "ORDER_COMPLETION_IN_PROGRESS"])
@pytest.mark.parametrize("status", [409, 422])
def test_calls_an_earlier_request_still_running_unknown(status: int, issue: str) -> None:
    """Still under way is neither done nor refused, whether PayPal puts it into the name or the details."""
    assert outcome(read("create_refund", status, {"name": issue})) == "unknown"
    assert outcome(read("pay_order", status, {"name": "X", "details": [{"issue": issue}]})) == "unknown"


@pytest.mark.parametrize("status", [500, 302, 404, 409])
def test_calls_a_failed_read_refused(status: int) -> None:
    """A read has no effect that could be unknown."""
    assert outcome(read("get_order", status, {"name": "PREVIOUS_REQUEST_IN_PROGRESS"})) == "refused"


def test_counts_a_success_whose_body_is_lost() -> None:
    """A 201 is done even if its body is no JSON; a read without a body has failed."""
    written = read("create_refund", 201, raw=b"<html>")
    assert (outcome(written), written["isError"]) == ("executed", False)
    assert "not JSON" in written["structuredContent"]["warning"]
    assert outcome(read("get_order", 200, raw=b"<html>")) == "refused"
    assert outcome(read("generate_invoice_qr_code", 200, raw=b"no image")) == "refused"


def test_takes_a_bare_base64_picture_too() -> None:
    """PayPal's documentation shows the picture with and without its multipart frame."""
    assert (
        read("generate_invoice_qr_code", 200, raw=b"iVBORw0KGgoAAAA=")["content"][0]["text"]
        == "iVBORw0KGgoAAAA="
    )


def test_reads_both_error_shapes() -> None:
    """The REST shape and the token shape."""
    rest = problem_of(
        reply(422, {"name": "N", "details": [{"issue": "I", "field": "/a/0", "description": "d"}]})
    )
    assert (rest.name, rest.details[0].issue, rest.details[0].field) == ("N", "I", "/a/0")
    token = problem_of(reply(401, {"error": "invalid_token", "error_description": "not in cache"}))
    assert (token.name, token.details[0].issue) == ("AUTHENTICATION_FAILURE", "invalid_token")


def test_translates_errors_instead_of_passing_them_on() -> None:
    """Stack traces, markup, control characters and oversized text of an upstream stay here (R029)."""
    trace = "Traceback (most recent call last): File /srv/app.py password=hunter2"
    body = {
        "name": trace,
        "message": trace,
        "debug_id": trace,
        "stack": trace,
        "details": [
            {"issue": trace},
            {"issue": "OK", "description": "line\r\n\u202eline" + "x" * 900, "stack": trace},
        ],
    }
    said = json.dumps(read("create_refund", 422, body))
    assert "hunter2" not in said
    assert "Traceback" not in said
    assert "\\u202e" not in said
    assert len(said) < 1500
    server_error = read(
        "create_refund", 500, {"name": "E", "details": [{"issue": "I", "description": trace}]}
    )
    assert "hunter2" not in json.dumps(server_error)


@pytest.mark.parametrize(
    "body", [None, [], "text", {"details": "x"}, {"details": [1, {"issue": 5}]}, {"name": 7}]
)
def test_survives_any_error_body(body: Any) -> None:
    """An error body of any shape is still an answer."""
    problem = problem_of(reply(422, body))
    assert problem.name == "UNPROCESSABLE_ENTITY"
    assert problem.details == ()


@pytest.mark.parametrize("errors", [[], [{}], ["x"], "x", {"a": 1}])
def test_reads_any_shape_of_batch_errors(errors: Any) -> None:
    """Errors inside a 200 are a refusal whatever they look like; no errors are none."""
    result = read("create_shipment_tracking", 200, {"errors": errors, "tracker_identifiers": []})
    assert outcome(result) == ("refused" if errors else "executed")


@pytest.mark.parametrize("kind", ["drop_before_effect", "drop_after_effect"])
@pytest.mark.parametrize("tool", WRITES)
async def test_calls_a_lost_reply_to_a_write_unknown(paypal: Conversation, tool: str, kind: Any) -> None:
    """Every write whose answer is lost is unknown, done or not, and is not sent a second time."""
    paypal.simulator.faults.add(Fault(kind=kind))
    result = await paypal.call(tool, ARGUMENTS[tool], "tx-1")
    assert (outcome(result), upstream(result)["status"]) == ("unknown", None)
    assert result["structuredContent"]["error"]["name"] == "NO_REPLY"
    assert len(paypal.simulator.calls) == 1


@pytest.mark.parametrize("tool", READS)
async def test_calls_a_lost_reply_to_a_read_refused(paypal: Conversation, tool: str) -> None:
    """A read whose answer is lost has simply failed."""
    paypal.simulator.faults.add(Fault(kind="drop_after_effect"))
    assert outcome(await paypal.call(tool, ARGUMENTS[tool])) == "refused"


async def test_settles_an_unknown_outcome_with_the_same_transaction(paypal: Conversation) -> None:
    """The refund whose reply was lost is found again by its id, and is not paid twice."""
    paypal.simulator.faults.add(Fault(kind="drop_after_effect", match=Match(method="POST", path=".*/refund")))
    lost = await paypal.call("create_refund", ARGUMENTS["create_refund"], "tx-1")
    assert outcome(lost) == "unknown"
    found = await paypal.call("create_refund", ARGUMENTS["create_refund"], "tx-1")
    assert outcome(found) == "executed"
    assert len(paypal.simulator.ledger.refunds) == 1


async def test_does_not_follow_redirects(paypal: Conversation) -> None:
    """A redirect is an answer, not an errand: the token goes nowhere else."""
    moved = Fault(kind="status", status=307, headers={"location": "https://evil.example/v2"})
    paypal.simulator.faults.add(moved)
    result = await paypal.call("create_refund", ARGUMENTS["create_refund"])
    assert (outcome(result), upstream(result)["status"]) == ("unknown", 307)
    assert len(paypal.simulator.calls) == 1

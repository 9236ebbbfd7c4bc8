"""The repeated call and the judging of answers, with the cheap upstream's real answers."""

import msgspec
import pytest

from tests.bench.upstream import TOOL_NAMES, answer
from tests.bench.wire import Response
from tests.bench.workload import (
    FIRST_NUMBER,
    TOOL,
    Era,
    Expect,
    call_body,
    call_headers,
    call_request,
    complaint,
)

NUMBER = FIRST_NUMBER + 7


def answered(era: Era, number: int = NUMBER) -> Response:
    """What the upstream answers to call `number`."""
    status, body = answer(call_body(era, number), modern=era is Era.MODERN)
    return Response(status, [(b"content-type", b"application/json")], body)


def refused(**answer_fields: object) -> Response:
    """An answer to call NUMBER with the given JSON-RPC members."""
    return Response(200, [], msgspec.json.encode({"jsonrpc": "2.0", "id": NUMBER, **answer_fields}))


@pytest.mark.parametrize("era", list(Era))
def test_a_good_answer_is_no_complaint(era: Era) -> None:
    """The upstream's own answers pass in both eras."""
    assert complaint(answered(era), NUMBER) is None


@pytest.mark.parametrize("era", list(Era))
def test_the_call_has_about_the_size_of_the_workload(era: Era) -> None:
    """Requests are of 200-400 bytes, answers of 650-850, and every call of a window has the same length."""
    assert 180 <= len(call_body(era, NUMBER)) <= 400
    assert 650 <= len(answered(era).body) <= 850
    assert len(call_body(era, NUMBER)) == len(call_body(era, FIRST_NUMBER + 8_999_999))


def test_a_modern_call_repeats_method_name_and_version_in_its_headers() -> None:
    """Headers and body of a modern call agree (2026-07-28, streamable HTTP)."""
    headers, body = dict(call_headers(Era.MODERN, [])), msgspec.json.decode(call_body(Era.MODERN, NUMBER))
    assert headers[b"mcp-method"].decode() == body["method"] == "tools/call"
    assert headers[b"mcp-name"].decode() == body["params"]["name"] == TOOL
    meta = body["params"]["_meta"]
    assert headers[b"mcp-protocol-version"].decode() == meta["io.modelcontextprotocol/protocolVersion"]


def test_a_legacy_call_has_no_envelope() -> None:
    """The handshake era knows neither the `_meta` envelope nor Mcp-Method."""
    assert "_meta" not in msgspec.json.decode(call_body(Era.LEGACY, NUMBER))["params"]
    assert b"mcp-method" not in dict(call_headers(Era.LEGACY, []))


def test_a_request_is_framed_by_its_own_length() -> None:
    """Head and body are one buffer, and content-length is the body's."""
    request = call_request(
        Era.MODERN, NUMBER, host=b"h:1", path=b"/mcp", extra=[(b"authorization", b"Bearer x")]
    )
    head, _, body = request.partition(b"\r\n\r\n")
    assert b"content-length: %d" % len(body) in head.splitlines()
    assert b"authorization: Bearer x" in head.splitlines()


@pytest.mark.parametrize(
    ("response", "said"),
    [
        (
            Response(502, [(b"content-type", b"text/html; charset=x")], b"<h1>"),
            "no JSON-RPC answer (text/html)",
        ),
        (Response(200, [(b"content-type", b"text/event-stream")], b"data: {}"), "(text/event-stream)"),
        (Response(200, [], b""), "no JSON-RPC answer (?)"),
        (Response(200, [], b"{}"), "neither result nor error"),
        (refused(error={"code": -32001, "message": "denied"}), "json-rpc error -32001"),
        (refused(result={"isError": True, "content": []}), "tool error"),
        (refused(result={"resultType": "input_required"}), "result type input_required"),
        (refused(result={"content": []}), "the answer to another call"),
        (answered(Era.MODERN, NUMBER + 1), "another id"),
    ],
)
def test_every_other_answer_is_named(response: Response, said: str) -> None:
    """A denial, a phase, a mix-up and a broken answer are each counted under a name of their own."""
    assert said in (complaint(response, NUMBER) or "")


def test_a_leg_that_expects_refusals_counts_results_as_errors() -> None:
    """What is measured as a denial must be one."""
    denial = refused(error={"code": -32001, "message": "denied"})
    assert complaint(denial, NUMBER, Expect.REFUSAL) is None
    assert complaint(answered(Era.MODERN), NUMBER, Expect.REFUSAL) == "answered where a refusal was due"


def test_the_upstream_has_the_28_tools() -> None:
    """As many tools as the PayPal toolkit has, and the called one among them."""
    assert len(TOOL_NAMES) == 28
    assert TOOL in TOOL_NAMES

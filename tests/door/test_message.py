"""Headers and body -> one message of one era."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mcp.shared.inbound import encode_header_value

from gateway.door.call import Era
from gateway.door.headers import Headers
from gateway.door.message import MAX_CLIENT_TEXT, MAX_ID_CHARS, read_message, rpc_id_of
from gateway.door.protocol import (
    LEGACY,
    LEGACY_DEFAULT,
    META_CAPABILITIES,
    META_CLIENT,
    META_PROTOCOL,
    SUPPORTED,
)
from gateway.errors import (
    HEADER_MISMATCH,
    INVALID_PARAMS,
    INVALID_REQUEST,
    UNSUPPORTED_PROTOCOL_VERSION,
    MalformedRequest,
)
from tests.support.messages import (
    MODERN,
    legacy_body,
    legacy_headers,
    meta,
    modern_body,
    modern_headers,
)


def refused(headers: Headers, body: Any) -> MalformedRequest:
    """The refusal of a message."""
    with pytest.raises(MalformedRequest) as caught:
        read_message(headers, body)
    return caught.value


def test_a_modern_request_is_read() -> None:
    """Version, capabilities and name agree in headers and body."""
    message = read_message(modern_headers(), modern_body())
    assert (message.era, message.protocol, message.method) == (Era.MODERN, MODERN, "tools/call")
    assert message.rpc_id == 1
    assert message.wants_answer
    assert message.client.can_input_required
    assert message.client.name == "host"


@pytest.mark.parametrize("version", LEGACY)
def test_a_legacy_request_is_read(version: str) -> None:
    """The version is that of the header; a session is not asked for."""
    message = read_message(legacy_headers(version), legacy_body())
    assert (message.era, message.protocol) == (Era.LEGACY, version)
    assert not message.client.can_input_required


def test_no_version_at_all_means_the_oldest_that_had_no_header() -> None:
    """2025-11-25/basic/transports, protocol version header."""
    assert read_message(legacy_headers(None), legacy_body()).protocol == LEGACY_DEFAULT


@pytest.mark.parametrize("body", [[], [modern_body()], [legacy_body(), legacy_body()]])
def test_a_batch_is_refused(body: list[Any]) -> None:
    """Removed in 2025-06-18; one audit record is one call."""
    refusal = refused(modern_headers(), body)
    assert (refusal.code, refusal.rpc_code) == ("door.batch", INVALID_REQUEST)


@pytest.mark.parametrize(
    "body",
    [
        None,
        1,
        "x",
        True,
        {},
        {"jsonrpc": "1.0", "id": 1, "method": "ping"},
        {"jsonrpc": 2.0, "id": 1, "method": "ping"},
        {"id": 1, "method": "ping"},
        {"jsonrpc": "2.0", "id": 1},
        {"jsonrpc": "2.0", "id": 1, "method": None},
        {"jsonrpc": "2.0", "id": 1, "method": ""},
        {"jsonrpc": "2.0", "id": 1, "method": 5},
        {"jsonrpc": "2.0", "id": 1, "method": ["ping"]},
        {"jsonrpc": "2.0", "id": 1, "method": "ping", "result": {}},
        {"jsonrpc": "2.0", "id": 1, "method": None, "result": {}},
        {"jsonrpc": "2.0", "id": 1, "method": "ping", "error": {}},
    ],
)
def test_what_is_not_one_message_is_refused(body: Any) -> None:
    """Neither request, notification nor response; or two of them at once."""
    assert refused(legacy_headers(), body).rpc_code == INVALID_REQUEST


@pytest.mark.parametrize("rpc_id", [None, True, False, 1.5, [], {}, "x" * (MAX_ID_CHARS + 1)])
def test_an_id_is_a_short_text_or_an_integer(rpc_id: Any) -> None:
    """Null ids are forbidden by MCP; a boolean is no number."""
    assert refused(legacy_headers(), legacy_body(id=rpc_id)).rpc_code == INVALID_REQUEST
    assert rpc_id_of(legacy_body(id=rpc_id)) is None


@pytest.mark.parametrize("rpc_id", [0, -1, "", "x" * MAX_ID_CHARS, 2**53 - 1])
def test_every_other_id_is_echoed(rpc_id: Any) -> None:
    """Zero and the empty text are ids, and a request with them is no notification."""
    message = read_message(legacy_headers(), legacy_body(id=rpc_id))
    assert message.rpc_id == rpc_id_of(legacy_body(id=rpc_id)) == rpc_id
    assert message.wants_answer


@pytest.mark.parametrize("body", [None, [], "x", [legacy_body()]])
def test_what_is_no_object_has_no_id(body: Any) -> None:
    """The refusal is answered with a null id (JSON-RPC 2.0 section 5)."""
    assert rpc_id_of(body) is None


@pytest.mark.parametrize("params", [None, [], "x", 1])
def test_params_are_an_object(params: Any) -> None:
    """Positional parameters do not exist in MCP."""
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    assert refused(legacy_headers(), body).rpc_code == INVALID_PARAMS


@pytest.mark.parametrize("bad", [None, [], "x"])
def test_meta_is_an_object(bad: Any) -> None:
    """In both eras."""
    assert refused(legacy_headers(), legacy_body(params={"_meta": bad})).rpc_code == INVALID_PARAMS
    assert refused(modern_headers(), modern_body(params={"_meta": bad})).rpc_code == INVALID_PARAMS


@pytest.mark.parametrize("missing", [META_PROTOCOL, META_CAPABILITIES])
@pytest.mark.parametrize("value", ["absent", 7, []])
def test_a_modern_request_carries_the_pair_in_its_meta(missing: str, value: Any) -> None:
    """2026-07-28/basic/index: version and capabilities are required in each request; missing is -32602."""
    given = meta()
    if value == "absent":
        del given[missing]
    else:
        given[missing] = value
    refusal = refused(modern_headers(), modern_body(params={"name": "list_invoices", "_meta": given}))
    assert (refusal.rpc_code, refusal.http_status) == (INVALID_PARAMS, 400)


def test_who_the_client_is_may_stay_unsaid() -> None:
    """clientInfo is a SHOULD."""
    given = meta()
    del given[META_CLIENT]
    message = read_message(modern_headers(), modern_body(params={"name": "list_invoices", "_meta": given}))
    assert message.client.name == ""


@pytest.mark.parametrize("version", ["2099-01-01", "1.0", "", "2026-07-28 "])
def test_an_unknown_version_is_answered_with_those_that_are_spoken(version: str) -> None:
    """-32022 with data.supported and data.requested."""
    refusal = refused(Headers([(b"mcp-protocol-version", version.encode() + b"x")]), legacy_body())
    assert (refusal.rpc_code, refusal.http_status) == (UNSUPPORTED_PROTOCOL_VERSION, 400)
    assert refusal.data["supported"] == list(SUPPORTED)
    assert refusal.data["requested"].startswith(version)


def test_an_unknown_version_in_header_and_body_is_unknown_and_no_mismatch() -> None:
    """They agree; we do not."""
    given = {**meta(), META_PROTOCOL: "2099-01-01"}
    headers = modern_headers(mcp_protocol_version="2099-01-01")
    body = modern_body(params={"name": "list_invoices", "_meta": given})
    assert refused(headers, body).rpc_code == UNSUPPORTED_PROTOCOL_VERSION


@pytest.mark.parametrize(
    ("header", "declared"),
    [
        ("2025-11-25", MODERN),
        (MODERN, "2025-11-25"),
        (None, MODERN),
        ("2025-06-18", "2025-11-25"),
        ("2099-01-01", MODERN),
        (MODERN, "2099-01-01"),
    ],
)
def test_header_and_body_name_the_same_version(header: str | None, declared: str) -> None:
    """An intermediary may have judged by the header while we act on the body."""
    given = {**meta(), META_PROTOCOL: declared}
    refusal = refused(
        modern_headers(mcp_protocol_version=header),
        modern_body(params={"name": "list_invoices", "_meta": given}),
    )
    assert (refusal.rpc_code, refusal.http_status) == (HEADER_MISMATCH, 400)


@pytest.mark.parametrize(
    "changed",
    [
        {"mcp_method": None},
        {"mcp_method": "tools/list"},
        {"mcp_method": "Tools/Call"},
        {"mcp_method": ""},
        {"mcp_name": None},
        {"mcp_name": "create_refund"},
        {"mcp_name": "list_invoices,create_refund"},
        {"mcp_name": ""},
        {"mcp_name": "=?base64?not base64?="},
        {"mcp_name": "=?base64?Y3JlYXRlX3JlZnVuZA==?="},
        {"mcp_name": "=?base64?/w==?="},
    ],
)
def test_method_and_name_are_repeated_in_the_headers(changed: dict[str, Any]) -> None:
    """Missing, different, or an encoding of something else: -32020."""
    assert refused(modern_headers(**changed), modern_body()).rpc_code == HEADER_MISMATCH


@pytest.mark.parametrize("name", [b"mcp-protocol-version", b"mcp-method", b"mcp-name"])
def test_a_routing_header_comes_once(name: bytes) -> None:
    """Twice the same is twice."""
    fields = [
        (b"mcp-protocol-version", MODERN.encode()),
        (b"mcp-method", b"tools/call"),
        (b"mcp-name", b"list_invoices"),
    ]
    fields.append(next(field for field in fields if field[0] == name))
    assert refused(Headers(fields), modern_body()).rpc_code == HEADER_MISMATCH


@pytest.mark.parametrize("tool", ["café", " padded ", "=?base64?eA==?=", "plain", "ünïcode\n"])
def test_a_name_that_headers_cannot_hold_is_encoded(tool: str) -> None:
    """2026-07-28 transports, value encoding; decoded before it is compared."""
    body = modern_body(params={"name": tool, "arguments": {}})
    assert read_message(modern_headers(name=encode_header_value(tool)), body).params["name"] == tool


@pytest.mark.parametrize("name", [None, 5, {}, ["x"]])
def test_a_name_that_is_no_text_matches_no_header(name: Any) -> None:
    """Not even its own spelling."""
    assert (
        refused(modern_headers(name=str(name)), modern_body(params={"name": name})).rpc_code
        == HEADER_MISMATCH
    )


@pytest.mark.parametrize("method", ["tools/call", "tools/list", "ping", "x"])
def test_a_request_without_an_id_is_refused_and_not_accepted_in_silence(method: str) -> None:
    """A host that forgot the id must not believe that its call was carried out."""
    body = legacy_body(method)
    del body["id"]
    assert refused(legacy_headers(), body).rpc_code == INVALID_REQUEST


@pytest.mark.parametrize("headers", [legacy_headers(), legacy_headers(None), modern_headers("x", None)])
def test_a_notification_needs_a_spoken_version_and_nothing_else(headers: Headers) -> None:
    """2026-07-28 defines neither headers nor _meta for one."""
    message = read_message(headers, {"jsonrpc": "2.0", "method": "notifications/initialized"})
    assert not message.wants_answer


def test_a_legacy_host_may_answer_a_question_and_a_modern_one_may_not() -> None:
    """Server-to-client requests ended with the legacy era."""
    response = {"jsonrpc": "2.0", "id": 1, "result": {}}
    assert read_message(legacy_headers(), response).method is None
    assert refused(modern_headers(), response).rpc_code == INVALID_REQUEST


def test_what_only_the_gateway_may_write_is_dropped() -> None:
    """Nothing that a caller says about itself under our prefix is believed; the rest passes."""
    given = {**meta(), "dev.countersign/transaction": "1", "dev.countersign/etdi": {}, "progressToken": 4}
    message = read_message(modern_headers(), modern_body(params={"name": "list_invoices", "_meta": given}))
    assert set(message.meta) == {META_PROTOCOL, META_CLIENT, META_CAPABILITIES, "progressToken"}


@pytest.mark.parametrize(
    ("declared", "modes"),
    [
        ({}, ("form",)),
        ({"form": {}}, ("form",)),
        ({"url": {}}, ("url",)),
        ({"form": {}, "url": {}}, ("form", "url")),
        ({"voice": {}}, ()),
        ({"form": None}, ()),
        ({"form": False, "url": {}}, ("url",)),
        (None, ()),
        (True, ()),
        ([], ()),
        ("form", ()),
    ],
)
def test_only_declared_modes_of_elicitation_count(declared: Any, modes: tuple[str, ...]) -> None:
    """An empty object means form; what is not understood means nothing (client/elicitation, capabilities)."""
    modern = modern_body(params={"name": "list_invoices", "_meta": meta(elicitation=declared)})
    assert read_message(modern_headers(), modern).client.can_elicit == modes
    legacy = legacy_body("initialize", params={"capabilities": {"elicitation": declared}})
    assert read_message(legacy_headers(), legacy).client.can_elicit == modes


def test_a_legacy_call_declares_nothing_by_itself() -> None:
    """Capabilities of that era were said in initialize; a call's own words are no declaration."""
    body = legacy_body(params={"name": "x", "_meta": {META_CAPABILITIES: {"elicitation": {}}}})
    client = read_message(legacy_headers(), body).client
    assert client.can_elicit == ()
    assert not client.can_input_required


@pytest.mark.parametrize("info", [None, [], "x", {"name": ["x"], "version": 1}, {"name": "n" * 5_000}])
def test_what_a_host_says_about_itself_is_short_text_or_nothing(info: Any) -> None:
    """It is kept in questions to the policy, so it is bounded."""
    given = {**meta(), META_CLIENT: info}
    client = read_message(
        modern_headers(), modern_body(params={"name": "list_invoices", "_meta": given})
    ).client
    assert len(client.name) <= MAX_CLIENT_TEXT
    assert client.version == ""


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
MEMBERS = st.sampled_from(["jsonrpc", "id", "method", "params", "result", "error"])
FIELDS = st.sampled_from([b"mcp-protocol-version", b"mcp-method", b"mcp-name", b"host"])


@given(
    body=JSON | st.dictionaries(MEMBERS, JSON | st.sampled_from(["2.0", "tools/call", "ping"]), max_size=6),
    raw=st.lists(
        st.tuples(FIELDS, st.sampled_from([MODERN.encode(), b"2025-11-25"]) | st.binary(max_size=9))
    ),
)
@settings(max_examples=200)
def test_whatever_comes_is_a_message_or_a_refusal(body: Any, raw: list[tuple[bytes, bytes]]) -> None:
    """No other exception, whatever the types are."""
    with suppress(MalformedRequest):
        assert read_message(Headers(raw), body).protocol in SUPPORTED

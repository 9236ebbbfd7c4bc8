"""A body of the REST handshake -> one call, and who asks."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.canonical import canonical_hash
from gateway.door.call import Client, Era, ToolCall
from gateway.door.headers import Headers
from gateway.door.rest_message import (
    MAX_PROOF_CHARS,
    Phase,
    Session,
    credentials_in,
    glimpse,
    read_rest_call,
    session_of,
)
from gateway.door.tool_call import MAX_NAME_CHARS
from gateway.errors import HeaderMismatch, MalformedRequest
from gateway.identity.credentials import NO_CREDENTIALS
from gateway.identity.errors import CredentialRefused

TOKEN = "a" * 64
BODY: dict[str, Any] = {"sessionToken": "s", "tool": "create_order", "parameters": {"b": [1, 2.5], "a": None}}


def call_of(phase: Phase, body: dict[str, Any], *headers: tuple[bytes, bytes]) -> ToolCall:
    """The call of this body."""
    return read_rest_call(
        phase,
        body,
        Headers(headers),
        server="paypal",
        call_id="call-1",
        received_at=7.5,
        credentials=NO_CREDENTIALS,
    )


def test_a_first_phase_has_what_was_asked_and_no_token() -> None:
    """The parameters are the parsed object itself; the caller declares nothing about itself."""
    call = call_of("authorize", {**BODY, "metadata": {"sensitivity": "PUBLIC"}})
    assert call.arguments is BODY["parameters"]
    assert call.arguments_hash == canonical_hash(BODY["parameters"])
    assert (call.server, call.tool, call.call_id, call.received_at) == (
        "paypal",
        "create_order",
        "call-1",
        7.5,
    )
    assert (call.era, call.protocol, call.client, call.token, call.meta) == (
        Era.REST,
        "rest",
        Client(),
        None,
        {},
    )


@pytest.mark.parametrize(
    ("members", "token"), [({"ephemeralToken": TOKEN}, TOKEN), ({"ephemeralToken": None}, ""), ({}, "")]
)
def test_a_second_phase_always_has_a_token(members: dict[str, Any], token: str) -> None:
    """None would make it a first phase; the empty text was never handed out."""
    assert call_of("execute", {**BODY, **members}).token == token


def test_the_header_is_equal_or_not_there() -> None:
    """And alone it is no token: the body is normative (C11)."""
    body = {**BODY, "ephemeralToken": TOKEN}
    header = (b"x-ephemeral-token", TOKEN.encode())
    assert call_of("execute", body, header).token == TOKEN
    assert call_of("execute", BODY, header).token == ""
    for other in (b"b" * 64, b"", TOKEN.encode() + b"a", b"\xff"):
        with pytest.raises(HeaderMismatch, match="X-Ephemeral-Token"):
            call_of("execute", body, (b"x-ephemeral-token", other))
    with pytest.raises(HeaderMismatch, match="2 times"):
        call_of("execute", body, header, header)


@pytest.mark.parametrize(
    "changed",
    [
        {"tool": None},
        {"tool": ""},
        {"tool": 7},
        {"tool": "x" * (MAX_NAME_CHARS + 1)},
        {"parameters": None},
        {"parameters": []},
        {"parameters": "{}"},
        {"metadata": []},
        {"metadata": "PUBLIC"},
        {"proof": 7},
        {"proof": ""},
        {"proof": "x" * (MAX_PROOF_CHARS + 1)},
        {"ephemeralToken": 7},
        {"ephemeraltoken": TOKEN},
        {"sensitivity": "PUBLIC"},
    ],
    ids=str,
)
def test_what_is_no_body_of_this_phase(changed: dict[str, Any]) -> None:
    """Missing, of another type, or a member that nobody would read."""
    with pytest.raises(MalformedRequest) as refused:
        call_of("execute", {**BODY, **changed})
    assert refused.value.code == "door.params"


def test_a_first_phase_takes_no_token() -> None:
    """Whoever sends one believes that it executes."""
    with pytest.raises(MalformedRequest, match="ephemeralToken"):
        call_of("authorize", {**BODY, "ephemeralToken": TOKEN})


def test_a_proof_is_kept_where_the_rooms_look_for_it() -> None:
    """Under a key that no host can write over MCP."""
    assert call_of("authorize", {**BODY, "proof": "a.b.c"}).meta == {"dev.countersign/proof": "a.b.c"}


def test_the_session_is_read_from_the_body() -> None:
    """And is what a glimpse at the bytes says, too."""
    session = Session("s", "crm", TOKEN)
    assert session_of({"sessionToken": "s", "server": "crm", "ephemeralToken": TOKEN, "tool": 1}) == session
    assert glimpse(
        b'{"tool":[{"x":[1]}],"sessionToken":"s","ephemeralToken":"%s","server":"crm"}' % TOKEN.encode()
    ) == (session)
    assert session_of({}) == glimpse(b"{}") == Session()


@pytest.mark.parametrize("document", [None, 7, [], "x", {"sessionToken": 7}, {"server": ""}, {"server": []}])
def test_what_says_in_no_way_who_asks(document: Any) -> None:
    """No object, or members of another type."""
    with pytest.raises(MalformedRequest) as refused:
        session_of(document)
    assert refused.value.code == "door.params"


@given(
    st.binary(max_size=200)
    | st.sampled_from([b"[" * 100_000, b'{"a":' * 100_000, b'{"sessionToken":"\\ud800"}'])
)
def test_a_glimpse_never_breaks(body: bytes) -> None:
    """Whatever comes."""
    with suppress(MalformedRequest):
        glimpse(body)


def test_one_token_in_either_place() -> None:
    """The member, the header, or both where they are equal."""
    header = Headers([(b"authorization", b"Bearer tok")])
    in_body, nowhere = Session("tok"), Session()
    for headers, session in ((Headers([]), in_body), (header, nowhere), (header, in_body)):
        found = credentials_in(headers, session, "/execute")
        assert found.bearer is not None
        assert (found.bearer.expose(), found.scheme, found.server) == (b"tok", "bearer", "")
    assert credentials_in(Headers([]), nowhere, "/execute").bearer is None
    assert credentials_in(header, Session("tok", "crm"), "/execute").server == "crm"


@pytest.mark.parametrize("in_body", ["other", "tok ", "TOK", "tok\u00e9"])
def test_two_tokens_are_no_session(in_body: str) -> None:
    """Which of them somebody on the way has judged is a guess."""
    with pytest.raises(HeaderMismatch, match="sessionToken"):
        credentials_in(Headers([(b"authorization", b"Bearer tok")]), Session(in_body), "/execute")


@pytest.mark.parametrize("in_body", ["", "a b", "\u00e9", "a\r\nb", "\ud800", "a,b", "x" * 9000])
def test_a_token_of_the_body_has_the_grammar_of_the_header(in_body: str) -> None:
    """RFC 6750 ``b64token``, and no longer."""
    with pytest.raises(CredentialRefused):
        credentials_in(Headers([]), Session(in_body), "/execute")


def test_a_proof_of_possession_names_this_door() -> None:
    """The token of the body with a DPoP header is a bound one."""
    headers = Headers([(b"dpop", b"jws")])
    found = credentials_in(headers, Session("tok", "crm"), "/execute")
    assert found.scheme == "dpop"
    assert found.proof is not None
    assert (found.proof.beside, found.proof.method) == ("/execute", "POST")
    both = Headers([(b"dpop", b"jws"), (b"authorization", b"DPoP tok")])
    assert credentials_in(both, Session("tok"), "/execute").scheme == "dpop"

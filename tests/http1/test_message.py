"""Requests become bytes whose framing nobody but the client decides."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.http1 import InvalidRequest
from gateway.http1.message import encode, preamble

_PREAMBLE = preamble(b"opa:8181")


def test_one_request() -> None:
    """A request is its line, our headers, the caller's headers, the length and the body."""
    assert encode(_PREAMBLE, b"POST", b"/v1/data?x=1", [(b"Content-Type", b"a/b")], b"{}") == (
        b"POST /v1/data?x=1 HTTP/1.1\r\nhost: opa:8181\r\naccept-encoding: identity\r\n"
        b"Content-Type: a/b\r\ncontent-length: 2\r\n\r\n{}"
    )


def test_an_empty_post_says_so() -> None:
    """A POST without a body carries a zero length (RFC 9110 section 8.6), a GET carries none."""
    assert b"content-length: 0\r\n" in encode(_PREAMBLE, b"POST", b"/", [], b"")
    assert b"content-length" not in encode(_PREAMBLE, b"GET", b"/", [], b"")


@pytest.mark.parametrize("evil", [b"\r", b"\n", b"\0", b"\r\nx: y", b"\x7f"])
def test_header_injection(evil: bytes) -> None:
    """CR, LF, NUL and DEL are refused wherever a caller's bytes go into the head."""
    for method, target, name, value in [
        (b"GET" + evil, b"/", b"a", b"b"),
        (b"GET", b"/" + evil, b"a", b"b"),
        (b"GET", b"/", b"a" + evil, b"b"),
        (b"GET", b"/", b"a", b"b" + evil),
        (b"GET", b"/", b"a", evil + b"b"),
    ]:
        with pytest.raises(InvalidRequest):
            encode(_PREAMBLE, method, target, [(name, value)], b"")


@pytest.mark.parametrize("target", [b"", b"x", b"http://other/", b"/a b", b"*"])
def test_only_origin_form(target: bytes) -> None:
    """A target is a path of this endpoint; absolute form would name another host."""
    with pytest.raises(InvalidRequest):
        encode(_PREAMBLE, b"GET", target, [], b"")


@pytest.mark.parametrize(
    "name", [b"Host", b"content-length", b"Transfer-Encoding", b"connection", b"te", b""]
)
def test_framing_headers_are_ours(name: bytes) -> None:
    """A second length or host would make two readers disagree: request smuggling."""
    with pytest.raises(InvalidRequest):
        encode(_PREAMBLE, b"POST", b"/", [(name, b"1")], b"x")


@given(
    st.lists(st.tuples(st.binary(max_size=12), st.binary(max_size=12)), max_size=4), st.binary(max_size=40)
)
def test_no_header_starts_another_line(headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    """Whatever the headers are, an encoded head has exactly the lines that were asked for."""
    try:
        request = encode(_PREAMBLE, b"POST", b"/", headers, body)
    except InvalidRequest:
        return
    head, _, rest = request.partition(b"\r\n\r\n")
    assert head.count(b"\r\n") == head.count(b"\n") == head.count(b"\r") == 3 + len(headers)
    assert rest == body

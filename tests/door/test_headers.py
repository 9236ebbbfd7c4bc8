"""Header fields by name."""

import pytest

from gateway.door.headers import Headers
from gateway.errors import HEADER_MISMATCH, HeaderMismatch


def test_a_field_that_came_once_has_one_value() -> None:
    """Blanks around it are not part of it (RFC 9110 section 5.5)."""
    headers = Headers([(b"mcp-name", b" \tcreate_order\t ")])
    assert headers.one(b"mcp-name") == "create_order"
    assert headers.all(b"mcp-name") == [b"create_order"]


def test_a_field_that_did_not_come_is_none_and_not_empty() -> None:
    """Missing and empty are two things."""
    headers = Headers([(b"mcp-method", b"")])
    assert headers.one(b"mcp-method") == ""
    assert headers.one(b"mcp-name") is None
    assert headers.all(b"mcp-name") == []


def test_a_field_that_came_twice_is_refused_even_if_both_say_the_same() -> None:
    """Which of the two another hop believed is a guess."""
    headers = Headers([(b"mcp-name", b"a"), (b"x", b"y"), (b"mcp-name", b"a")])
    with pytest.raises(HeaderMismatch) as caught:
        headers.one(b"mcp-name")
    assert caught.value.rpc_code == HEADER_MISMATCH
    assert headers.all(b"mcp-name") == [b"a", b"a"]


def test_bytes_beyond_ascii_are_read_as_latin_1() -> None:
    """They stay distinguishable and never fail."""
    assert Headers([(b"x", b"\xff\xfe")]).one(b"x") == "\xff\xfe"

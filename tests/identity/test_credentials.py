"""The Authorization header, strictly."""

import copy
import json
import pickle
import traceback
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.identity.credentials import (
    MAX_TOKEN_BYTES,
    Credentials,
    Secret,
    parse_authorization,
)
from gateway.identity.errors import CredentialRefused

B64TOKEN = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/"


@pytest.mark.parametrize("scheme", [b"Bearer ", b"bearer ", b"BEARER ", b"bEaReR    "])
def test_the_scheme_is_read_without_regard_to_case(scheme: bytes) -> None:
    """RFC 9110 section 11.1; one or more spaces follow (RFC 6750 section 2.1)."""
    bearer = parse_authorization([scheme + b"abc.def-_~+/=="]).bearer
    assert bearer is not None
    assert bearer.expose() == b"abc.def-_~+/=="


def test_no_header_is_no_credentials() -> None:
    """Absent is not malformed: the caller is told to bring a token."""
    assert parse_authorization([]).bearer is None


@pytest.mark.parametrize(
    "values",
    [
        [b""],
        [b"Bearer"],
        [b"Bearer "],
        [b"Bearer\tabc"],
        [b" Bearer abc"],
        [b"Bearer abc "],
        [b"Bearer abc def"],
        [b"Bearer abc,Bearer def"],
        [b"Bearer abc, def"],
        [b'Bearer "abc"'],
        [b"Bearer =abc"],
        [b"Bearer abc=def"],
        [b"Bearer abc\r\nX: y"],
        [b"Bearer abc\n"],
        [b"Bearer abc\x00"],
        [b"Bearer \xc3\xa9"],
        [b"Basic dXNlcjpwYXNz"],
        [b"DPoP abc def"],
        [b"abc"],
        [b"Bearer abc", b"Bearer abc"],
        [b"Bearer " + b"a" * (MAX_TOKEN_BYTES + 1)],
        [b"Bearer" + b" " * 10_000 + b"a"],
    ],
)
def test_anything_but_one_bearer_token_is_malformed(values: list[bytes]) -> None:
    """Nothing is repaired, nothing is guessed."""
    with pytest.raises(CredentialRefused) as refused:
        parse_authorization(values)
    assert refused.value.code == "identity.token_malformed"


def test_a_token_may_be_as_long_as_the_bound_and_no_longer() -> None:
    """The bound itself is inside."""
    assert parse_authorization([b"Bearer " + b"a" * MAX_TOKEN_BYTES]).bearer is not None


@given(st.binary(max_size=60))
def test_what_is_accepted_is_exactly_what_was_sent(value: bytes) -> None:
    """Any bytes: either refused, or the token is made of b64token characters and is part of the header."""
    try:
        bearer = parse_authorization([value]).bearer
    except CredentialRefused:
        return
    assert bearer is not None
    assert value.lower().startswith(b"bearer ")
    assert value.endswith(bearer.expose())
    assert not bearer.expose().rstrip(b"=").strip(B64TOKEN)


SHOWN: dict[str, Callable[[Any], str]] = {
    "str": str,
    "repr": repr,
    "format": lambda thing: f"{thing} {thing!r}",
    "percent": lambda thing: "%s %r" % (thing, thing),  # noqa: UP031 - logging formats this way
    "in a container": lambda thing: repr([thing, {"k": thing}]),
}


@pytest.mark.parametrize("show", SHOWN.values(), ids=SHOWN)
def test_a_secret_is_never_shown(show: Callable[[Any], str]) -> None:
    """Neither by itself nor inside what holds it."""
    secret = Secret(b"hunter2hunter2")
    for thing in (secret, Credentials(bearer=secret)):
        assert "hunter2" not in show(thing)
        assert "<secret>" in show(thing)


@pytest.mark.parametrize("encode", [json.dumps, msgspec.json.encode, msgspec.msgpack.encode, pickle.dumps])
def test_a_secret_is_not_encodable_by_accident(encode: Callable[[Any], object]) -> None:
    """An audit record or a cache that takes one by mistake fails instead of storing it."""
    for thing in (Secret(b"hunter2hunter2"), Credentials(bearer=Secret(b"hunter2hunter2"))):
        with pytest.raises(TypeError) as failed:
            encode(thing)
        assert "hunter2" not in str(failed.value)


def test_a_secret_is_not_copied_and_has_no_dict() -> None:
    """`vars()` and `copy` are ways to show or multiply it too."""
    secret = Secret(b"hunter2hunter2")
    with pytest.raises(TypeError):
        copy.copy(secret)
    with pytest.raises(TypeError):
        vars(secret)


def test_a_refused_header_is_not_quoted() -> None:
    """The traceback of a refusal holds nothing of the header."""
    with pytest.raises(CredentialRefused) as refused:
        parse_authorization([b"Bearer hunter2 hunter2"])
    assert "hunter2" not in "".join(traceback.format_exception_only(refused.value))
    assert "hunter2" not in repr(refused.value.data)

"""What an HTTP answer says besides its body."""

from __future__ import annotations

import httpx
import pytest

from gateway.client.handshake.flow import Post
from gateway.client.handshake.replies import plain, reply_of, wants_another
from gateway.client.handshake.session_token import Session
from gateway.client.login.dpop import Prover
from gateway.client.login.values import Secret
from tests.support.keys import signing_key

URL = "https://gateway.example"
ASKS = {"www-authenticate": 'DPoP error="use_dpop_nonce", algs="ES256"', "dpop-nonce": "n-1"}


def post(*, bound: bool) -> Post:
    """A request of a session with or without a key."""
    prover = Prover(signing_key("EdDSA").private) if bound else None
    return Post("/execute", b"{}", None, Session(token=Secret("t"), prover=prover))


def test_a_nonce_that_is_asked_for_is_taken_once() -> None:
    """The same one again is no news."""
    step, reply = post(bound=True), reply_of(httpx.Response(401, headers=ASKS), b"{}")
    assert wants_another(step, reply, URL)
    assert not wants_another(step, reply, URL)


@pytest.mark.parametrize(
    ("status", "headers", "bound"),
    [
        (401, ASKS, False),
        (200, ASKS, True),
        (403, ASKS, True),
        (401, {**ASKS, "www-authenticate": 'DPoP error="invalid_token"'}, True),
        (401, {"www-authenticate": ASKS["www-authenticate"]}, True),
        (401, {**ASKS, "dpop-nonce": "x" * 513}, True),
    ],
)
def test_nothing_else_is_sent_again(status: int, headers: dict[str, str], *, bound: bool) -> None:
    """Attack: an answer that makes a client repeat an execution."""
    reply = reply_of(httpx.Response(status, headers=headers), b"{}")
    assert not wants_another(post(bound=bound), reply, URL)


def test_a_compressed_answer_is_not_read() -> None:
    """A few kilobytes can unpack to gigabytes."""
    assert plain(httpx.Response(200))
    assert not plain(httpx.Response(200, headers={"content-encoding": "gzip"}, content=b""))

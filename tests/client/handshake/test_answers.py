"""What answers mean."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.client.handshake.answers import (
    RECEIPT_KEY,
    Authorized,
    Done,
    Reply,
    Waiting,
    authorized,
    executed,
    receipt_of,
)
from gateway.client.handshake.errors import (
    AuthorizationFailed,
    ExecutionFailed,
    HandshakeError,
    OutcomeUnknown,
)


def reply(status: int, body: Any = None, **more: Any) -> Reply:
    """One answer."""
    return Reply(status=status, body=body if isinstance(body, bytes) else msgspec.json.encode(body), **more)


@given(st.integers(100, 599), st.binary(max_size=60) | st.none())
def test_whatever_comes_is_an_answer_or_one_of_our_errors(status: int, body: bytes | None) -> None:
    """A server, or a proxy before it, may say anything. Only 200 is done, and no 5xx is a certain failure."""
    one = Reply(status=status, body=body)
    for read in (authorized, lambda it: executed(it, "tx")):
        try:
            found = read(one)
        except OutcomeUnknown:
            assert status == 200 or status >= 500
        except HandshakeError:
            assert status < 500 or read is authorized
        else:
            assert isinstance(found, Done | Authorized | Waiting)
            assert status in (200, 202)


@pytest.mark.parametrize(
    "body", [{}, {"transactionId": "t"}, {"ephemeralToken": "e"}, {"transactionId": 1, "ephemeralToken": "e"}]
)
def test_an_authorisation_without_a_token_is_none(body: Any) -> None:
    """It is not guessed."""
    with pytest.raises(AuthorizationFailed):
        authorized(reply(200, body))


@pytest.mark.parametrize("token", ["", "a b", "a\r\nx: y", "ü", "a" * 5000, 7])
def test_a_token_that_no_header_can_carry_is_none(token: Any) -> None:
    """Attack: a header of its own making in our next request."""
    with pytest.raises(AuthorizationFailed):
        authorized(reply(200, {"transactionId": "t", "ephemeralToken": token}))


def test_an_address_that_is_none_is_not_shown() -> None:
    """Attack: an approval page that is a script."""
    body = {"status": "confirmation_required", "ephemeralToken": "e", "approveUrl": "javascript:alert(1)"}
    found = executed(reply(202, body), "tx")
    assert isinstance(found, Waiting)
    assert (found.approve_url, found.transaction_id, found.expires_in_s) == (None, "tx", 0.0)


def test_what_a_stranger_wrote_moves_no_cursor() -> None:
    """Attack: control characters on the way to a terminal or a log."""
    with pytest.raises(ExecutionFailed) as caught:
        executed(reply(403, {"error": "no\x1b[2J\nOK"}), "tx")
    assert str(caught.value) == "Execution failed: no?[2J?OK"


@pytest.mark.parametrize(
    ("header", "seconds"), [("7", 7.0), ("-1", None), ("soon", None), ("\u0667", None), (None, None)]
)
def test_when_to_come_again(header: str | None, seconds: float | None) -> None:
    """Seconds only."""
    with pytest.raises(ExecutionFailed) as caught:
        executed(reply(429, {"error": "later"}, retry_after=header), "tx")
    assert caught.value.retry_after_s == seconds


def test_the_receipt_of_an_answer() -> None:
    """In a result, in a refusal of either phase, beside an unknown outcome; else there is none."""
    assert receipt_of({"_meta": {RECEIPT_KEY: "j.w.s"}}) == "j.w.s"
    refused = {"error": "no", "code": "catalog.changed", "callId": "c", "receipt": "j.w.s"}
    for read, kind in ((authorized, AuthorizationFailed), (lambda it: executed(it, "tx"), ExecutionFailed)):
        with pytest.raises(kind) as caught:
            read(reply(403, refused))
        assert caught.value.receipt == "j.w.s"
    with pytest.raises(ExecutionFailed) as words:
        executed(reply(403, {"error": "Transaction mismatch"}, receipt="j.w.s"), "tx")
    assert words.value.receipt == "j.w.s"
    with pytest.raises(OutcomeUnknown) as unknown:
        executed(reply(504, refused), "tx")
    assert unknown.value.receipt == "j.w.s"
    others: list[object] = [None, "j.w.s", {"receipt": 7}, {"_meta": []}, {"receipt": "x" * 70_000}]
    assert [one for one in others if receipt_of(one) is not None] == []

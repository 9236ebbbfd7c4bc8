"""Signatures as Standard Webhooks has them."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.agents.signature import (
    ID,
    SIGNATURE,
    TIMESTAMP,
    TOLERANCE_S,
    BadSignature,
    check_signed,
    key_of,
    signed,
)
from tests.support.second_agents import OTHER_SECRET, SECRET, signature

KEY = key_of(SECRET)
NOW = 1_795_224_000


def test_the_specifications_own_example() -> None:
    """Secret, id, time, body and signature as its reference libraries print them."""
    key = key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    made = signed(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert made[SIGNATURE] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_double_signs_alike() -> None:
    """The tests' own agents were written without this module."""
    made = signed(KEY, "m", NOW, b"body")
    assert made == {ID: "m", TIMESTAMP: str(NOW), SIGNATURE: signature(SECRET, "m", str(NOW), b"body")}


def test_one_of_several_signatures_is_enough() -> None:
    """Somebody changes the secret: for a while both are sent."""
    made = signed(KEY, "m", NOW, b"body")
    other = signed(key_of(OTHER_SECRET), "m", NOW, b"body")[SIGNATURE]
    assert check_signed(KEY, made | {SIGNATURE: f"{other} v1a,x {made[SIGNATURE]}"}, b"body", now=NOW) == "m"


@pytest.mark.parametrize("late", [TOLERANCE_S + 1, -TOLERANCE_S - 1])
def test_a_message_of_another_time(late: int) -> None:
    """Neither old nor from the future."""
    with pytest.raises(BadSignature):
        check_signed(KEY, signed(KEY, "m", NOW + late, b"body"), b"body", now=NOW)


@pytest.mark.parametrize(
    "change",
    [
        {ID: ""},
        {ID: "n"},
        {ID: "m\ud800"},
        {TIMESTAMP: str(NOW + 1)},
        {TIMESTAMP: f"+{NOW}"},
        {TIMESTAMP: "١٧٩٥٢٢٤٠٠٠"},
        {TIMESTAMP: ""},
        {SIGNATURE: ""},
        {SIGNATURE: "v1,"},
        {SIGNATURE: "v1,\u00e9"},
        {SIGNATURE: "v1a," + "A" * 44},
    ],
)
def test_a_changed_header(change: dict[str, str]) -> None:
    """Each part is signed."""
    with pytest.raises(BadSignature):
        check_signed(KEY, signed(KEY, "m", NOW, b"body") | change, b"body", now=NOW)


@pytest.mark.parametrize("name", [ID, TIMESTAMP, SIGNATURE])
def test_a_missing_header(name: str) -> None:
    """All three are needed."""
    fields = signed(KEY, "m", NOW, b"body")
    del fields[name]
    with pytest.raises(BadSignature):
        check_signed(KEY, fields, b"body", now=NOW)


@given(st.text(max_size=20), st.text(max_size=60), st.binary(max_size=60))
def test_nobody_guesses(message_id: str, given_signature: str, body: bytes) -> None:
    """Whatever stands in the fields: refused, and nothing breaks."""
    fields = {ID: message_id, TIMESTAMP: str(NOW), SIGNATURE: given_signature}
    with pytest.raises(BadSignature):
        check_signed(KEY, fields, body, now=NOW)


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "hunter2hunter2",
        "whsec_",
        "whsec_!!!",
        "whsec_" + base64.b64encode(b"x" * 23).decode(),
        "whsec_" + base64.b64encode(b"x" * 65).decode(),
        base64.b64encode(b"x" * 32).decode(),
    ],
)
def test_no_secret(secret: str) -> None:
    """It is named by what it should be, never quoted."""
    with pytest.raises(ValueError, match="whsec_ and base64 of 24 to 64 random bytes") as caught:
        key_of(secret)
    assert not secret.removeprefix("whsec_") or secret.removeprefix("whsec_") not in str(caught.value)

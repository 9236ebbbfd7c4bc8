"""What is signed is what is read; everything else is refused by name."""

import hashlib
import hmac
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.receipts.jws import TYPE, Forged, NotAReceipt, Signer, check, read
from gateway.receipts.keys import ReceiptKeys
from tests.support.receipts import KEY, KEYS, OTHER_KEY, a_receipt, altered, segment, signed


def refused(text: str) -> str:
    """The part that is not right."""
    with pytest.raises(Forged) as problem:
        check(read(text), KEYS.public)
    return problem.value.what


def with_header(jws: str, **members: Any) -> str:
    """The same claims under another header, signed with the right key over it."""
    _, payload, _ = jws.split(".")
    head = {"alg": "EdDSA", "kid": next(iter(KEYS.public)), "typ": TYPE, **members}
    said = f"{segment(msgspec.json.encode(head))}.{payload}"
    return f"{said}.{segment(KEY.sign(said.encode()))}"


def test_a_receipt_comes_back_as_it_was() -> None:
    """Signed, read, checked."""
    assert check(read(signed()), KEYS.public) == a_receipt()


@pytest.mark.parametrize(
    "members",
    [
        {"outcome": "failed"},
        {"arguments_hash": "b" * 64},
        {"caller": {"issuer": "https://idp.example", "subject": "somebody-else", "client_id": None}},
        {"txn": "call-9"},
        {"iat": 1},
        {"audit": None},
    ],
)
def test_an_altered_claim_breaks_the_signature(members: dict[str, Any]) -> None:
    """Whatever it is."""
    assert refused(altered(signed(), **members)) == "signature"


@pytest.mark.parametrize("members", [{"unheard": 1}, {"jti": 7}, {"reasons": "none"}, {"outcome": "done"}])
def test_claims_of_another_shape_are_none(members: dict[str, Any]) -> None:
    """A member too many, or of another type."""
    assert refused(altered(signed(), **members)) == "claims"


def test_no_algorithm_but_ours() -> None:
    """``none``, and an HMAC whose secret is the public key (RFC 8725 section 2.1)."""
    text = with_header(signed(), alg="none")
    assert refused(text) == "algorithm"
    assert refused(text.rpartition(".")[0] + ".") == "algorithm"
    said = with_header(signed(), alg="HS256").rpartition(".")[0]
    public = KEY.public_key().public_bytes_raw()
    assert refused(f"{said}.{segment(hmac.digest(public, said.encode(), hashlib.sha256))}") == "algorithm"


def test_another_kind_of_token_is_no_receipt() -> None:
    """Signed by the very key, for another purpose; or with an extension that nobody here understands."""
    assert refused(with_header(signed(), typ="at+jwt")) == "type"
    assert refused(with_header(signed(), crit=["b64"], b64=False)) == "type"


def test_a_key_that_is_not_ours() -> None:
    """Under its own name, under ours, and brought along in the header."""
    other = ReceiptKeys(OTHER_KEY)
    assert refused(other.signer.sign(a_receipt())) == "key"
    ours = next(iter(KEYS.public))
    assert refused(Signer(OTHER_KEY, ours).sign(a_receipt())) == "signature"
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": segment(OTHER_KEY.public_key().public_bytes_raw())}
    _, payload, _ = signed().split(".")
    head = {"alg": "EdDSA", "kid": ours, "typ": TYPE, "jwk": jwk}
    said = f"{segment(msgspec.json.encode(head))}.{payload}"
    assert refused(f"{said}.{segment(OTHER_KEY.sign(said.encode()))}") == "signature"


def test_one_receipt_has_one_spelling() -> None:
    """A member twice, a blank, another order: not even with a good signature."""
    head, _, _ = signed().split(".")
    claims = msgspec.json.encode(a_receipt())
    for spelt in (claims[:-1] + b',"outcome":"executed"}', claims.replace(b":", b": ", 1)):
        said = f"{head}.{segment(spelt)}"
        assert refused(f"{said}.{segment(KEY.sign(said.encode()))}") == "claims"


@given(st.text() | st.from_regex(r"[A-Za-z0-9_-]{0,40}\.[A-Za-z0-9_-]{0,40}\.[A-Za-z0-9_-]{0,40}"))
def test_any_text_is_refused_by_name(text: str) -> None:
    """No other error than the two."""
    with pytest.raises((NotAReceipt, Forged)):
        check(read(text), KEYS.public)


@given(st.data())
def test_no_byte_can_change(data: st.DataObject) -> None:
    """Any one character replaced by any other."""
    text = signed()
    at = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.sampled_from("ABCabc019-_.=")).replace(text[at], "z")
    with pytest.raises((NotAReceipt, Forged)):
        check(read(text[:at] + other + text[at + 1 :]), KEYS.public)

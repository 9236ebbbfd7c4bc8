"""What may be read of a token before its signature is checked."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.identity.credentials import MAX_TOKEN_BYTES
from gateway.identity.errors import CredentialRefused
from gateway.identity.issuer import TrustedIssuer
from gateway.identity.jose import Envelope, check_header, open_envelope, parse_claims
from tests.support.keys import b64url, forge

HEADER = {"alg": "ES256", "kid": "k", "typ": "at+jwt"}
CLAIMS = {"iss": "https://idp.example"}


def refusal(token: str | bytes) -> str:
    """The code that a token is refused with."""
    with pytest.raises(CredentialRefused) as refused:
        open_envelope(token if isinstance(token, bytes) else token.encode())
    return refused.value.code


def test_an_envelope_names_what_is_needed_to_find_the_key() -> None:
    """Algorithm, kid, type and the claimed issuer; kid and typ may be missing."""
    assert open_envelope(forge(HEADER, CLAIMS).encode()) == Envelope(
        algorithm="ES256", kid="k", typ="at+jwt", claimed_issuer="https://idp.example"
    )
    bare = open_envelope(forge({"alg": "ES256"}, CLAIMS).encode())
    assert bare is not None
    assert (bare.kid, bare.typ) == (None, None)


@pytest.mark.parametrize(
    "token",
    [
        b"",
        b"opaque-token",
        b"cs_" + b"a" * 43,
        b"a.b",
        b"a.b.c.d",
        b"...",
        b"a.b.c.d.e",
        b"!!!.!!!.!!!",
        b"YWJj.YWJj.YWJj",
        (b64url(b"[1]") + ".e30.eA").encode(),
        forge(HEADER, CLAIMS).encode() + b"=",
        forge(HEADER, CLAIMS).encode() + b"\n",
        b"\xff" * 100,
        forge(HEADER, {"pad": "x" * MAX_TOKEN_BYTES}).encode(),
    ],
)
def test_what_is_no_jwt_is_not_ours(token: bytes) -> None:
    """Opaque tokens, JWE, garbage and giants: another verifier may know them, this one does not."""
    assert open_envelope(token) is None


@pytest.mark.parametrize(
    ("header", "payload", "code"),
    [
        ({**HEADER, "crit": ["exp"], "exp": 1}, CLAIMS, "token_invalid"),
        ({**HEADER, "crit": []}, CLAIMS, "token_invalid"),
        ({**HEADER, "crit": None}, CLAIMS, "token_invalid"),
        ({**HEADER, "b64": False, "crit": ["b64"]}, CLAIMS, "token_invalid"),
        ({**HEADER, "b64": True}, CLAIMS, "token_invalid"),
        ({"kid": "k"}, CLAIMS, "token_malformed"),
        ({**HEADER, "alg": None}, CLAIMS, "token_malformed"),
        ({**HEADER, "alg": ["ES256"]}, CLAIMS, "token_malformed"),
        ({**HEADER, "typ": 1}, CLAIMS, "token_malformed"),
        ({**HEADER, "kid": 1}, CLAIMS, "token_malformed"),
        ({**HEADER, "kid": "k" * 257}, CLAIMS, "token_malformed"),
        (b'{"alg":"ES256","alg":"none"}', CLAIMS, "token_malformed"),
        (b'{"alg":"ES256"', CLAIMS, "token_malformed"),
        (b'{"a":' + b"[" * 2000 + b"]" * 2000 + b"}", CLAIMS, "token_malformed"),
        (HEADER, {}, "token_invalid"),
        (HEADER, {"iss": None}, "token_invalid"),
        (HEADER, {"iss": ["https://idp.example"]}, "token_invalid"),
        (HEADER, b'{"iss":"https://idp.example","iss":"https://attacker.example"}', "token_malformed"),
        (HEADER, b'{"iss":"\\ud800"}', "token_malformed"),
        (HEADER, b'{"iss":"x","n":NaN}', "token_malformed"),
        (HEADER, b'{"iss":"x","n":' + b"9" * 4000 + b"}", "token_malformed"),
        (HEADER, b'"https://idp.example"', "token_malformed"),
        (HEADER, b"not json", "token_malformed"),
        (HEADER, b"\xff\xfe", "token_malformed"),
    ],
)
def test_a_jwt_that_nobody_should_have_made_is_refused(
    header: dict[str, object] | bytes, payload: dict[str, object] | bytes, code: str
) -> None:
    """Critical extensions, detached payloads, wrong types, and everything two parsers read differently."""
    assert refusal(forge(header, payload)) == f"identity.{code}"


def test_one_signature_has_one_spelling() -> None:
    """Unused bits set in the last character: the same bytes, another token hash, so not a token."""
    token = forge(HEADER, CLAIMS, b"x")
    assert token.endswith(".eA")
    for last in "BCDEFGHIJKLMNOP":
        assert base64.urlsafe_b64decode(b"e" + last.encode() + b"==") == b"x"
        assert refusal(token[:-1] + last) == "identity.token_malformed"


@given(st.binary(max_size=200))
def test_any_bytes_are_an_envelope_a_refusal_or_not_ours(token: bytes) -> None:
    """No other exception gets out."""
    try:
        opened = open_envelope(token)
    except CredentialRefused:
        return
    assert opened is None or isinstance(opened, Envelope)


@given(st.binary(max_size=80), st.binary(max_size=80))
def test_any_header_and_claims_are_an_envelope_a_refusal_or_not_ours(header: bytes, payload: bytes) -> None:
    """The same behind valid base64url."""
    try:
        opened = open_envelope(forge(b"{" + header, payload).encode())
    except CredentialRefused:
        return
    assert opened is None or isinstance(opened, Envelope)


STRICT = TrustedIssuer(issuer="https://idp.example", algorithms=("ES256",))
LENIENT = TrustedIssuer(issuer="https://idp.example", algorithms=("ES256",), require_at_jwt=False)


def envelope(algorithm: str = "ES256", typ: str | None = "at+jwt") -> Envelope:
    """An envelope with that header."""
    return Envelope(algorithm=algorithm, kid="k", typ=typ, claimed_issuer="https://idp.example")


@pytest.mark.parametrize("typ", ["at+jwt", "AT+JWT", "application/at+jwt", "Application/At+JWT"])
def test_an_access_token_says_so(typ: str) -> None:
    """RFC 9068 section 4, in all spellings of RFC 7515 section 4.1.9."""
    check_header(envelope(typ=typ), STRICT)
    check_header(envelope(typ=typ), LENIENT)


@pytest.mark.parametrize("typ", [None, "JWT", "jwt", "application/jwt"])
def test_a_token_that_does_not_say_what_it_is_needs_a_setting(typ: str | None) -> None:
    """Off by default: an ID token looks like this."""
    with pytest.raises(CredentialRefused):
        check_header(envelope(typ=typ), STRICT)
    check_header(envelope(typ=typ), LENIENT)


@pytest.mark.parametrize("typ", ["dpop+jwt", "logout+jwt", "secevent+jwt", "etdi+jwt", "", "at+jwt ", "at"])
def test_a_token_of_another_kind_is_never_an_access_token(typ: str) -> None:
    """A DPoP proof or a logout token of the same issuer is signed with the same keys."""
    for trusted in (STRICT, LENIENT):
        with pytest.raises(CredentialRefused):
            check_header(envelope(typ=typ), trusted)


@pytest.mark.parametrize("algorithm", ["none", "None", "", "HS256", "RS256", "es256", "ES256 ", "EdDSA"])
def test_an_algorithm_off_the_list_is_refused(algorithm: str) -> None:
    """Exact names from the configuration, whatever the library could do."""
    with pytest.raises(CredentialRefused):
        check_header(envelope(algorithm), STRICT)


def test_claims_must_be_an_object() -> None:
    """Also behind a good signature."""
    assert parse_claims(b'{"a": 1}') == {"a": 1}
    with pytest.raises(CredentialRefused):
        parse_claims(b"[]")

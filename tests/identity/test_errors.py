"""Refusals: complete, and silent about secrets."""

import pytest

from gateway.errors import Unauthenticated, Unavailable
from gateway.identity.errors import Code, CredentialRefused, IssuerUnavailable


@pytest.mark.parametrize("code", list(Code))
def test_every_code_has_a_message_and_is_a_401(code: Code) -> None:
    """No code can crash the error path (C50)."""
    refused = CredentialRefused(code, "an inner reason")
    assert isinstance(refused, Unauthenticated)
    assert (refused.code, refused.http_status) == (code.value, 401)
    assert refused.data == {"code": code.value}
    assert str(refused) == refused.message


def test_the_inner_reason_is_not_for_the_caller() -> None:
    """Why exactly a token failed goes to the audit, not into the answer."""
    refused = CredentialRefused(Code.TOKEN_INVALID, "the issuer has no such key")
    assert "key" not in str(refused)
    assert refused.because == "the issuer has no such key"


def test_oauth_errors_follow_rfc_6750() -> None:
    """No token: a bare challenge. A malformed one: invalid_request. A proof: RFC 9449. Else: invalid_token."""
    said = {code: CredentialRefused(code).oauth_error for code in Code}
    assert said.pop(Code.TOKEN_MISSING) is None
    assert said.pop(Code.TOKEN_MALFORMED) == "invalid_request"
    assert said.pop(Code.PROOF_NONCE) == "use_dpop_nonce"
    assert {said.pop(Code.PROOF_INVALID), said.pop(Code.PROOF_REPLAYED)} == {"invalid_dpop_proof"}
    assert set(said.values()) == {"invalid_token"}


def test_an_unreachable_issuer_is_not_the_callers_fault() -> None:
    """503, so that clients keep their token and come back."""
    unavailable = IssuerUnavailable()
    assert isinstance(unavailable, Unavailable)
    assert (unavailable.http_status, unavailable.code) == (503, "identity.unavailable")

"""Errors of identity providers in one shape, without secrets (R113)."""

from __future__ import annotations

import msgspec
import pytest

from gateway.authoring.providers.problems import normalise

AADSTS = {
    "error": "invalid_client",
    "error_description": "AADSTS7000215: Invalid client secret provided. Ensure the secret being sent in the request is"
    " the client secret value, not the client secret ID, for a secret added to app"
    " 'a925f9fe-e7ad-4656-8d16-8f3b0b937043'.",
    "error_codes": [7000215],
    "timestamp": "2025-05-17T20:23:57Z",
    "trace_id": "5a48a2f9-da0c-49b2-af98-f796aaef600c",
    "correlation_id": "efb63b0e-1bfe-4320-bb54-8999d91d2631",
}


def test_entra() -> None:
    """The source's own example."""
    found = normalise("azure", AADSTS)
    assert found.code == "invalid_client"
    assert found.message.startswith("AADSTS7000215: ")
    assert found.details == {"correlationId": "efb63b0e-1bfe-4320-bb54-8999d91d2631"}
    assert found.provider_specific == AADSTS


def test_auth0() -> None:
    """``error_uri`` is where to read on."""
    found = normalise("auth0", {"error": "access_denied", "error_uri": "https://auth0.com/x"})
    assert (found.code, found.message) == ("access_denied", "Unknown Auth0 error")
    assert found.details == {"moreInfo": "https://auth0.com/x"}


@pytest.mark.parametrize(
    "answer",
    [
        {"errorCode": "E1", "errorSummary": "No."},
        {"error": "E1", "error_description": "No.", "errorCode": "other", "errorSummary": "other"},
    ],
)
def test_okta_in_both_its_spellings(answer: dict[str, str]) -> None:
    """The OAuth members first."""
    found = normalise("okta", answer)
    assert (found.code, found.message, found.details) == ("E1", "No.", None)


@pytest.mark.parametrize("kind", ["auth0", "okta", "azure", "custom"])
def test_nothing_is_an_unknown_error(kind: str) -> None:
    """With the members that the source gives it."""
    assert msgspec.to_builtins(normalise(kind, None)) == {
        "code": "unknown_error",
        "message": "Unknown error occurred",
        "details": None,
        "providerSpecific": None,
    }
    assert normalise(kind, {"x": 1}).code == "unknown_error"


def test_secrets_are_cut_out_wherever_they_stand() -> None:
    """The client's own, tokens, and members that are named as secrets."""
    token = "eyJ" + "hbGciOi.eyJpc3MiOi.c2ln"
    answer = {
        "error": "x",
        "error_description": f"bad secret p4ss for Bearer abc and {token}",
        "access_token": "opaque",
        "nested": {"client_secret": "q", "list": ["p4ss", {"Password": "r"}]},
    }
    found = msgspec.json.encode(normalise("custom", answer, secret="p4ss")).decode()
    for secret in ("p4ss", "abc", "eyJ", "opaque", '"q"', '"r"'):
        assert secret not in found

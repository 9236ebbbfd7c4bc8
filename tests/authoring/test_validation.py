"""Each reason for which a token is none of this tool's (R107), one test per reason."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.authoring.claims import ToolClaims
from gateway.authoring.profiles import AUTH0, AZURE, OKTA, Profile
from gateway.authoring.validation import validate_payload

NOW = 1_800_000_000.0
ISSUER = "https://tenant.auth0.com/"
TOOL = ToolClaims(
    tool_id="read",
    tool_version="1.0.0",
    tool_provider="files-inc",
    permissions=("filesystem:read:/data",),
    definition_hash="ab" * 32,
)
GOOD: dict[str, Any] = {
    "iss": ISSUER,
    "aud": "https://gateway.example",
    "exp": NOW + 60,
    "scope": "tool:filesystem:read:/data",
    "https://etdi.tools/tool_id": "read",
    "https://etdi.tools/tool_version": "1.0.0",
    "https://etdi.tools/tool_provider": "files-inc",
    "https://etdi.tools/definition_hash": "ab" * 32,
}


def reason(**changed: Any) -> str | None:
    """Why the good payload with these changes is refused; None removes a member."""
    payload = {key: value for key, value in {**GOOD, **changed}.items() if value is not None}
    found = validate_payload(
        payload, TOOL, profile=AUTH0, issuers=(ISSUER,), audience="https://gateway.example", now=NOW
    )
    assert found.valid is (found.reason is None)
    return found.reason


def test_a_good_token_is_good() -> None:
    """The control of all below; a list of audiences may hold ours."""
    assert reason() is None
    assert reason(aud=["other", "https://gateway.example"]) is None


@pytest.mark.parametrize("value", [NOW, NOW - 1, 0, None, "1900000000", True, float("-inf")])
def test_token_expired(value: Any) -> None:
    """Past, missing, or no time at all (C58)."""
    assert reason(exp=value) == "token_expired"


@pytest.mark.parametrize("value", ["https://gateway.example/", "other", [], None, {"a": 1}])
def test_invalid_audience(value: Any) -> None:
    """Exactly ours."""
    assert reason(aud=value) == "invalid_audience"


@pytest.mark.parametrize(
    "value", ["https://tenant.auth0.com", "https://tenant.auth0.com.attacker.example/", None, 1]
)
def test_invalid_issuer(value: Any) -> None:
    """Exactly the tenant's, with its slash (C18)."""
    assert reason(iss=value) == "invalid_issuer"


@pytest.mark.parametrize("value", ["", "tool:filesystem:read:/", "filesystem:read:/data", None])
def test_insufficient_scope(value: Any) -> None:
    """The whole permission, as a scope of a tool."""
    assert reason(scope=value) == "insufficient_scope"


@pytest.mark.parametrize(
    ("claim", "why"),
    [
        ("tool_id", "invalid_tool_id"),
        ("tool_version", "invalid_tool_version"),
        ("tool_provider", "invalid_tool_provider"),
        ("definition_hash", "invalid_definition_hash"),
    ],
)
def test_another_tool(claim: str, why: str) -> None:
    """The token names another tool, version, provider or definition."""
    assert reason(**{f"https://etdi.tools/{claim}": "other"}) == why


@pytest.mark.parametrize("claim", ["tool_id", "tool_version", "tool_provider"])
def test_a_missing_claim_has_no_fallback(claim: str) -> None:
    """Not ``sub``, and not "any version" (C19)."""
    assert reason(**{f"https://etdi.tools/{claim}": None, "sub": "read"}) == f"invalid_{claim}"


def test_a_provider_may_have_no_place_for_the_hash() -> None:
    """Then the approval's own hash holds the definition."""
    assert reason(**{"https://etdi.tools/definition_hash": None}) is None


def test_contradicting_spellings_are_no_token() -> None:
    """C27."""
    assert reason(tool_id="pay") == "invalid_token"


@pytest.mark.parametrize(
    ("profile", "claim", "value"),
    [
        (OKTA, "scp", ["tool.filesystem:read:/data"]),
        (AZURE, "roles", ["tool.filesystem:read:/data"]),
        (AZURE, "scp", "tool.filesystem:read:/data other"),
    ],
)
def test_scopes_stand_where_the_provider_puts_them(profile: Profile, claim: str, value: Any) -> None:
    """C30."""
    payload = {
        "iss": ISSUER,
        "aud": "https://gateway.example",
        "exp": NOW + 60,
        claim: value,
        **{f"etdi_{name}": text for name, text in TOOL.claims().items()},
    }
    found = validate_payload(
        payload, TOOL, profile=profile, issuers=(ISSUER,), audience="https://gateway.example", now=NOW
    )
    assert found.valid, found

"""What an ETDI block is worth: one fixture for each code of the design, and the shape of the result."""

from __future__ import annotations

import base64
import json
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.catalog.tool import ETDI_META_KEY
from gateway.inspector.analysis import Options, ToolAnalysis, analyze_tool
from gateway.inspector.etdi_codes import ETDI_CODES
from gateway.inspector.finding import Severity
from tests.support.keys import SigningKey
from tests.support.tool_tokens import NOW, Bench, token, wire

JSON: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)
MEMBERS = (
    *("name", "title", "description", "inputSchema", "outputSchema", "annotations", "_meta", "security"),
    *("oauth", "permissions", "provider", "id", "version", "signature", "etdiStatus", ETDI_META_KEY),
)
WIRES: Any = st.dictionaries(st.sampled_from(MEMBERS), JSON, max_size=8)
"""What looks like a definition, and holds anything."""


def carrying(**claims: Any) -> dict[str, Any]:
    """A tool with a good token but for these claims."""
    return wire(oauth={"token": token(**claims), "provider": "idp"})


async def analysed(made: dict[str, Any], *, detailed: bool = True, validate: bool = True) -> ToolAnalysis:
    """With the verifier of the bench."""
    options = Options(detailed_analysis=detailed, validate_tokens=validate)
    return await analyze_tool(made, now=NOW, options=options, verifier=Bench().verifier)


def codes(analysis: ToolAnalysis) -> dict[str, str]:
    """Code -> severity."""
    return {one.code: str(one.severity) for one in analysis.findings}


async def test_a_good_tool_has_nothing_against_it() -> None:
    """The control: verified, and then only are its claims called so."""
    analysis = await analysed(carrying())
    assert analysis.findings == ()
    assert analysis.oauth_analysis is not None
    assert (analysis.oauth_analysis.token_valid, analysis.oauth_analysis.claims) == (True, "verified")


async def test_the_shape_of_the_result() -> None:
    """R127: these members, in these spellings."""
    document = msgspec.to_builtins(await analysed(carrying()))
    assert set(document) == {
        *("id", "name", "version", "providerId", "providerName"),
        *("securityFindings", "permissionAnalysis", "oauthAnalysis"),
    }
    assert (document["id"], document["version"]) == ("bank.pay", "1.0.0")
    assert (document["providerId"], document["providerName"]) == ("bank", "The Bank")
    assert set(document["permissionAnalysis"]) == {"count", "excessivePermissions", "findings"}
    assert set(document["oauthAnalysis"]) >= {
        *("tokenValid", "tokenExpiry", "issuer", "subject", "audience", "scopes"),
        *("toolId", "toolVersion", "findings"),
    }
    assert document["oauthAnalysis"]["tokenExpiry"] == "2027-01-15T08:50:00Z"


BARE = {"name": "pay", "inputSchema": {"type": "object"}}


def unsigned(algorithm: str) -> str:
    """A token that says it is signed so, over good claims."""
    head = (
        base64.urlsafe_b64encode(json.dumps({"alg": algorithm, "typ": "etdi+jwt"}).encode())
        .rstrip(b"=")
        .decode()
    )
    return f"{head}.{token().split('.')[1]}.AAAA"


STRUCTURE = [
    (BARE, "MISSING_SECURITY", "HIGH"),
    ({**BARE, "security": {}}, "MISSING_OAUTH", "HIGH"),
    (wire(signature="AAAA"), "MISSING_OAUTH", "HIGH"),
    (wire(oauth={"provider": "idp"}), "MISSING_TOKEN", "HIGH"),
    (wire(oauth={"provider": "idp", "token": 7}), "MISSING_TOKEN", "HIGH"),
    (wire(oauth={"token": token()}), "MISSING_PROVIDER", "HIGH"),
    (carrying(exp=int(NOW) - 1), "TOKEN_EXPIRED", "HIGH"),
    (carrying(tool_id="other"), "TOOL_ID_MISMATCH", "HIGH"),
    (carrying(tool_id=None), "TOOL_ID_MISMATCH", "HIGH"),
    (carrying(tool_version="1.0.1"), "TOOL_VERSION_MISMATCH", "MEDIUM"),
    (wire(oauth={"token": "a.b", "provider": "idp"}), "ANALYSIS_ERROR", "HIGH"),
    (wire(oauth={"token": "bm8.bm8.bm8", "provider": "idp"}), "ANALYSIS_ERROR", "HIGH"),
    (wire(permissions=None), "NO_PERMISSIONS", "LOW"),
    (wire(permissions=["admin"]), "BROAD_PERMISSIONS", "MEDIUM"),
    (wire(permissions=["files:*"]), "BROAD_PERMISSIONS", "MEDIUM"),
    (wire(permissions=["files:all"]), "BROAD_PERMISSIONS", "MEDIUM"),
    (wire(version="1"), "INVALID_DEFINITION", "HIGH"),
    ({"name": "pay"}, "INVALID_DEFINITION", "HIGH"),
    (wire(oauth={"token": token(), "provider": "idp"}, id=None), "MISSING_ID", "MEDIUM"),
    (wire(oauth={"token": token(), "provider": "idp"}, version=None), "MISSING_VERSION", "MEDIUM"),
    (wire(oauth={"token": token(), "provider": "idp"}, provider=None), "MISSING_TOOL_PROVIDER", "MEDIUM"),
    (wire(verificationStatus="verified"), "SELF_DECLARED_STATUS", "MEDIUM"),
    (carrying(exp=None), "TOKEN_WITHOUT_EXPIRY", "HIGH"),
    (carrying(exp="soon"), "TOKEN_WITHOUT_EXPIRY", "HIGH"),
    (carrying(exp=int(NOW) + 10**6), "TOKEN_LIVES_LONG", "MEDIUM"),
    (carrying(aud=["a", "b"]), "TOKEN_WITHOUT_AUDIENCE", "MEDIUM"),
    (carrying(scope="tool:bank:read"), "TOKEN_SCOPE_MISSING", "MEDIUM"),
    (carrying(etdi_tool_id="other"), "CLAIMS_CONTRADICT", "HIGH"),
    (wire(oauth={"token": unsigned("none"), "provider": "idp"}), "TOKEN_ALGORITHM_UNSAFE", "HIGH"),
    (wire(oauth={"token": unsigned("HS256"), "provider": "idp"}), "TOKEN_ALGORITHM_UNSAFE", "HIGH"),
]


def test_the_fixtures_are_for_every_code() -> None:
    """But for the two that only a verifier can say; those have tests of their own."""
    assert {code for _, code, _ in STRUCTURE} | {"TOKEN_INVALID", "VALIDATION_ERROR"} == set(ETDI_CODES)


@pytest.mark.parametrize(("made", "code", "severity"), STRUCTURE)
async def test_each_code(made: dict[str, Any], code: str, severity: str) -> None:
    """R128-R131: the code, its severity, and a remedy."""
    analysis = await analysed(made, detailed=False)
    assert codes(analysis).get(code) == severity
    assert all(one.remedy and one.message for one in analysis.findings)


@pytest.mark.parametrize("made", [BARE, {**BARE, "security": {}}])
async def test_without_oauth_the_analysis_ends_there(made: dict[str, Any]) -> None:
    """R128: the early return."""
    analysis = await analysed(made)
    assert len(analysis.security_findings) == 1
    assert analysis.oauth_analysis is None


async def test_a_token_of_another_key_is_invalid() -> None:
    """TOKEN_INVALID is the verifier's word, and the claims stay what they were: decoded."""
    forged = wire(oauth={"token": token(SigningKey("ES256", "key-1")), "provider": "idp"})
    analysis = await analysed(forged)
    assert codes(analysis) == {"TOKEN_INVALID": "HIGH"}
    assert analysis.oauth_analysis is not None
    assert (analysis.oauth_analysis.token_valid, analysis.oauth_analysis.claims) == (
        False,
        "decoded, not verified",
    )
    # Without the detailed analysis nobody tried; it is not valid then, either.
    shallow = (await analysed(forged, detailed=False)).oauth_analysis
    assert shallow is not None
    assert (shallow.findings, shallow.token_valid, shallow.token_checked) == ((), False, False)


async def test_what_cannot_be_checked_is_no_invalid_token() -> None:
    """VALIDATION_ERROR: nobody here trusts an issuer, so that nobody knows."""
    analysis = await analyze_tool(carrying(), now=NOW)
    assert codes(analysis) == {"VALIDATION_ERROR": "HIGH"}
    assert analysis.oauth_analysis is not None
    assert not analysis.oauth_analysis.token_checked


async def test_tokens_are_not_looked_at_where_nobody_wants_it() -> None:
    """``validate_tokens`` off."""
    assert (await analysed(carrying(exp=1), validate=False)).oauth_analysis is None


async def test_no_part_of_a_token_is_in_the_result() -> None:
    """C55: whoever reads a report must not hold the token."""
    jwt = token(tool_id="other")
    document = msgspec.json.encode(await analysed(wire(oauth={"token": jwt, "provider": "idp"}))).decode()
    assert not any(part in document for part in jwt.split("."))


async def test_words_of_the_definition_are_made_visible() -> None:
    """Attack: claims that write on the terminal of whoever reads the report."""
    analysis = await analysed(carrying(sub="\x1b[2J\u202eevil", tool_id="\x1b]0;x\x07"), detailed=False)
    said = msgspec.json.encode(analysis).decode()
    assert "\\u001b" not in said
    assert "<U+001B>[2J<U+202E>evil" in said


@given(WIRES)
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
async def test_it_never_raises(made: dict[str, Any]) -> None:
    """Whatever a server calls a definition."""
    analysis = await analyze_tool(made, now=NOW)
    assert all(isinstance(one.severity, Severity) for one in analysis.findings)
    msgspec.json.encode(analysis)

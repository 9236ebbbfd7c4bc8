"""Protected resource metadata and challenges."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.identity.metadata import (
    canonical_resource,
    metadata_path,
    metadata_url,
    protected_resource_metadata,
    www_authenticate,
)

RESOURCE = "https://gateway.example/mcp/paypal"


def test_the_document_says_where_tokens_come_from() -> None:
    """RFC 9728 section 2, whole document."""
    document = protected_resource_metadata(
        resource=RESOURCE,
        authorization_servers=["https://idp.example/"],
        scopes_supported=["tools:list", "tools:call", "tools:list"],
        resource_name="Countersign",
        resource_documentation="https://docs.example/",
    )
    assert document == {
        "resource": RESOURCE,
        "authorization_servers": ["https://idp.example/"],
        "bearer_methods_supported": ["header"],
        "scopes_supported": ["tools:list", "tools:call"],
        "resource_name": "Countersign",
        "resource_documentation": "https://docs.example/",
    }


def test_what_is_not_known_is_not_in_the_document() -> None:
    """RFC 9728 section 3.2: members without a value are left out."""
    document = protected_resource_metadata(resource=RESOURCE, authorization_servers=["https://idp.example"])
    assert set(document) == {"resource", "authorization_servers", "bearer_methods_supported"}


def test_the_document_lives_at_the_well_known_path_of_the_resource() -> None:
    """RFC 9728 section 3.1: well-known before the path, for a resource with and without one."""
    assert metadata_path(RESOURCE) == "/.well-known/oauth-protected-resource/mcp/paypal"
    assert metadata_url(RESOURCE) == "https://gateway.example/.well-known/oauth-protected-resource/mcp/paypal"
    assert metadata_url("http://127.0.0.1:8080") == (
        "http://127.0.0.1:8080/.well-known/oauth-protected-resource"
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"authorization_servers": []},
        {"authorization_servers": ["http://idp.example"]},
        {"scopes_supported": ["offline_access"]},
        {"scopes_supported": ["two scopes"]},
        {"resource": "https://gateway.example/mcp/"},
    ],
)
def test_an_unusable_document_is_not_built(wrong: dict[str, object]) -> None:
    """At start, not when the first client trips over it."""
    settings = {"resource": RESOURCE, "authorization_servers": ["https://idp.example"], **wrong}
    with pytest.raises(ValueError, match=r"."):
        protected_resource_metadata(**settings)  # type: ignore[arg-type]  # wrong on purpose


@pytest.mark.parametrize(
    "url",
    ["https://gateway.example/", "https://Gateway.example/mcp", "https://gateway.example/mcp?x=1", "gateway"],
)
def test_a_resource_has_one_spelling(url: str) -> None:
    """Audiences are compared byte for byte, so the configured URL must be the canonical one."""
    with pytest.raises(ValueError, match=r"."):
        canonical_resource(url)


def test_a_first_request_gets_a_bare_challenge() -> None:
    """RFC 6750 section 3.1: no error code when no token came."""
    challenge = www_authenticate(None, resource_metadata=metadata_url(RESOURCE), scope=["a", "b"])
    assert challenge == (
        'Bearer scope="a b", '
        'resource_metadata="https://gateway.example/.well-known/oauth-protected-resource/mcp/paypal"'
    )
    assert www_authenticate(None, resource_metadata=None) == "Bearer"


def test_a_step_up_names_all_scopes_at_once() -> None:
    """MCP basic/authorization, step-up."""
    challenge = www_authenticate(
        "insufficient_scope", resource_metadata=None, scope=["a", "b", "a"], description="More scopes needed."
    )
    assert (
        challenge == 'Bearer error="insufficient_scope", error_description="More scopes needed.", scope="a b"'
    )


@given(st.text(max_size=300))
def test_no_description_escapes_its_quotes(description: str) -> None:
    """Whatever the text: one header line, and the quotes are where they were put."""
    challenge = www_authenticate("invalid_token", resource_metadata=None, description=description)
    assert re.fullmatch(
        r'Bearer error="invalid_token"(, error_description="[\x20\x21\x23-\x5b\x5d-\x7e]*")?', challenge
    )
    assert len(challenge) < 300


@pytest.mark.parametrize("scope", ['a"', "a\\", "a b", "", "a\r\nX: y", "é"])
def test_a_scope_that_would_break_the_header_is_refused(scope: str) -> None:
    """Scopes come from configuration and policy, so this is a mistake to be told about."""
    with pytest.raises(ValueError, match="scope"):
        www_authenticate(None, resource_metadata=None, scope=[scope])


def test_a_metadata_url_that_would_break_the_header_is_refused() -> None:
    """Same for the URL."""
    with pytest.raises(ValueError, match="URL"):
        www_authenticate(None, resource_metadata='https://gateway.example/"x')

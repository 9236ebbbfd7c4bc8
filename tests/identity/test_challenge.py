"""What refused callers are told."""

from __future__ import annotations

import msgspec

from gateway.errors import Forbidden
from gateway.identity.challenge import Access, InsufficientScope
from gateway.identity.errors import Code, CredentialRefused

BASE = "https://gateway.example/.well-known/oauth-protected-resource/mcp"
ACCESS = Access(
    metadata={"": BASE, "one": BASE + "/one"},
    scopes=("pay",),
    algorithms=("ES256",),
    names={"https://a.example": None, "https://b.example": {"pay": "ext:pay"}},
    nonce=lambda: "n",
)


def said(access: Access, error: Exception, server: str = "") -> list[str]:
    """The fields as text."""
    fields = access.challenge(error, server)  # type: ignore[arg-type]
    return [f"{name.decode()}: {value.decode()}" for name, value in fields]


def test_no_token() -> None:
    """Both schemes, no error, and the metadata of the very server."""
    where = f'scope="pay", resource_metadata="{BASE}/one"'
    assert said(ACCESS, CredentialRefused(Code.TOKEN_MISSING), "one") == [
        f"www-authenticate: Bearer {where}",
        f'www-authenticate: DPoP {where}, algs="ES256"',
    ]


def test_a_bound_token_without_proof_gets_the_dpop_challenge_alone() -> None:
    """Sent after a bearer token, a client would never bring a proof."""
    fields = said(ACCESS, CredentialRefused(Code.PROOF_NONCE))
    assert fields[0].startswith('www-authenticate: DPoP error="use_dpop_nonce"')
    assert fields[1:] == ["dpop-nonce: n"]


def test_other_errors_are_no_challenge() -> None:
    """A wrong Origin is not cured by a token."""
    assert said(ACCESS, Forbidden("no")) == []


def test_insufficient_scope_names_all_scopes() -> None:
    """At once (MCP step-up), in each scheme that is taken; where tokens must be bound, never as Bearer."""
    wanted = f'error="insufficient_scope", scope="a b", resource_metadata="{BASE}"'
    bearer, dpop = f"www-authenticate: Bearer {wanted}", f'www-authenticate: DPoP {wanted}, algs="ES256"'
    error = InsufficientScope(["a", "b"])
    assert said(ACCESS, error) == [bearer, dpop]
    assert said(msgspec.structs.replace(ACCESS, bound_only=True), error) == [dpop]
    assert said(msgspec.structs.replace(ACCESS, algorithms=()), error) == [bearer]


def test_scopes_are_asked_for_by_the_issuers_name() -> None:
    """What the issuer cannot grant is not asked for; who has a static token is not sent anywhere."""
    plain, mapped = ACCESS.step_up("https://a.example", ["pay"]), ACCESS.step_up("https://b.example", ["pay"])
    assert plain is not None
    assert plain.scopes == ("pay",)
    assert mapped is not None
    assert mapped.scopes == ("ext:pay",)
    assert ACCESS.step_up("https://b.example", ["pay", "other"]) is None
    assert ACCESS.step_up("urn:countersign:static", ["pay"]) is None
    assert ACCESS.step_up("https://a.example", []) is None

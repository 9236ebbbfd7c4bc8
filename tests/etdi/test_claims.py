"""Claims in the spellings of each kind of issuer (C27, C29, C30)."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.etdi.claims import MAX_SCOPES, check_claims
from gateway.etdi.errors import EtdiCode, NotVerified
from tests.support.tool_tokens import NOW, claims, issuer, tool

TENANT = "11111111-2222-3333-4444-555555555555"
V1, V2 = f"https://sts.windows.net/{TENANT}/", f"https://login.microsoftonline.com/{TENANT}/v2.0"


def spelt(prefix: str, **members: Any) -> dict[str, Any]:
    """The tool's claims under a prefix."""
    plain = {"tool_id": None, "tool_version": None, "tool_provider": None, "scope": None}
    prefixed = {
        f"{prefix}tool_id": "bank.pay",
        f"{prefix}tool_version": "1.0.0",
        f"{prefix}tool_provider": "bank",
    }
    return claims(**{**plain, **prefixed, **members})


SCOPES = "tool:bank:pay tool:bank:read"
DOTTED = ["tool.bank:pay", "tool.bank:read"]
FIT: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "custom, plain": ({}, claims()),
    "custom, under Auth0's namespace": ({}, spelt("https://etdi.tools/", scope=SCOPES)),
    "auth0, its namespace": ({"profile": "auth0"}, spelt("https://etdi.tools/", scope=SCOPES)),
    "auth0, plain (LLD-B 13.2)": ({"profile": "auth0"}, claims()),
    "okta": ({"profile": "okta"}, spelt("etdi_", scp=DOTTED)),
    "okta, canonical scopes": ({"profile": "okta"}, spelt("etdi_", scp=SCOPES.split())),
    "okta, plain claims": ({"profile": "okta"}, claims(scope=" ".join(DOTTED))),
    "azure v1, roles": (
        {"profile": "azure", "issuer": V1},
        spelt("etdi_", iss=V1, tid=TENANT, roles=SCOPES.split()),
    ),
    "azure v2, roles and delegated": (
        {"profile": "azure", "issuer": V2},
        spelt("etdi_", iss=V2, tid=TENANT, roles=["tool:bank:pay"], scp="tool.bank:read"),
    ),
    "mapped by the operator": (
        {"scope_map": {"payments": "bank:pay", "accounts.read": "bank:read"}},
        claims(scope="payments accounts.read"),
    ),
}


@pytest.mark.parametrize(("trusted", "said"), FIT.values(), ids=FIT)
def test_each_kind_of_issuer(trusted: dict[str, Any], said: dict[str, Any]) -> None:
    """Its own spelling, and the end of the token."""
    assert check_claims(said, tool(), issuer(**trusted), now=NOW) == said["exp"]


MISFIT: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "okta's issuer, auth0's claims": ({"profile": "okta"}, spelt("https://etdi.tools/", scp=DOTTED)),
    "azure, scopes in scope": (
        {"profile": "azure", "issuer": V2},
        spelt("etdi_", iss=V2, tid=TENANT, scope=SCOPES),
    ),
    "auth0's issuer, okta's claims": ({"profile": "auth0"}, spelt("etdi_", scope=SCOPES)),
    "auth0's issuer, okta's scopes": ({"profile": "auth0"}, claims(scope=" ".join(DOTTED))),
    "azure, another tenant": (
        {"profile": "azure", "issuer": V2},
        spelt("etdi_", iss=V2, tid=TENANT.replace("1", "9"), roles=SCOPES.split()),
    ),
    "azure, no tenant": ({"profile": "azure", "issuer": V2}, spelt("etdi_", iss=V2, roles=SCOPES.split())),
    "azure, v1 for v2": (
        {"profile": "azure", "issuer": V2},
        spelt("etdi_", iss=V1, tid=TENANT, roles=SCOPES),
    ),
    "a scope that the operator maps elsewhere": (
        {"scope_map": {"tool:bank:pay": "bank:look"}},
        claims(),
    ),
    "too many scopes": ({}, claims(scope=["x"] * (MAX_SCOPES + 1))),
    "no hash where one is demanded": ({"require_definition_hash": True}, claims()),
}


@pytest.mark.parametrize(("trusted", "said"), MISFIT.values(), ids=MISFIT)
def test_another_kinds_spelling_is_no_claim(trusted: dict[str, Any], said: dict[str, Any]) -> None:
    """Attack: a claim that this issuer lets anybody set, in the spelling of another."""
    with pytest.raises(NotVerified):
        check_claims(said, tool(), issuer(**trusted), now=NOW)


def test_a_path_with_colons_stays_whole() -> None:
    """``filesystem:read:/a:b`` is one permission (C29)."""
    definition = tool(permissions=["filesystem:read:/a:b"])
    check_claims(claims(scope="tool:filesystem:read:/a:b"), definition, issuer(), now=NOW)
    for scope in ("tool:filesystem:read:/a", "tool:filesystem:read", "tool:fs:read:/a:b"):
        with pytest.raises(NotVerified) as problem:
            check_claims(claims(scope=scope), definition, issuer(), now=NOW)
        assert problem.value.code is EtdiCode.TOKEN_INSUFFICIENT_SCOPE


def test_a_definitions_own_word_on_scopes_counts_for_nothing() -> None:
    """Attack: the permission ``admin`` with the scope ``tool:bank:read`` (R064)."""
    definition = tool(permissions=[{"name": "admin", "scope": "tool:bank:read"}])
    with pytest.raises(NotVerified) as problem:
        check_claims(claims(), definition, issuer(), now=NOW)
    assert problem.value.details == {"missingPermissions": ["admin"]}


def test_the_definitions_hash_binds_where_it_is_said() -> None:
    """It is optional unless the operator demands it."""
    definition = tool()
    for trusted in (issuer(), issuer(require_definition_hash=True)):
        check_claims(claims(definition_hash=definition.definition_hash), definition, trusted, now=NOW)


def test_a_tool_without_permissions_needs_no_scope() -> None:
    """It asks for nothing."""
    check_claims(claims(scope=None), tool(permissions=None), issuer(), now=NOW)


@pytest.mark.parametrize("ago", [0, 1, 10_000])
def test_an_expired_token_is_refused_here_too(ago: int) -> None:
    """The first look, which reads what nobody verified, is not what this rests on; and there is no leeway (C43)."""
    with pytest.raises(NotVerified) as problem:
        check_claims(claims(exp=int(NOW) - ago), tool(), issuer(), now=NOW)
    assert (problem.value.code, problem.value.text) == (EtdiCode.TOKEN_EXPIRED, "Token expired")
    check_claims(claims(exp=int(NOW) + 1), tool(), issuer(), now=NOW)

"""The trust chain: eight rows, and issuers that only look like the trusted one (R135, R136, C18)."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings

from gateway.etdi.trust import Trust
from gateway.inspector.chain import verify_trust_chain
from tests.inspector.test_analysis import WIRES
from tests.support.keys import SigningKey
from tests.support.tool_tokens import ISSUER, Bench, issuer, token, wire

BAD_KEY = SigningKey("ES256", "key-1")
TRUST = Trust([issuer()])


def tool(*, provider: bool, named: bool, good: bool) -> dict[str, Any]:
    """Provider trusted, OAuth provider trusted, token good."""
    jwt = token() if good else token(BAD_KEY)
    return wire(
        oauth={"token": jwt, "provider": "idp" if named else "https://elsewhere.example/"},
        provider={"id": "bank" if provider else "mallory"},
    )


@pytest.mark.parametrize(
    ("provider", "named", "good", "overall"),
    [
        (True, True, True, "trusted"),
        (True, True, False, "partially-trusted"),
        (True, False, True, "untrusted"),
        (True, False, False, "untrusted"),
        (False, True, True, "untrusted"),
        (False, True, False, "untrusted"),
        (False, False, True, "untrusted"),
        (False, False, False, "untrusted"),
    ],
)
async def test_the_truth_table(provider: bool, named: bool, good: bool, overall: str) -> None:  # noqa: FBT001
    """R135."""
    made = tool(provider=provider, named=named, good=good)
    chain = await verify_trust_chain(made, TRUST, verifier=Bench().verifier)
    assert chain.overall_trust == overall
    assert chain.provider.trusted is provider
    assert chain.oauth is not None
    assert chain.oauth.provider_trusted is named
    assert chain.oauth.trusted is (overall == "trusted")


@pytest.mark.parametrize("oauth", [None, {"provider": "idp"}, {"token": token()}])
async def test_without_oauth_it_is_untrusted(oauth: Any) -> None:
    """Half of it is none of it."""
    chain = await verify_trust_chain(wire(oauth=oauth), TRUST, verifier=Bench().verifier)
    assert (chain.oauth, chain.overall_trust) == (None, "untrusted")


async def test_the_shape_of_the_result() -> None:
    """R135: these members, in these spellings."""
    made = tool(provider=True, named=True, good=True)
    document = msgspec.to_builtins(await verify_trust_chain(made, TRUST, verifier=Bench().verifier))
    assert document == {
        "tool": {"id": "bank.pay", "name": "pay", "version": "1.0.0"},
        "provider": {"id": "bank", "name": None, "trusted": True},
        "oauth": {
            "provider": "idp",
            "providerTrusted": True,
            "issuer": ISSUER,
            "issuerValid": True,
            "signatureValid": True,
            "trusted": True,
            "error": None,
        },
        "overallTrust": "trusted",
    }


@pytest.mark.parametrize(
    "claimed",
    [
        "https://idp.example.com",
        "https://idp.example.com/x",
        "https://idp.example.com.attacker.example/",
        "https://attacker.example/?https://idp.example.com/",
        "HTTPS://IDP.EXAMPLE.COM/",
        "https://other.idp.example.com/",
    ],
)
async def test_an_issuer_that_is_nearly_the_trusted_one_is_nobody(claimed: str) -> None:
    """C18: exact, though the key is the trusted one's."""
    made = wire(oauth={"token": token(iss=claimed), "provider": "idp"})
    chain = await verify_trust_chain(made, TRUST, verifier=Bench().verifier)
    assert chain.oauth is not None
    assert (chain.oauth.issuer_valid, chain.oauth.signature_valid) == (False, False)
    assert chain.overall_trust == "partially-trusted"


@pytest.mark.parametrize("claims", [{"tool_id": "other"}, {"exp": 1}, {"scope": "tool:bank:read"}])
async def test_a_signed_token_for_something_else_makes_no_trusted_tool(claims: dict[str, Any]) -> None:
    """Attack: a token copied from another tool of the same provider."""
    made = wire(oauth={"token": token(**claims), "provider": "idp"})
    chain = await verify_trust_chain(made, TRUST, verifier=Bench().verifier)
    assert chain.overall_trust == "partially-trusted"
    assert chain.oauth is not None
    assert chain.oauth.error
    assert chain.oauth.signature_valid is ("exp" not in claims)  # what has ended is not looked at further


@given(WIRES)
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
async def test_it_never_raises(made: dict[str, Any]) -> None:
    """Whatever a server calls a definition."""
    assert (await verify_trust_chain(made, TRUST, verifier=None)).overall_trust in {"untrusted", "unknown"}

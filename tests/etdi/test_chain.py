"""Overall trust needs a trusted provider, a trusted issuer that is really its own, and a token that verified."""

from __future__ import annotations

import msgspec
import pytest

from gateway.etdi.chain import trust_chain
from tests.support.keys import SigningKey
from tests.support.tool_tokens import ISSUER, Bench, claims, token, tool

FORGED = SigningKey("ES256", "key-1").sign(claims())
WRONG = token(tool_id="other")
EVIL = token(iss="https://evil.example.com/")

TABLE = [
    # provider, OAuth provider, token -> providerTrusted, issuerValid, signatureValid, trusted, overall
    ("bank", "idp", token(), (True, True, True, True), "trusted"),
    ("bank", ISSUER, token(), (True, True, True, True), "trusted"),
    ("bank", "idp", FORGED, (True, True, False, False), "partially-trusted"),
    ("bank", "idp", WRONG, (True, True, True, False), "partially-trusted"),
    ("bank", "idp", EVIL, (True, False, False, False), "partially-trusted"),
    ("bank", "idp", "x.y.z", (True, False, False, False), "partially-trusted"),
    ("bank", "auth0.com", token(), (False, False, False, False), "untrusted"),
    ("mallory", "idp", token(), (True, True, False, False), "untrusted"),
]


@pytest.mark.parametrize(("provider", "named", "jwt", "expected", "overall"), TABLE)
async def test_the_table(
    provider: str, named: str, jwt: str, expected: tuple[bool, bool, bool, bool], overall: str
) -> None:
    """Eight rows of R135, with the issuer compared as a whole (R136)."""
    definition = tool(jwt, provider={"id": provider}, oauth={"token": jwt, "provider": named})
    bench = Bench()
    chain = trust_chain(definition, await bench.verdict(definition), bench.trust)
    assert chain.oauth is not None
    said = chain.oauth
    assert (said.provider_trusted, said.issuer_valid, said.signature_valid, said.trusted) == expected
    assert chain.overall_trust == overall
    assert chain.provider.trusted == (provider == "bank")


async def test_without_a_token_there_is_no_trust() -> None:
    """Nor where nobody is named who issued it; a tool without a provider has none that is trusted."""
    bench = Bench()
    for oauth in (None, {"provider": "idp"}, {"token": token()}):
        definition = tool("", oauth=oauth)
        chain = trust_chain(definition, await bench.verdict(definition), bench.trust)
        assert (chain.oauth, chain.overall_trust) == (None, "untrusted")
    nobodys = tool(provider=None)
    assert not trust_chain(nobodys, await bench.verdict(nobodys), bench.trust).provider.trusted


async def test_its_members() -> None:
    """As the design names them."""
    bench = Bench()
    made = msgspec.to_builtins(trust_chain(tool(), await bench.verdict(tool()), bench.trust))
    assert set(made) == {"tool", "provider", "oauth", "overallTrust"}
    assert made["tool"] == {"id": "bank.pay", "name": "pay", "version": "1.0.0"}
    assert made["provider"] == {"id": "bank", "name": "The Bank", "trusted": True}
    assert set(made["oauth"]) == {
        *("provider", "providerTrusted", "issuer", "issuerValid", "signatureValid", "trusted", "error")
    }

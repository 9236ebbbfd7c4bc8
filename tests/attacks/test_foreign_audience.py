"""Foreign audience: a token that its issuer signed for another service, or for another server behind the gateway."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.identity.static import STATIC_ISSUER
from gateway.settings.model import Hidden, IdentitySettings, IssuerSettings
from tests.support.answers import codes_of
from tests.support.house import House, running_house
from tests.support.issuer_server import IssuerServer, answer, running_issuer
from tests.support.oauth import ISSUER, challenges, proof_for, read, resource, shown, token_for, trusting
from tests.support.traces import Trace


@pytest.fixture(scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """A gateway that trusts one issuer."""
    folder: Path = tmp_path_factory.mktemp("audience")
    async with running_house(folder, identity=trusting(folder)) as running:
        yield running


@pytest.mark.parametrize("era", ["modern", "legacy"])
@pytest.mark.parametrize(
    "audience",
    ["https://api.paypal.com", "https://other.example/mcp", ISSUER, [], ["https://other.example/mcp"], None],
)
async def test_for_another_service(house: House, audience: Any, era: str) -> None:
    """The signature, the issuer and the time are right; the token is not ours."""
    trace = Trace(house)
    refused = await read(house, shown(token_for(house, bound=False, aud=audience)), era=era)
    assert refused.status_code == 401
    assert codes_of(refused.json())[0] in ("identity.audience_mismatch", "identity.token_invalid")
    assert all('error="invalid_token"' in one for one in challenges(refused)[:1])
    trace.refused_unseen("identity.audience_mismatch", "identity.token_invalid")


@pytest.mark.parametrize("spelling", ["/", "?a=1", "#a", "/paypal", "/../mcp", "x"])
async def test_for_nearly_this_gateway(house: House, spelling: str) -> None:
    """Audiences are compared byte for byte (RFC 8707): another spelling is another service."""
    trace = Trace(house)
    refused = await read(house, shown(token_for(house, bound=False, aud=resource(house) + spelling)))
    assert refused.status_code == 401
    trace.refused_unseen("identity.audience_mismatch")


async def test_for_one_server_behind_the_gateway_and_used_at_another(house: House) -> None:
    """A token for ``/mcp/paypal`` is good there, and not at ``/mcp``, where all servers are."""
    token = token_for(house, bound=False, aud=resource(house, "paypal"))
    assert (await read(house, shown(token), server="paypal")).status_code == 200
    for server in ("", "elsewhere"):
        trace = Trace(house)
        assert (await read(house, shown(token), server=server)).status_code == 401
        trace.refused_unseen("identity.audience_mismatch")


async def test_a_good_proof_does_not_mend_it(house: House) -> None:
    """Possession of the key says who sends the token, not whom it was made for."""
    token = token_for(house, aud="https://other.example/mcp")
    trace = Trace(house)
    assert (await read(house, shown(token, proof_for(house, token)))).status_code == 401
    trace.refused_unseen("identity.audience_mismatch")


@pytest.mark.parametrize("issuer", ["https://idp.example/", "https://evil.example", STATIC_ISSUER, ""])
async def test_of_another_issuer(house: House, issuer: str) -> None:
    """Who the issuer is, is compared byte for byte too."""
    trace = Trace(house)
    refused = await read(house, shown(token_for(house, bound=False, iss=issuer)))
    assert refused.status_code == 401
    trace.refused_unseen("identity.issuer_unknown", "identity.token_invalid")


async def test_an_opaque_token_for_another_service(tmp_path: Path) -> None:
    """The issuer says that it is active, and for whom: not for us."""
    async with running_issuer() as issuer, running_house(tmp_path, identity=_asking(issuer)) as house:
        said = {"active": True, "sub": "alice", "exp": int(time.time()) + 600, "roles": ["agent"]}
        foreign = {**said, "aud": "https://other.example/mcp"}
        issuer.routes["/introspect"] = answer(json.dumps(foreign).encode())
        trace = Trace(house)
        refused = await read(house, shown("an-opaque-token-for-another"))
        assert refused.status_code == 401
        trace.refused_unseen("identity.token_invalid", "identity.audience_mismatch")
        issuer.routes["/introspect"] = answer(json.dumps({**said, "aud": resource(house)}).encode())
        assert (await read(house, shown("an-opaque-token-for-us-alone"))).status_code == 200


def _asking(issuer: IssuerServer) -> IdentitySettings:
    return IdentitySettings(
        issuers=(
            IssuerSettings(
                issuer=issuer.url,
                role_claim=("roles",),
                introspection_url=f"{issuer.url}/introspect",
                introspection_client_id="gateway",
                introspection_client_secret=Hidden("unsafe-secret-of-the-gateway"),
            ),
        )
    )

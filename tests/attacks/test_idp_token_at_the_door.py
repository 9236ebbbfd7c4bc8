"""A tool's token is published with the tool. Whoever copies it from there opens no door with it (C55)."""

from pathlib import Path

import pytest

from gateway.identity_provider import shelves_of
from gateway.idp.provider import About, Status
from gateway.settings.idp_model import IdpSettings
from gateway.settings.model import IdentitySettings, IssuerSettings
from tests.support.calls import READ as READ_PAGE
from tests.support.house import House, running_house
from tests.support.idp import READ, unrecorded


async def a_tools_token(house: House) -> str:
    """As its provider gets it from the mounted identity provider."""
    shelves = shelves_of(house.settings, house.gateway.store, now=house.clock)
    made, secret = await shelves.providers.register(
        About(name="Acme"),
        public_key=None,
        status=Status.APPROVED,
        provider_id="acme",
        scopes=(READ,),
        tools=("acme.*",),
        record=unrecorded,
    )
    form = {"grant_type": "client_credentials", "scope": READ, "tool_id": "acme.read", "tool_version": "1"}
    answer = await house.http.post("/idp/token", data=form, auth=(made.client_id, secret))
    assert answer.status_code == 200, answer.text
    token = answer.json()["access_token"]
    assert isinstance(token, str)
    return token


@pytest.mark.parametrize("trusted", [False, True])
async def test_it_is_no_access_token_not_even_where_its_issuer_is_trusted(
    tmp_path: Path,
    trusted: bool,  # noqa: FBT001 - pytest
) -> None:
    """An operator who names the identity provider as an issuer of callers, and takes any type of token, too."""
    async with running_house(
        tmp_path / "a", idp=IdpSettings(mounted=True, folder=str(tmp_path / "keys"))
    ) as house:
        token = await a_tools_token(house)
        jwks = tmp_path / "jwks.json"
        jwks.write_bytes((await house.http.get("/idp/.well-known/jwks.json")).content)
        issuer, audience = f"{house.url}/idp", f"{house.url}/etdi"
        calls = house.paypal_calls
        answer = await house.rpc("tools/call", {"name": "list_invoices", "arguments": READ_PAGE}, token=token)
        assert answer.status_code == 401
        assert token not in answer.text
        assert house.paypal_calls == calls
    if trusted:
        careless = IdentitySettings(
            issuers=(
                IssuerSettings(issuer=issuer, jwks_file=str(jwks), audience=audience, require_at_jwt=False),
            )
        )
        async with running_house(tmp_path / "b", identity=careless) as other:
            answer = await other.rpc(
                "tools/call", {"name": "list_invoices", "arguments": READ_PAGE}, token=token
            )
            assert answer.status_code == 401
            assert other.paypal_calls == 0

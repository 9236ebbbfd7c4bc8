"""A provider with credentials of its own asks for a token in another provider's name. Nothing is issued."""

from pathlib import Path

import pytest

from tests.support.idp import READ, running_idp, tool_claims


@pytest.mark.parametrize("how", ["plain", "json", "header"])
async def test_no_token_speaks_for_a_tool_of_somebody_else(tmp_path: Path, how: str) -> None:
    """By its id, by its provider's name, or both; whatever the rogue's own grant, and however it is spelt."""
    async with running_idp(tmp_path) as idp:
        victim = await idp.client("victim")
        rogue = await idp.client("rogue", scopes=("*",), tools=("*",))
        await idp.token(victim)  # the tool is the victim's from now on
        for claimed in (
            {"tool_id": "victim.read", "tool_provider": "victim"},
            {"tool_id": "victim.read", "tool_provider": "rogue"},
            {"tool_id": "rogue.read", "tool_provider": "victim"},
            {"tool_id": "victim.read"},
        ):
            fields = {**claimed, "tool_version": "1.0.0"}
            form = {"tool_claims": tool_claims(**fields)} if how == "json" else fields
            auth = None if how != "header" else rogue.basic
            answer = await idp.ask(rogue, auth=auth, grant_type="client_credentials", scope=READ, **form)
            assert (answer.status_code, answer.json()["code"]) == (400, "idp.foreign_tool"), claimed
        assert {one.provider for one in await idp.shelves.tokens.all()} == {"victim"}
        refused = [one for one in idp.records() if one["status"] == "refused"]
        assert len(refused) == 4
        assert {one["caller"]["client_id"] for one in refused} == {rogue.provider.client_id}


async def test_no_token_lets_its_own_claims_be_chosen(tmp_path: Path) -> None:
    """Registered claims in the form are nobody's business: they stay what the provider is."""
    async with running_idp(tmp_path) as idp:
        await idp.client("victim")
        rogue = await idp.client("rogue")
        token = await idp.token(
            rogue, sub="victim", iss="https://other", aud="x", client_id_="y", exp="9999999999"
        )
        claims = await idp.verified(token)
        assert (claims["sub"], claims["iss"], claims["tool_provider"]) == ("rogue", idp.url, "rogue")
        assert claims["exp"] - claims["iat"] == 3600

"""What a token says, to whom, and for how long."""

from typing import Any

import jwt
import pytest

from gateway.idp.issuing import Granted
from gateway.idp.key import MAX_LIFETIME_S
from tests.support.idp import AUDIENCE, READ, Client, Idp, running_idp, tool_claims

HASH = "d" * 64


async def test_a_token_says_what_the_verifier_needs_and_nothing_else(idp: Idp, acme: Client) -> None:
    """R118, C32, C55: claims, header and answer, read by PyJWT with the published key."""
    answer = await idp.token_for(acme, definition_hash=HASH)
    body = answer.json()
    assert {name: body[name] for name in ("token_type", "expires_in", "scope")} == {
        "token_type": "Bearer",
        "expires_in": 3600,
        "scope": READ,
    }
    assert answer.headers["cache-control"] == "no-store"
    claims = await idp.verified(body["access_token"])
    issued = claims.pop("iat")
    assert abs(issued - idp.clock()) < 60
    assert claims.pop("exp") == issued + 3600
    assert len(claims.pop("jti")) == 32
    assert claims == {
        "iss": idp.url,
        "sub": "acme",
        "aud": AUDIENCE,
        "scope": READ,
        "client_id": acme.provider.client_id,
        "tool_id": "acme.read",
        "tool_version": "1.0.0",
        "tool_provider": "acme",
        "definition_hash": HASH,
    }
    header = jwt.get_unverified_header(body["access_token"])
    assert header == {"alg": "ES256", "kid": header["kid"], "typ": "etdi+jwt"}


async def test_the_tool_may_stand_in_one_json_field(idp: Idp, acme: Client) -> None:
    """R101, as the source documents send it."""
    claims = tool_claims(tool_id="acme.read", tool_version="2.0.0", tool_provider="acme")
    answer = await idp.ask(acme, grant_type="client_credentials", scope=READ, tool_claims=claims)
    assert (await idp.verified(answer.json()["access_token"]))["tool_version"] == "2.0.0"


async def test_without_a_tool_a_token_is_a_providers_and_no_tools(idp: Idp, acme: Client) -> None:
    """No claim of a tool is in it, not even an empty one."""
    answer = await idp.ask(acme, grant_type="client_credentials")
    claims = await idp.verified(answer.json()["access_token"])
    assert claims["scope"] == ""
    assert not [name for name in claims if name.startswith(("tool_", "definition"))]


@pytest.mark.parametrize(
    ("form", "error", "code"),
    [
        ({"grant_type": "authorization_code"}, "unsupported_grant_type", "idp.unsupported_grant"),
        ({"grant_type": ""}, "unsupported_grant_type", "idp.unsupported_grant"),
        ({"scope": "tool:files:write"}, "invalid_scope", "idp.invalid_scope"),
        ({"scope": f"{READ} tool:files:write"}, "invalid_scope", "idp.invalid_scope"),
        ({"scope": "*"}, "invalid_scope", "idp.invalid_scope"),
        ({"scope": "openid"}, "invalid_scope", "idp.invalid_scope"),
        ({"audience": "https://api-m.paypal.com"}, "invalid_target", "idp.invalid_target"),
        ({"resource": "https://gateway.example/mcp"}, "invalid_target", "idp.invalid_target"),
        ({"tool_provider": "rogue"}, "invalid_request", "idp.foreign_tool"),
        ({"tool_id": "paypal.pay"}, "invalid_request", "idp.foreign_tool"),
        ({"tool_version": ""}, "invalid_request", "idp.invalid_request"),
    ],
)
async def test_what_is_not_granted_is_refused_whole(
    idp: Idp, acme: Client, form: dict[str, str], error: str, code: str
) -> None:
    """C33: nothing is dropped in silence. The refusal is in the audit, and no token is anywhere."""
    answer = await idp.token_for(acme, **form)
    assert answer.status_code == 400
    assert (answer.json()["error"], answer.json()["code"]) == (error, code)
    assert [(one["status"], one["reasons"]) for one in idp.records()] == [("refused", [code])]
    assert idp.records()[0]["caller"]["client_id"] == acme.provider.client_id
    assert await idp.shelves.tokens.all() == []


async def test_all_scopes_by_an_operators_star(idp: Idp) -> None:
    """And even then only those of tools."""
    wide = await idp.client("wide", scopes=("*",))
    assert (await idp.token_for(wide, scope="tool:a:b tool:c")).json()["scope"] == "tool:a:b tool:c"
    assert (await idp.token_for(wide, scope="payments:write")).json()["error"] == "invalid_scope"


async def test_an_issuance_is_recorded_without_the_token(idp: Idp, acme: Client) -> None:
    """R118: id, client, provider, tool, definition; the token and its signature are nowhere."""
    token = await idp.token(acme, definition_hash=HASH)
    claims = await idp.verified(token)
    (record,) = idp.records()
    assert record["transaction_id"] == claims["jti"]
    assert record["reasons"] == ["idp.token_issued"]
    assert record["tool"] == "acme.read@1.0.0"
    assert record["definition_hash"] == HASH
    assert record["caller"] == {
        "issuer": idp.url,
        "subject": "acme",
        "client_id": acme.provider.client_id,
    }
    (kept,) = await idp.shelves.tokens.all()
    assert (kept.jti, kept.scope, kept.tool_id) == (claims["jti"], READ, "acme.read")
    assert token.rpartition(".")[2] not in "".join(
        path.read_text() for path in idp.folder.glob("audit*.jsonl")
    )


async def test_a_token_is_good_for_an_hour_at_most(idp: Idp, acme: Client) -> None:
    """C28: to the second, and no setting makes it longer."""
    token = await idp.token(acme)
    idp.clock.advance(MAX_LIFETIME_S - 5)
    assert await idp.active(acme, token)
    idp.clock.advance(6)
    assert not await idp.active(acme, token)


async def test_a_setting_can_shorten_it(tmp_path: Any) -> None:
    """Answer and claim say the same."""
    async with running_idp(tmp_path, lifetime_seconds=60) as idp:
        answer = await idp.token_for(await idp.client())
        claims = await idp.verified(answer.json()["access_token"])
        assert answer.json()["expires_in"] == claims["exp"] - claims["iat"] == 60


async def test_rs256_where_it_is_configured(tmp_path: Any) -> None:
    """The key set says so, and another library verifies it."""
    async with running_idp(tmp_path, algorithm="RS256") as idp:
        token = await idp.token(await idp.client())
        assert jwt.get_unverified_header(token)["alg"] == "RS256"
        assert (await idp.verified(token))["sub"] == "acme"
        (published,) = (await idp.jwks()).values()
        assert (published["kty"], published["alg"]) == ("RSA", "RS256")
        assert set(published) == {"kty", "n", "e", "kid", "alg", "use"}


async def test_tokens_from_before_and_after_a_rotation_verify_while_they_live(idp: Idp, acme: Client) -> None:
    """C35, over HTTP: at each moment the key set holds the key of each token that lives."""
    before = await idp.token(acme)
    await idp.shelves.keys.rotate(by="ops")
    published = await idp.jwks()
    assert len(published) == 2, "the successor is there before it signs"
    assert jwt.get_unverified_header(await idp.token(acme))["kid"] == jwt.get_unverified_header(before)["kid"]
    idp.clock.advance(idp.settings.idp.propagation_seconds)
    after = await idp.token(acme)
    assert jwt.get_unverified_header(after)["kid"] != jwt.get_unverified_header(before)["kid"]
    for token in (before, after):
        assert await idp.verified(token)
        assert await idp.active(acme, token)
    idp.clock.advance(2 * MAX_LIFETIME_S)
    assert set(await idp.jwks()) == {jwt.get_unverified_header(after)["kid"]}


def test_what_is_granted_does_not_show() -> None:
    """Not in a log."""
    assert "unsafe" not in repr(Granted(access_token="unsafe-token", expires_in=1, scope=""))

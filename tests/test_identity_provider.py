"""The identity provider in a gateway that mounts it, and not in one that does not."""

import asyncio
from pathlib import Path

import httpx
import jwt
import pytest

from gateway.errors import SettingsError
from gateway.identity.credentials import Secret
from gateway.identity.fetch import HttpFetcher
from gateway.identity.introspection import IntrospectionVerifier
from gateway.identity.issuer import TrustedIssuer
from gateway.identity_provider import key_files_of, shelves_of
from gateway.idp.provider import About, Status
from gateway.settings import Settings
from gateway.settings.idp_model import IdpSettings
from tests.support.answers import status_of
from tests.support.calls import READ
from tests.support.gateways import gateways
from tests.support.house import House, running_house
from tests.support.idp import unrecorded

SCOPE = "tool:files:read"
FORM = {"grant_type": "client_credentials", "scope": SCOPE, "tool_id": "acme.read", "tool_version": "1.0.0"}
PATHS = (
    "/idp/token",
    "/idp/.well-known/jwks.json",
    "/idp/health",
    "/.well-known/oauth-authorization-server/idp",
)


async def a_client(house: House) -> tuple[str, str]:
    """Credentials of an approved provider."""
    made, secret = await shelves_of(house.settings, house.gateway.store).providers.register(
        About(name="Acme"),
        public_key=None,
        status=Status.APPROVED,
        provider_id="acme",
        scopes=(SCOPE,),
        tools=("acme.*",),
        record=unrecorded,
    )
    return made.client_id, secret


async def test_unmounted_there_is_nothing(tmp_path: Path) -> None:
    """No address, no key, no folder."""
    async with running_house(tmp_path, idp=IdpSettings(folder=str(tmp_path / "keys"))) as house:
        for path in PATHS:
            assert (await house.http.get(path)).status_code == 404
        assert not (tmp_path / "keys").exists()


async def test_mounted_it_issues_and_the_gateway_goes_on(tmp_path: Path) -> None:
    """A client that follows the metadata finds its way; calls go on as before; records are in the gateway's audit."""
    async with running_house(tmp_path, idp=IdpSettings(mounted=True, folder=str(tmp_path / "keys"))) as house:
        found = (await house.http.get(PATHS[3])).json()
        assert found["issuer"] == f"{house.url}/idp"
        assert (await house.http.get("/idp/health")).json() == {"ready": True}
        answer = await house.http.post(found["token_endpoint"], data=FORM, auth=await a_client(house))
        token = answer.json()["access_token"]
        keys = jwt.PyJWKSet.from_dict((await house.http.get(found["jwks_uri"])).json())
        claims = jwt.decode(
            token,
            keys[jwt.get_unverified_header(token)["kid"]],
            algorithms=["ES256"],
            audience=f"{house.url}/etdi",
            issuer=found["issuer"],
        )
        assert (claims["sub"], claims["tool_id"]) == ("acme", "acme.read")
        assert status_of(await house.call("list_invoices", READ)) == "executed"
        assert b"idp.token_issued" in house.audit_path.read_bytes()


@pytest.mark.parametrize("state", ["sqlite", "redis"])
async def test_gateways_that_start_together_have_one_key(
    tmp_path: Path, state: str, request: pytest.FixtureRequest
) -> None:
    """Two processes over one store and one folder, both asked at once for keys that were never made."""
    url = (
        request.getfixturevalue("redis_url")
        if state == "redis"
        else f"sqlite:///{tmp_path / 'state.sqlite3'}"
    )
    mounted = {"mounted": True, "folder": str(tmp_path / "keys")}
    async with gateways(tmp_path, url, idp=mounted) as both:
        http = both.all[0].http
        asked = [http.get(f"{each.url}/idp/.well-known/jwks.json") for each in both.all]
        first, second = [answer.json() for answer in await asyncio.gather(*asked)]
        assert first == second
        assert len(first["keys"]) == 1
        for each in both.all:
            assert (await http.get(f"{each.url}/idp/health")).json() == {"ready": True}
        assert [path.stem for path in keys_in(tmp_path)] == [first["keys"][0]["kid"]]


def keys_in(folder: Path) -> list[Path]:
    """Private keys that are kept there."""
    return list((folder / "keys").iterdir())


async def test_standard_clients_need_nothing_of_ours(tmp_path: Path) -> None:
    """PyJWT's key client finds the key, and the resource server of an ordinary gateway asks about tokens (RFC 7662)."""
    async with running_house(tmp_path, idp=IdpSettings(mounted=True, folder=str(tmp_path / "keys"))) as house:
        auth = await a_client(house)
        document = (await house.http.get("/idp/.well-known/openid-configuration")).json()
        token = (await house.http.post("/idp/token", data=FORM, auth=auth)).json()["access_token"]
        found = await asyncio.to_thread(jwt.PyJWKClient(document["jwks_uri"]).get_signing_key_from_jwt, token)
        assert jwt.decode(token, found, algorithms=["ES256"], audience=f"{house.url}/etdi")["sub"] == "acme"
        async with httpx.AsyncClient(trust_env=False) as http:
            verifier = IntrospectionVerifier(
                audience=f"{house.url}/etdi",
                trusted=TrustedIssuer(issuer=document["issuer"]),
                url=document["introspection_endpoint"],
                client_id=auth[0],
                client_secret=auth[1],
                fetcher=HttpFetcher(http, max_bytes=64 * 1024),
                remember_s=0,
            )
            assert await verifier.probe() is None
            caller = await verifier.verify(Secret(token.encode()))
            assert caller is not None
            assert (caller.subject, caller.client_id, caller.scopes) == ("acme", auth[0], (SCOPE,))
            await verifier.aclose()


@pytest.mark.parametrize(
    ("content", "says"), [(None, "cannot be read"), (b"short\n", "at least"), (b"\xff" * 20, "text")]
)
def test_a_passphrase_that_cannot_be_used_keeps_it_from_starting(
    tmp_path: Path, content: bytes | None, says: str
) -> None:
    """Named by its setting; neither the content nor the path is repeated."""
    path = tmp_path / "passphrase"
    if content is not None:
        path.write_bytes(content)
    settings = Settings(idp=IdpSettings(passphrase_file=str(path)))
    with pytest.raises(SettingsError, match=says) as refused:
        key_files_of(settings)
    assert refused.value.message.startswith("idp.passphrase_file:")
    assert "short" not in refused.value.message
    assert str(tmp_path) not in refused.value.message

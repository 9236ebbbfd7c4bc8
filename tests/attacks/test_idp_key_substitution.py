"""Somebody puts a key of his own in a provider's place. The pinned one goes on, his vouches for nobody: R124."""

from pathlib import Path

import msgspec

from gateway.idp.key_files import KeyFiles
from gateway.idp.provider import Provider
from gateway.idp.public_key import read_public_key
from gateway.state.store import Space
from tests.support.idp import Client, Idp, pem_of, running_idp
from tests.support.keys import SigningKey

GRANT = {"grant_type": "client_credentials"}


async def handed_out(idp: Idp) -> str | None:
    """The thumbprint that verifiers are told, if any."""
    answer = await idp.http.get(f"{idp.url}/providers/acme/key")
    kid = answer.json().get("keyId")
    assert isinstance(kid, str | None)
    return kid


async def opens(idp: Idp, client: Client, key: SigningKey) -> bool:
    """Whether that key authenticates the client."""
    return (await idp.ask(None, **GRANT, **idp.assertion(client, key=key))).status_code == 200


async def test_with_a_stolen_secret_a_key_can_be_proposed_and_not_put_into_force(tmp_path: Path) -> None:
    """Again and again: what waits is not what vouches, and approving the honest thumbprint does not approve his."""
    async with running_idp(tmp_path) as idp:
        acme = await idp.client()
        pinned = acme.provider.keys[0].kid
        his = SigningKey("ES256", None)
        for _ in range(3):
            assert (
                await idp.ask(acme, "/providers/acme/key", public_key=pem_of(his.private))
            ).status_code == 202
        assert await handed_out(idp) == pinned
        assert not await opens(idp, acme, his)
        assert await opens(idp, acme, acme.key)


async def test_a_key_written_into_the_store_under_a_pinned_thumbprint_vouches_for_nobody(
    tmp_path: Path,
) -> None:
    """Whoever can write the store can end the provider's key, and cannot be the provider."""
    async with running_idp(tmp_path) as idp:
        acme = await idp.client()
        his = SigningKey("ES256", None)
        swapped = msgspec.structs.replace(acme.provider.keys[0], jwk=read_public_key(pem_of(his.private))[2])
        record: Provider = msgspec.structs.replace(acme.provider, keys=(swapped,))
        await idp.store.put(Space.IDP_PROVIDER, "acme", msgspec.json.encode(record), ttl_s=None)
        assert await handed_out(idp) is None
        assert not await opens(idp, acme, his)
        assert not await opens(idp, acme, acme.key)
        new = SigningKey("ES256", None)
        made = read_public_key(pem_of(new.private))
        await idp.shelves.providers.change("acme", lambda one, now: one.with_proposed(made, now))
        assert not await opens(idp, acme, new)
        await idp.shelves.providers.change("acme", lambda one, now: one.with_approved(made[0], now))
        assert await opens(idp, acme, new), "the approval of an operator ends it"


async def test_a_private_key_put_into_the_folder_signs_nothing(tmp_path: Path) -> None:
    """The file must hold the half of the key that was published; else nothing is signed at all."""
    async with running_idp(tmp_path) as idp:
        acme = await idp.client()
        kid = (await idp.shelves.keys.ensure()).keys[0].kid
        his = SigningKey("ES256", kid)
        files = KeyFiles(tmp_path / "keys")
        files.forget(kid)
        files.write(kid, his.private)
        answer = await idp.token_for(acme)
        assert (answer.status_code, answer.json()["code"]) == (503, "idp.key_missing")

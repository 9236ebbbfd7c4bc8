"""The mounted identity provider as the verifier asks it: what it issued, and nobody has revoked since."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.errors import StoreUnavailable
from gateway.etdi.errors import EtdiCode, NotVerified
from gateway.etdi.trust import ProviderKey, read_provider_key
from gateway.identity.credentials import Secret
from gateway.identity.errors import IssuerUnavailable
from gateway.own_issuer import MountedIssuer, mounted_issuer_of
from gateway.settings import Settings
from gateway.settings.idp_model import IdpSettings
from gateway.state.open import open_store
from gateway.state.store import Store
from tests.support.idp import AUDIENCE, Idp, pem_of, running_idp, unrecorded
from tests.support.keys import SigningKey


@pytest.fixture
async def idp(tmp_path: Path) -> AsyncIterator[Idp]:
    """One that issues."""
    async with running_idp(tmp_path) as running:
        yield running


def mounted(idp: Idp, store: Store | None = None) -> MountedIssuer:
    """The same as a gateway that mounts it sees it."""
    settings = Settings(
        idp=IdpSettings(mounted=True, url=idp.url, audience=AUDIENCE, folder=str(idp.folder / "nowhere"))
    )
    found = mounted_issuer_of(settings, store or idp.store, now=idp.clock)
    assert found is not None
    return found


async def test_it_stands_by_what_it_issued_until_it_is_revoked(idp: Idp) -> None:
    """And then stays with its no. Private keys and passphrase are not asked for: the folder is not there."""
    token = await idp.token(await idp.client())
    standing = await mounted(idp).standing(Secret(token.encode()))
    assert (await standing.holds(), standing.over) == (True, False)
    jti = (await idp.verified(token))["jti"]
    await idp.shelves.tokens.revoke(jti)
    assert (await standing.holds(), standing.over, await standing.holds()) == (False, True, False)


@pytest.mark.parametrize("what", ["revoked", "expired", "nobody's", "none"])
async def test_it_does_not_stand_by_anything_else(idp: Idp, what: str) -> None:
    """No word of what is wrong with it."""
    token = await idp.token(await idp.client())
    match what:
        case "revoked":
            await idp.shelves.tokens.revoke((await idp.verified(token))["jti"])
        case "expired":
            idp.clock.advance(3601)
        case "nobody's":
            token = token[:-8] + "AAAAAAAA"
        case _:
            token = "\xe9"
    with pytest.raises(NotVerified, match=r"^Token is not active$") as refused:
        await mounted(idp).standing(Secret(token.encode()))
    assert refused.value.code is EtdiCode.TOKEN_INVALID_CLAIMS


async def test_its_keys_are_found_by_name_and_algorithm_while_they_vouch(idp: Idp) -> None:
    """A revoked one is gone this moment."""
    issuer = mounted(idp)
    kid = (await idp.shelves.keys.signer())[0].kid
    found = await issuer.find(kid, "ES256")
    assert found is not None
    assert "ES256" in found.algorithms
    assert await issuer.find(kid, "RS256") is None
    assert await issuer.find(None, "ES256") is None
    assert await issuer.find("other", "ES256") is None
    await idp.shelves.keys.revoke(kid, by="ops", reason="stolen")
    assert await issuer.find(kid, "ES256") is None
    assert issuer.current()
    assert not await issuer.refetch()


async def test_a_store_that_is_gone_vouches_for_nothing(idp: Idp) -> None:
    """Nobody can say, which is no reason to go by what was true before: the code is none that degrades."""
    token = Secret((await idp.token(await idp.client())).encode())
    standing = await mounted(idp).standing(token)
    gone = open_store("redis://127.0.0.1:1")
    try:
        with pytest.raises(NotVerified) as refused:
            await mounted(idp, gone).standing(token)
        assert (refused.value.code, refused.value.definitive) == (EtdiCode.SYSTEM_UNAVAILABLE, False)
        with pytest.raises(IssuerUnavailable):
            await mounted(idp, gone).find("any", "ES256")
    finally:
        await gone.aclose()
    await idp.store.aclose()
    with pytest.raises(StoreUnavailable):
        await standing.holds()


async def test_unmounted_there_is_none(idp: Idp) -> None:
    """Nothing is opened for it."""
    assert mounted_issuer_of(Settings(), idp.store, now=idp.clock) is None


def provider_key(key: SigningKey) -> ProviderKey:
    """As the settings have it."""
    return read_provider_key(pem_of(key.private).encode(), provider="acme", key_id="key-1")


async def test_a_providers_key_stands_until_it_is_revoked_or_replaced(idp: Idp) -> None:
    """Registered and revoked; another key, or another provider's, is the settings' to say."""
    issuer, client = mounted(idp), await idp.client()
    key = provider_key(client.key)
    standing = await issuer.key_standing(key)
    assert standing is not None
    assert (await standing.holds(), standing.over) == (True, False)
    assert await issuer.key_standing(provider_key(SigningKey("ES256", None))) is None
    foreign = read_provider_key(pem_of(client.key.private).encode(), provider="else", key_id="key-1")
    assert await issuer.key_standing(foreign) is None
    kid = client.provider.keys[0].kid
    await idp.shelves.providers.change(
        "acme", lambda found, now: found.with_revoked(kid, now), record=unrecorded
    )
    assert (await standing.holds(), standing.over, await standing.holds()) == (False, True, False)
    with pytest.raises(NotVerified, match="was revoked") as refused:
        await issuer.key_standing(key)
    assert refused.value.code is EtdiCode.TOKEN_INVALID_SIGNATURE
    await idp.store.aclose()
    with pytest.raises(NotVerified) as unknown:
        await issuer.key_standing(key)
    assert (unknown.value.code, unknown.value.definitive) == (EtdiCode.SYSTEM_UNAVAILABLE, False)

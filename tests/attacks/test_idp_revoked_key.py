"""A signing key is stolen, and revoked. What the thief signs with it is worth nothing, at once and for everybody."""

import asyncio
from pathlib import Path

import jwt
import pytest

from tests.support.idp import AUDIENCE, Idp, running_idp
from tests.support.keys import SigningKey


async def stolen_key(idp: Idp) -> SigningKey:
    """The very private key that signs now."""
    key, private = await idp.shelves.keys.signer()
    thief = SigningKey("ES256", key.kid)
    thief.private = private
    return thief


async def test_the_thiefs_tokens_end_with_the_revocation(tmp_path: Path) -> None:
    """Old and new ones; in the key set, by introspection, and at a second process on the same store."""
    async with running_idp(tmp_path) as idp, running_idp(tmp_path, url=idp.url) as second:
        acme = await idp.client()
        honest = await idp.token(acme)
        claims = await idp.verified(honest)
        thief = await stolen_key(idp)
        forged = thief.sign({**claims, "tool_id": "acme.pay"}, typ="etdi+jwt")
        assert await idp.verified(forged), "until then nobody can tell"
        await idp.shelves.keys.revoke(thief.kid or "", by="ops", reason="stolen")
        for one in (honest, forged, thief.sign({**claims, "iat": claims["iat"] + 1}, typ="etdi+jwt")):
            with pytest.raises(jwt.InvalidKeyError):
                await idp.verified(one)
            assert not await idp.active(acme, one)
            assert not await second.active(acme, one)
        assert thief.kid not in await second.jwks()
        assert await second.active(acme, await second.token(acme)), "an honest provider goes on at once"


async def test_a_made_up_token_of_a_key_that_is_not_known_to_be_stolen_is_inactive(tmp_path: Path) -> None:
    """Introspection goes by what was issued: a forged id is nobody's."""
    async with running_idp(tmp_path) as idp:
        acme = await idp.client()
        claims = await idp.verified(await idp.token(acme))
        thief = await stolen_key(idp)
        forged = thief.sign({**claims, "jti": "a" * 32}, typ="etdi+jwt")
        assert (await idp.verified(forged))["aud"] == AUDIENCE
        assert not await idp.active(acme, forged)


@pytest.mark.parametrize(
    "changed",
    [
        {"tool_id": "acme.pay"},
        {"tool_version": "9.0.0"},
        {"tool_provider": "other"},
        {"scope": "tool:everything"},
        {"definition_hash": "0" * 64},
        {"exp": 2_000_000_000},
    ],
    ids=lambda changed: next(iter(changed)),
)
async def test_the_id_of_a_token_that_was_issued_is_no_cover_for_another(
    tmp_path: Path, changed: dict[str, object]
) -> None:
    """The thief need not make an id up: those of honest tokens stand in definitions that everybody reads."""
    async with running_idp(tmp_path) as idp:
        acme = await idp.client()
        honest = await idp.token(acme)
        claims = await idp.verified(honest)
        forged = (await stolen_key(idp)).sign({**claims, **changed}, typ="etdi+jwt")
        assert not await idp.active(acme, forged)
        assert await idp.active(acme, honest)


async def test_a_revoked_key_is_never_back(tmp_path: Path) -> None:
    """Neither by rotations, nor by time, nor by a process that still has it loaded."""
    async with running_idp(tmp_path) as idp:
        acme = await idp.client()
        await idp.token(acme)
        bad = (await idp.shelves.keys.signer())[0].kid
        await idp.shelves.keys.revoke(bad, by="ops", reason="stolen")
        for _ in range(3):
            await idp.shelves.keys.rotate(by="ops", at_once=True)
            tokens = await asyncio.gather(*(idp.token(acme) for _ in range(3)))
            assert bad not in {jwt.get_unverified_header(one)["kid"] for one in tokens}
            assert bad not in await idp.jwks()
            idp.clock.advance(5000)

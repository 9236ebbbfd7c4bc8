"""The drill of docs/operations/identity-provider.md: everything is lost, the backup goes in, tokens verify (R126)."""

import time
from pathlib import Path

import msgspec
import pytest

from gateway.identity_provider import key_files_of
from gateway.idp.backup import MAGIC, opened, restore_backup, sealed, take_backup
from gateway.idp.errors import IdpRefused
from gateway.idp.key_files import KeyFiles
from gateway.state.open import open_store
from gateway.state.store import Space
from tests.support.idp import Idp, running_idp

PASSPHRASE = "unsafe-passphrase-of-a-backup"


async def backed_up(idp: Idp) -> bytes:
    """The file."""
    return sealed(await take_backup(idp.store, key_files_of(idp.settings), now=time.time()), PASSPHRASE)


@pytest.mark.parametrize("keys_are_encrypted", [False, True])
async def test_after_a_disaster_the_same_keys_sign_for_the_same_providers(
    tmp_path: Path,
    keys_are_encrypted: bool,  # noqa: FBT001 - pytest
) -> None:
    """Tokens from before verify, clients and their secrets go on, owners of tools stay, revoked keys stay revoked."""
    passphrase = "unsafe-passphrase-of-keys" if keys_are_encrypted else None
    (tmp_path / "passphrase").write_text("unsafe-passphrase-of-keys\n")
    file = str(tmp_path / "passphrase") if keys_are_encrypted else None
    async with running_idp(tmp_path / "before", passphrase_file=file) as idp:
        acme = await idp.client()
        before = await idp.token(acme)
        bad = (await idp.shelves.keys.signer())[0].kid
        await idp.shelves.keys.revoke(bad, by="ops", reason="stolen")
        good = await idp.token(acme)
        await idp.shelves.keys.rotate(by="ops")
        document = await backed_up(idp)
        published = await idp.jwks()
        url = idp.url
    store = open_store(f"sqlite:///{tmp_path / 'after.sqlite3'}")
    await restore_backup(
        store, KeyFiles(tmp_path / "after" / "keys", passphrase), opened(document, PASSPHRASE)
    )
    async with running_idp(tmp_path / "after", store=store, url=url, passphrase_file=file) as idp:
        assert await idp.jwks() == published
        assert (await idp.verified(good))["sub"] == "acme"
        assert bad not in await idp.jwks()
        assert not await idp.active(acme, before)
        again = await idp.token(acme)
        assert await idp.active(acme, again)
        rogue = await idp.client("rogue", tools=("*",))
        stolen = await idp.token_for(rogue, tool_id="acme.read")
        assert stolen.json()["code"] == "idp.foreign_tool"
        idp.clock.advance(idp.settings.idp.propagation_seconds)
        assert await idp.token(acme), "the key that waited comes into force with its private half"
        # Tokens are not in a backup: nobody knows which of them were revoked since.
        assert not await idp.active(acme, good)
    await store.aclose()


async def test_a_backup_is_secret_and_whole(tmp_path: Path) -> None:
    """No private key can be read in it; altered in one byte, or with another passphrase, it is none."""
    async with running_idp(tmp_path) as idp:
        await idp.token(await idp.client())
        document = await backed_up(idp)
    assert document.startswith(MAGIC)
    for hidden in (b"PRIVATE", b'"acme"', b'"kid"'):
        assert hidden not in document
    altered = bytearray(document)
    altered[len(document) // 2] ^= 1
    for bad, passphrase in (
        (bytes(altered), PASSPHRASE),
        (document, "another-unsafe-passphrase"),
        (document[:-1], PASSPHRASE),
        (document[len(MAGIC) :], PASSPHRASE),
        (b"", PASSPHRASE),
        (MAGIC, PASSPHRASE),
    ):
        with pytest.raises(IdpRefused) as refused:
            opened(bad, passphrase)
        assert refused.value.code == "idp.backup"
    with pytest.raises(IdpRefused) as short:
        opened(document, "short")
    assert short.value.code == "idp.passphrase"


async def test_nothing_that_is_there_is_overwritten(tmp_path: Path) -> None:
    """A restore over a running identity provider would bring revoked keys back."""
    async with running_idp(tmp_path) as idp:
        acme = await idp.client()
        await idp.token(acme)
        document = await backed_up(idp)
        kid = (await idp.shelves.keys.signer())[0].kid
        await idp.shelves.keys.revoke(kid, by="ops", reason="stolen")
        with pytest.raises(IdpRefused) as refused:
            await restore_backup(idp.store, KeyFiles(tmp_path / "keys"), opened(document, PASSPHRASE))
        assert refused.value.code == "idp.not_empty"
        assert kid not in await idp.jwks()
        assert not has_key(tmp_path, kid), "the stolen key's private half is not back either"


def has_key(folder: Path, kid: str) -> bool:
    """Whether its private half is there."""
    return (folder / "keys" / f"{kid}.pem").exists()


async def test_a_private_key_under_another_name_is_not_restored(tmp_path: Path) -> None:
    """Also where the whole file is genuine: whoever made it may have been deceived."""
    async with running_idp(tmp_path) as idp:
        await idp.token(await idp.client())
        found = opened(await backed_up(idp), PASSPHRASE)
    crossed = msgspec.structs.replace(found, private={"A" * 43: next(iter(found.private.values()))})
    store = open_store(f"sqlite:///{tmp_path / 'after.sqlite3'}")
    with pytest.raises(IdpRefused):
        await restore_backup(store, KeyFiles(tmp_path / "after"), crossed)
    assert await store.get(Space.IDP, "keys") is None
    await store.aclose()

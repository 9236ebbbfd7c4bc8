"""A backup of the identity provider as one encrypted file, and the way back (R126): keys, providers, owners of tools.

::

    b"countersign-idp-backup 1\\n"  salt (16 bytes)  Fernet(scrypt(passphrase, salt), document)

Encrypted and authenticated: whoever holds it reads no private key, and whoever alters it grants nothing. Tokens are not
in it: they live for an hour, and those from before a restore are inactive by introspection. NOT known to a restored
store: what was revoked or suspended after the backup; the audit says it, and the operator repeats it.
"""

from __future__ import annotations

import asyncio
import base64
import secrets
from typing import Final

import msgspec
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from gateway.identity.jwk import jwk_thumbprint
from gateway.idp.errors import IdpRefused
from gateway.idp.key import KeyRing, KeyState
from gateway.idp.key_book import RING, decoded
from gateway.idp.key_files import KeyFiles, key_of, pem_of, public_jwk
from gateway.idp.provider import Provider, Status
from gateway.idp.providers import PENDING_TTL_S
from gateway.state.store import Space, Store

MAGIC: Final = b"countersign-idp-backup 1\n"
MAX_BACKUP_BYTES: Final = 64 * 1024 * 1024
MIN_PASSPHRASE_CHARS: Final = 16
PAGE: Final = 1000
_SALT_BYTES: Final = 16


class Backup(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is kept. ``private``: PKCS#8 PEM by key id, of the keys that sign or will sign."""

    made: int
    ring: KeyRing
    private: dict[str, str]
    providers: tuple[Provider, ...]
    tools: dict[str, str]


async def take_backup(store: Store, files: KeyFiles, *, now: float) -> Backup:
    """Everything, as it is now. :raises KeyMissing: a private half is not on this machine."""
    ring = decoded(await store.get(Space.IDP, RING))
    private: dict[str, str] = {}
    for key in ring.keys:
        if key.state(now) in (KeyState.ACTIVE, KeyState.PUBLISHED):
            private[key.kid] = pem_of(await asyncio.to_thread(files.read, key.kid), None).decode()
    providers = [value for _, value in await _all(store, Space.IDP_PROVIDER)]
    return Backup(
        made=int(now),
        ring=ring,
        private=private,
        providers=tuple(msgspec.json.decode(one, type=Provider) for one in providers),
        tools={key: value.decode() for key, value in await _all(store, Space.IDP_TOOL)},
    )


async def restore_backup(store: Store, files: KeyFiles, backup: Backup) -> None:
    """Into a store that has no identity provider yet.

    :raises IdpRefused: ``idp.not_empty``; ``idp.backup``: a private key that is not the one its name says.
    """
    if await store.get(Space.IDP, RING) is not None or await store.entries(Space.IDP_PROVIDER, limit=1):
        raise IdpRefused(
            "This store has signing keys or providers; a backup goes into an empty one.", code="idp.not_empty"
        )
    for kid, pem in backup.private.items():
        key = key_of(pem.encode(), None)
        if jwk_thumbprint(public_jwk(key)) != kid:
            raise _unusable()
        await asyncio.to_thread(files.write, kid, key)
    for tool, owner in backup.tools.items():
        await store.add(Space.IDP_TOOL, tool, owner.encode(), ttl_s=None)
    for provider in backup.providers:
        ttl_s = PENDING_TTL_S if provider.status is Status.PENDING else None
        await store.add(Space.IDP_PROVIDER, provider.id, msgspec.json.encode(provider), ttl_s=ttl_s)
        await store.put(Space.IDP_CLIENT, provider.client_id, provider.id.encode(), ttl_s=ttl_s)
    # Last: a restore that broke off is seen, and begun again over an empty store.
    if not await store.add(Space.IDP, RING, msgspec.json.encode(backup.ring), ttl_s=None):
        raise IdpRefused("Another process made signing keys meanwhile; stop it first.", code="idp.not_empty")


def sealed(backup: Backup, passphrase: str) -> bytes:
    """The file. :raises IdpRefused: ``idp.passphrase``: too short."""
    salt = secrets.token_bytes(_SALT_BYTES)
    return MAGIC + salt + Fernet(_key(passphrase, salt)).encrypt(msgspec.json.encode(backup))


def opened(document: bytes, passphrase: str) -> Backup:
    """:raises IdpRefused: ``idp.backup``: another file, another passphrase, or altered."""
    body = document.removeprefix(MAGIC)
    if len(document) > MAX_BACKUP_BYTES or body == document or len(body) <= _SALT_BYTES:
        raise _unusable()
    salt = body[:_SALT_BYTES]
    try:
        plain = Fernet(_key(passphrase, salt)).decrypt(body[_SALT_BYTES:])
        return msgspec.json.decode(plain, type=Backup)
    except (InvalidToken, ValueError):
        raise _unusable() from None


def _key(passphrase: str, salt: bytes) -> bytes:
    if len(passphrase) < MIN_PASSPHRASE_CHARS:
        raise IdpRefused(
            f"The passphrase of a backup has at least {MIN_PASSPHRASE_CHARS} characters.",
            code="idp.passphrase",
        )
    derived = Scrypt(salt=salt, length=32, n=2**15, r=8, p=1).derive(passphrase.encode())
    return base64.urlsafe_b64encode(derived)


async def _all(store: Store, space: Space) -> list[tuple[str, bytes]]:
    rows: list[tuple[str, bytes]] = []
    while page := await store.entries(space, limit=PAGE, after=rows[-1][0] if rows else ""):
        rows += page
    return rows


def _unusable() -> IdpRefused:
    return IdpRefused(
        "That is no backup of an identity provider, or not with this passphrase.", code="idp.backup"
    )

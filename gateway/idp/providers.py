"""Providers in the store, changed by compare-and-set, and whose a tool is. Errors: ``StoreUnavailable`` besides.

A tool id belongs to the first provider to whom it was granted, or that was given a token for it, whatever grants say
afterwards. Attack: a second provider with a wide grant speaks for the first one's tool (R117).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from gateway.errors import StoreUnavailable
from gateway.idp.errors import IdpRefused
from gateway.idp.provider import (
    About,
    Provider,
    Status,
    checked_provider_id,
    new_client_id,
    new_provider_id,
    new_secret,
)
from gateway.idp.public_key import read_public_key
from gateway.state.store import MAX_ENTRIES, Space, Store

ATTEMPTS: Final = 20
PENDING_TTL_S: Final = 7 * 24 * 3600.0
"""What registered itself and was not approved in a week is forgotten: strangers cannot fill the store for good."""
MAX_PENDING: Final = 100
"""Registrations over HTTP that may wait at a time; people have to read them."""
Record = Callable[[Provider], Awaitable[None]]
"""Writes the act down; what cannot be written down does not happen."""
NOBODY: Final = "-"
"""A key under which nothing ever stands: an unknown client costs the same two looks as a known one."""


class Providers:
    """``now``: unix seconds."""

    def __init__(self, store: Store, *, now: Callable[[], float]) -> None:
        self._store = store
        self._now = now

    async def register(
        self,
        about: About,
        *,
        public_key: str | None,
        status: Status,
        provider_id: str | None = None,
        scopes: tuple[str, ...] = (),
        tools: tuple[str, ...] = (),
        introspects: bool = False,
        record: Record,
    ) -> tuple[Provider, str]:
        """A new provider and its secret, which is nowhere else. The key of an approved one is pinned at once.

        :raises IdpRefused: ``idp.public_key``, ``idp.registration``, ``idp.grant``, ``idp.provider_id``,
            ``idp.provider_exists``, ``idp.foreign_tool``.
        """
        now = int(self._now())
        secret, digest = new_secret()
        made = Provider(
            id=new_provider_id() if provider_id is None else checked_provider_id(provider_id),
            about=about.checked(),
            client_id=new_client_id(),
            secret_sha256=digest,
            status=status,
            registered_at=now,
            introspects=introspects,
        ).granted(scopes=scopes, tools=tools)
        if public_key is not None:
            key = read_public_key(public_key)
            made = made.with_proposed(key, now)
            if status is Status.APPROVED:
                made = made.with_approved(key[0], now)
        ttl_s = PENDING_TTL_S if status is Status.PENDING else None
        await self._claim_all(made, only_look=True)
        if await self.find(made.id) is not None:
            raise IdpRefused("There is a provider of that id.", code="idp.provider_exists")
        await record(made)
        if not await self._store.add(Space.IDP_PROVIDER, made.id, msgspec.json.encode(made), ttl_s=ttl_s):
            raise IdpRefused("There is a provider of that id.", code="idp.provider_exists")
        await self._claim_all(made)
        await self._store.put(Space.IDP_CLIENT, made.client_id, made.id.encode(), ttl_s=ttl_s)
        return made, secret

    async def find(self, provider_id: str) -> Provider | None:
        """The provider of that id."""
        if not 0 < len(provider_id) <= 64:
            return None
        return _decoded(await self._store.get(Space.IDP_PROVIDER, provider_id))

    async def by_client(self, client_id: str) -> Provider | None:
        """The provider behind that client. Known or not, it takes two looks into the store."""
        named = client_id if 0 < len(client_id) <= 64 else NOBODY
        found = await self._store.get(Space.IDP_CLIENT, named)
        provider_id = NOBODY if found is None else found.decode()
        provider = _decoded(await self._store.get(Space.IDP_PROVIDER, provider_id))
        # An id that was registered anew has another client.
        return provider if provider is not None and provider.client_id == client_id else None

    async def all(self) -> list[Provider]:
        """For people: by id."""
        rows = await self._store.entries(Space.IDP_PROVIDER, limit=MAX_ENTRIES)
        return [one for _, value in rows if (one := _decoded(value)) is not None]

    async def room_for_pending(self) -> bool:
        """Whether one more may wait."""
        return sum(one.status is Status.PENDING for one in await self.all()) < MAX_PENDING

    async def change(
        self, provider_id: str, changed: Callable[[Provider, int], Provider], *, record: Record | None = None
    ) -> Provider:
        """Replace it by what ``changed`` makes of it, at a time given in unix seconds; tools it gained are claimed.

        :raises IdpRefused: ``idp.unknown_provider``, and whatever ``changed`` raises.
        """
        for _ in range(ATTEMPTS):
            found = await self._store.get(Space.IDP_PROVIDER, provider_id)
            provider = _decoded(found)
            if found is None or provider is None:
                raise IdpRefused(f"Provider not found: {provider_id[:64]}", code="idp.unknown_provider")
            made = changed(provider, int(self._now()))
            await self._claim_all(made, only_look=True)
            if record is not None:
                await record(made)
                record = None
            await self._claim_all(made)
            ttl_s = PENDING_TTL_S if made.status is Status.PENDING else None
            value = msgspec.json.encode(made)
            if await self._store.swap(
                Space.IDP_PROVIDER, provider_id, expected=found, value=value, ttl_s=ttl_s
            ):
                await self._store.put(Space.IDP_CLIENT, made.client_id, made.id.encode(), ttl_s=ttl_s)
                return made
        raise StoreUnavailable(
            "That provider changes too often at the moment; try again.", code="idp.contended"
        )

    async def claim(self, tool_id: str, provider_id: str) -> bool:
        """Whether the tool is this provider's, from now on if it was nobody's."""
        if await self._store.add(Space.IDP_TOOL, tool_id, provider_id.encode(), ttl_s=None):
            return True
        return await self._store.get(Space.IDP_TOOL, tool_id) == provider_id.encode()

    async def _claim_all(self, provider: Provider, *, only_look: bool = False) -> None:
        for tool in provider.tools:
            if tool.endswith("*"):
                continue
            if only_look:
                owned = await self._store.get(Space.IDP_TOOL, tool) in (None, provider.id.encode())
            else:
                owned = await self.claim(tool, provider.id)
            if not owned:
                raise IdpRefused(f"The tool {tool} is another provider's.", code="idp.foreign_tool")


def _decoded(document: bytes | None) -> Provider | None:
    """:raises StoreUnavailable: ``idp.unreadable``."""
    if document is None:
        return None
    try:
        return msgspec.json.decode(document, type=Provider)
    except ValueError:  # msgspec's own errors, and broken UTF-8
        raise StoreUnavailable("A provider in the store cannot be read.", code="idp.unreadable") from None

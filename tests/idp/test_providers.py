"""Providers in both stores: secrets as hashes, tools with one owner, changes one after the other."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.errors import AuditUnavailable, StoreUnavailable
from gateway.idp.errors import IdpRefused
from gateway.idp.provider import About, Provider, Status, hashed
from gateway.idp.providers import PENDING_TTL_S, Providers
from gateway.state.store import Space
from tests.support.idp import unrecorded
from tests.support.stores import Stores, redis_stores, sqlite_stores


@pytest.fixture(params=["sqlite", "redis"])
async def stores(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stores]:
    """One kind of store, whose time the test moves."""
    found = (
        sqlite_stores(tmp_path / "state.db")
        if request.param == "sqlite"
        else redis_stores(request.getfixturevalue("redis_url"))
    )
    yield found
    await found.aclose()


@pytest.fixture
def providers(stores: Stores) -> Providers:
    """Over one store of that kind."""
    return Providers(stores.another(), now=time.time)


async def registered(providers: Providers, provider_id: str = "acme", **members: Any) -> tuple[Provider, str]:
    """An approved one."""
    wanted: dict[str, Any] = {
        "public_key": None,
        "status": Status.APPROVED,
        "provider_id": provider_id,
        "record": unrecorded,
        **members,
    }
    return await providers.register(About(name="Acme"), **wanted)


async def test_found_by_id_and_by_client_and_the_secret_is_nowhere(
    providers: Providers, stores: Stores
) -> None:
    """C31, R116: a dump of the store holds the hash."""
    made, secret = await registered(providers)
    assert await providers.find("acme") == made
    assert await providers.by_client(made.client_id) == made
    store = stores.another()
    dump = [value for space in Space for _, value in await store.entries(space, limit=1000)]
    assert secret.encode() not in b"".join(dump)
    assert hashed(secret).encode() in b"".join(dump)


async def test_an_id_is_given_once(providers: Providers) -> None:
    """Of two at a time, one has it; the other's credentials open nothing."""
    done = await asyncio.gather(registered(providers), registered(providers), return_exceptions=True)
    (kept,) = [one for one in done if isinstance(one, tuple)]
    (refused,) = [one for one in done if isinstance(one, IdpRefused)]
    assert refused.code == "idp.provider_exists"
    assert (await providers.find("acme")) == kept[0]


async def test_who_is_not_there_is_not_found(providers: Providers) -> None:
    """Whatever the name."""
    for name in ("nobody", "", "-", "x" * 2000, "\ud800"):
        assert await providers.find(name) is None
        assert await providers.by_client(name) is None
    with pytest.raises(IdpRefused) as refused:
        await providers.change("nobody", lambda one, _: one)
    assert refused.value.message == "Provider not found: nobody"


async def test_the_client_of_an_id_that_was_given_anew_is_nobody(
    providers: Providers, stores: Stores
) -> None:
    """The old client's name must not lead to the new provider."""
    await registered(providers)
    await stores.another().put(Space.IDP_CLIENT, "etdi-of-before", b"acme", ttl_s=None)
    assert await providers.by_client("etdi-of-before") is None


async def test_a_tool_has_one_owner(providers: Providers) -> None:
    """Granted to one, or used by one: it is nobody else's, however wide the other's grant is."""
    await registered(providers, "acme", tools=("shared.read",))
    with pytest.raises(IdpRefused) as refused:
        await registered(providers, "rogue", tools=("shared.read",))
    assert refused.value.code == "idp.foreign_tool"
    assert await providers.find("rogue") is None
    await registered(providers, "rogue", tools=("*",))
    assert not await providers.claim("shared.read", "rogue")
    assert await providers.claim("rogue.own", "rogue")
    assert not await providers.claim("rogue.own", "acme")
    with pytest.raises(IdpRefused):
        await providers.change("acme", lambda one, _: one.granted(scopes=(), tools=("rogue.own",)))


async def test_of_two_who_claim_at_once_one_has_it(providers: Providers) -> None:
    """And always the same one afterwards."""
    owners = await asyncio.gather(*(providers.claim("new.tool", f"p{number}") for number in range(8)))
    assert owners.count(True) == 1
    winner = owners.index(True)
    assert await providers.claim("new.tool", f"p{winner}")


async def test_changes_at_the_same_time_are_all_made(providers: Providers, stores: Stores) -> None:
    """None is overwritten by another."""
    await registered(providers)
    other = Providers(stores.another(), now=time.time)
    await asyncio.gather(
        *(
            one.change("acme", lambda found, _, scope=scope: found.granted(scopes=(scope,), tools=()))  # type: ignore[misc]
            for one, scope in zip(
                (providers, other) * 4, (f"tool:scope{number}" for number in range(8)), strict=True
            )
        )
    )
    made = await providers.find("acme")
    assert made is not None
    assert len(made.scopes) == 8


async def test_what_cannot_be_recorded_does_not_happen(providers: Providers) -> None:
    """Neither a registration nor a change."""

    async def full(_: Provider) -> None:
        raise AuditUnavailable("full")

    with pytest.raises(AuditUnavailable):
        await registered(providers, record=full)
    assert await providers.all() == []
    await registered(providers)
    with pytest.raises(AuditUnavailable):
        await providers.change(
            "acme", lambda one, _: msgspec.structs.replace(one, status=Status.SUSPENDED), record=full
        )
    (one,) = await providers.all()
    assert one.status is Status.APPROVED


async def test_who_waits_for_a_week_is_forgotten_and_who_was_approved_is_not(
    providers: Providers, stores: Stores
) -> None:
    """Strangers cannot fill the store for good."""
    waiting, _ = await registered(providers, "waiting", status=Status.PENDING)
    approved, _ = await registered(providers, "approved", status=Status.PENDING)
    await providers.change("approved", lambda one, _: msgspec.structs.replace(one, status=Status.APPROVED))
    stores.advance(PENDING_TTL_S)
    assert await providers.by_client(waiting.client_id) is None
    assert await providers.find("waiting") is None
    assert await providers.by_client(approved.client_id) is not None


async def test_a_record_that_cannot_be_read_is_no_missing_one(providers: Providers, stores: Stores) -> None:
    """An unknown member is the mark of another version."""
    await stores.another().put(Space.IDP_PROVIDER, "acme", b'{"id": "acme", "more": 1}', ttl_s=None)
    with pytest.raises(StoreUnavailable) as broken:
        await providers.find("acme")
    assert broken.value.code == "idp.unreadable"

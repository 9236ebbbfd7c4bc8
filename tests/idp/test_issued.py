"""The records of tokens that live, in both stores."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.errors import StoreUnavailable
from gateway.idp.issued import KEEP_S, Issued, IssuedTokens
from gateway.state.store import Space
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


def issued(jti: str = "a" * 32) -> Issued:
    """A token of this hour."""
    now = int(time.time())
    return Issued(
        jti=jti, provider="acme", client_id="etdi-1", scope="", iat=now, exp=now + 3600, kid="k", tool_id="t"
    )


async def test_kept_while_it_lives_and_not_longer(stores: Stores) -> None:
    """The store forgets it by itself."""
    tokens = IssuedTokens(stores.another(), now=time.time)
    await tokens.keep(issued())
    assert await tokens.find("a" * 32) == issued()
    assert [one.jti for one in await tokens.all()] == ["a" * 32]
    stores.advance(3600 + KEEP_S)
    assert await tokens.find("a" * 32) is None
    assert await tokens.all() == []


async def test_of_many_who_revoke_one_does(stores: Stores) -> None:
    """And everybody sees it at once, in every process."""
    tokens = [IssuedTokens(stores.another(), now=time.time) for _ in range(4)]
    await tokens[0].keep(issued())
    done = await asyncio.gather(*(one.revoke("a" * 32) for one in tokens))
    assert sum(one is not None for one in done) == 1
    for one in tokens:
        found = await one.find("a" * 32)
        assert found is not None
        assert found.revoked_at is not None


async def test_what_is_no_token_is_not_revoked(stores: Stores) -> None:
    """Whatever the name; a record that cannot be read is no missing one."""
    store = stores.another()
    tokens = IssuedTokens(store, now=time.time)
    for jti in ("", "nobody", "x" * 5000):
        assert await tokens.revoke(jti) is None
        assert await tokens.find(jti) is None
    await store.put(Space.IDP_TOKEN, "broken", b"{", ttl_s=10)
    with pytest.raises(StoreUnavailable):
        await tokens.find("broken")

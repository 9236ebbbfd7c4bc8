"""The cache of an issuer's keys, against a real server."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest

from gateway.identity.errors import IssuerUnavailable
from gateway.identity.fetch import HttpFetcher
from gateway.identity.jwk import KeySetError
from gateway.identity.keys import (
    FRESH_S,
    MIN_REFRESH_INTERVAL_S,
    RETRY_S,
    USABLE_S,
    LocalKeys,
    RemoteKeys,
)
from tests.support.clock import ManualClock
from tests.support.issuer_server import IssuerServer, after, answer, running_issuer, silent
from tests.support.keys import key_set, signing_key

JWKS = "/jwks"
OLD, NEW = signing_key("ES256", "old"), signing_key("ES256", "new")


class Setting:
    """A server, a clock, and the keys under test."""

    def __init__(self, server: IssuerServer, keys: RemoteKeys, clock: ManualClock) -> None:
        self.server, self.keys, self.clock = server, keys, clock

    @property
    def fetches(self) -> int:
        """How often the key set was asked for."""
        return self.server.hits[JWKS]


@pytest.fixture
async def setting() -> AsyncIterator[Setting]:
    """A server that publishes OLD at `/jwks`, and a client that knows where."""
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(running_issuer())
        client = await stack.enter_async_context(httpx.AsyncClient(trust_env=False))
        server.routes[JWKS] = answer(key_set(OLD))
        clock = ManualClock(1000.0)
        keys = RemoteKeys(
            issuer=server.url,
            jwks_uri=server.url + JWKS,
            fetcher=HttpFetcher(client, deadline_s=0.3),
            clock=clock,
        )
        stack.push_async_callback(keys.aclose)
        yield Setting(server, keys, clock)


async def test_keys_are_fetched_once_and_kept(setting: Setting) -> None:
    """The second token costs no exchange."""
    for _ in range(5):
        assert await setting.keys.find("old", "ES256") is not None
    assert setting.fetches == 1


async def test_a_hundred_first_callers_share_one_fetch(setting: Setting) -> None:
    """Single flight: a cold start is not a storm on the identity provider."""
    gate = asyncio.Event()
    setting.server.routes[JWKS] = after(gate, answer(key_set(OLD)))
    waiting = [asyncio.create_task(setting.keys.find("old", "ES256")) for _ in range(100)]
    await setting.server.asked(JWKS)
    gate.set()
    assert all(found is not None for found in await asyncio.gather(*waiting))
    assert setting.fetches == 1


async def test_a_caller_who_hangs_up_does_not_take_the_fetch_along(setting: Setting) -> None:
    """The first caller started it, the second one still gets its key."""
    gate = asyncio.Event()
    setting.server.routes[JWKS] = after(gate, answer(key_set(OLD)))
    first = asyncio.create_task(setting.keys.find("old", "ES256"))
    second = asyncio.create_task(setting.keys.find("old", "ES256"))
    await setting.server.asked(JWKS)
    first.cancel()
    gate.set()
    assert await second is not None
    assert setting.fetches == 1


async def test_a_storm_of_unknown_key_ids_causes_one_fetch_per_interval(setting: Setting) -> None:
    """Anybody can invent key ids; the identity provider must not pay for it."""
    await setting.keys.find("old", "ES256")
    for _ in range(3):
        setting.clock.advance(MIN_REFRESH_INTERVAL_S)
        found = await asyncio.gather(*(setting.keys.find(f"made-up-{n}", "ES256") for n in range(200)))
        assert not any(found)
    assert setting.fetches == 1 + 3


async def test_a_new_key_is_found_after_a_rotation(setting: Setting) -> None:
    """The issuer publishes, a token with the new kid arrives, and it works without a restart."""
    await setting.keys.find("old", "ES256")
    setting.server.routes[JWKS] = answer(key_set(OLD, NEW))
    setting.clock.advance(MIN_REFRESH_INTERVAL_S)
    assert await setting.keys.find("new", "ES256") is not None
    assert setting.keys.generation == 0


async def test_a_withdrawn_key_raises_the_generation(setting: Setting) -> None:
    """Whoever caches results hears of it; so does it when a kid comes to mean another key."""
    await setting.keys.find("old", "ES256")
    setting.server.routes[JWKS] = answer(key_set(NEW))
    setting.clock.advance(MIN_REFRESH_INTERVAL_S)
    await setting.keys.find("new", "ES256")
    assert setting.keys.generation == 1
    setting.server.routes[JWKS] = answer(key_set({**OLD.public_jwk(), "kid": "new"}))
    setting.clock.advance(MIN_REFRESH_INTERVAL_S)
    await setting.keys.find("unknown", "ES256")
    assert setting.keys.generation == 2


async def test_old_keys_answer_while_new_ones_are_fetched(setting: Setting) -> None:
    """No caller waits for the regular refresh."""
    await setting.keys.find("old", "ES256")
    gate = asyncio.Event()
    setting.server.routes[JWKS] = after(gate, answer(key_set(OLD)))
    setting.clock.advance(FRESH_S)
    assert await setting.keys.find("old", "ES256") is not None
    await setting.server.asked(JWKS, times=2)
    gate.set()


async def test_an_outage_is_survived_for_a_while_and_no_longer(setting: Setting) -> None:
    """Blocking the endpoint must not keep a withdrawn key alive for ever."""
    await setting.keys.find("old", "ES256")
    setting.server.routes[JWKS] = answer(b"", status=500)
    setting.clock.advance(USABLE_S - 1)
    assert await setting.keys.find("old", "ES256") is not None
    assert await setting.keys.prefetch()  # waits for the refresh that the line above started, which failed
    setting.clock.advance(MIN_REFRESH_INTERVAL_S)
    with pytest.raises(IssuerUnavailable):
        await setting.keys.find("old", "ES256")


@pytest.mark.parametrize("body", [b"", b"{}", b"<html>", key_set({"kty": "oct", "k": "AAAA"})])
async def test_a_bad_answer_never_replaces_good_keys(body: bytes, setting: Setting) -> None:
    """A captive portal between us and the issuer changes nothing."""
    await setting.keys.find("old", "ES256")
    setting.server.routes[JWKS] = answer(body)
    setting.clock.advance(MIN_REFRESH_INTERVAL_S)
    assert await setting.keys.find("made-up", "ES256") is None
    assert await setting.keys.find("old", "ES256") is not None
    assert setting.keys.generation == 0


async def test_a_dead_issuer_is_unavailable_and_not_hammered(
    setting: Setting, caplog: pytest.LogCaptureFixture
) -> None:
    """503 for everybody, one attempt per pause, and it heals by itself."""
    setting.server.routes[JWKS] = silent
    with caplog.at_level(logging.DEBUG):
        assert not await setting.keys.prefetch()
        for _ in range(20):
            with pytest.raises(IssuerUnavailable):
                await setting.keys.find("old", "ES256")
    assert setting.fetches == 1
    assert "no keys from issuer" in caplog.text
    setting.server.routes[JWKS] = answer(key_set(OLD))
    setting.clock.advance(RETRY_S)
    assert await setting.keys.find("old", "ES256") is not None


async def test_keys_are_discovered_when_no_uri_is_configured(setting: Setting) -> None:
    """From the issuer's metadata, with the exact issuer."""
    async with httpx.AsyncClient(trust_env=False) as client:
        url = setting.server.url
        document = f'{{"issuer": "{url}", "jwks_uri": "{url}{JWKS}"}}'.encode()
        setting.server.routes["/.well-known/openid-configuration"] = answer(document)
        keys = RemoteKeys(issuer=url, fetcher=HttpFetcher(client), clock=setting.clock)
        assert await keys.find("old", "ES256") is not None
        await keys.aclose()


async def test_closing_ends_a_fetch_under_way(setting: Setting) -> None:
    """A shutdown does not wait for a silent issuer."""
    setting.server.routes[JWKS] = silent
    waiting = asyncio.create_task(setting.keys.find("old", "ES256"))
    await setting.server.asked(JWKS)
    await setting.keys.aclose()
    with pytest.raises(asyncio.CancelledError):
        await waiting


@pytest.mark.parametrize(
    ("issuer", "jwks_uri"),
    [("http://idp.example", None), ("https://idp.example", "http://idp.example/jwks"), ("idp", None)],
)
async def test_plain_http_is_refused_at_start(issuer: str, jwks_uri: str | None) -> None:
    """Whoever is on the path would choose the keys."""
    async with httpx.AsyncClient() as client:
        with pytest.raises(ValueError, match="http"):
            RemoteKeys(issuer=issuer, jwks_uri=jwks_uri, fetcher=HttpFetcher(client))


async def test_local_keys_come_from_a_file(tmp_path: Path) -> None:
    """Same rules as for a fetched set."""
    path = tmp_path / "jwks.json"
    path.write_bytes(key_set(OLD))
    local = LocalKeys.from_file(path)
    assert await local.find("old", "ES256") is not None
    assert await local.find("new", "ES256") is None
    path.write_bytes(key_set(OLD.private_jwk()))
    with pytest.raises(KeySetError):
        LocalKeys.from_file(path)

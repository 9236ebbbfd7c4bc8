"""A client assertion that was seen on its way is shown again. It was good once (RFC 7523 section 3, ``jti``)."""

import asyncio
from pathlib import Path

import pytest

from tests.support.idp import running_idp
from tests.support.keys import SigningKey

GRANT = {"grant_type": "client_credentials"}


@pytest.mark.parametrize("url", ["sqlite", "redis"])
async def test_each_assertion_is_good_once(tmp_path: Path, url: str, request: pytest.FixtureRequest) -> None:
    """Of many at the same time, at two processes on one store, one is granted; later, none."""
    state = request.getfixturevalue("redis_url") if url == "redis" else None
    async with (
        running_idp(tmp_path, state_url=state) as idp,
        running_idp(tmp_path, state_url=state, url=idp.url) as second,
    ):
        acme = await idp.client()
        shown = idp.assertion(acme, jti="seen-once")
        asked = [one.ask(None, **GRANT, **shown) for one in (idp, second) * 5]
        statuses = [answer.status_code for answer in await asyncio.gather(*asked)]
        assert sorted(statuses) == [200] + [401] * 9
        assert (await second.ask(None, **GRANT, **shown)).status_code == 401
        assert len(await idp.shelves.tokens.all()) == 1


async def test_an_assertion_for_another_service_opens_nothing_here(tmp_path: Path) -> None:
    """One that the provider made for somebody else, who shows it here; and one that is over."""
    async with running_idp(tmp_path) as idp:
        acme = await idp.client()
        now = int(idp.clock())
        for changes in (
            {"aud": "https://somebody.example/token"},
            {"aud": [idp.url, "https://somebody.example"]},
            {"exp": now - 60},
            {"exp": now + 3600},
        ):
            answer = await idp.ask(None, **GRANT, **idp.assertion(acme, **changes))
            assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client"), changes
        assert await idp.shelves.tokens.all() == []


async def test_nobody_without_the_key_can_burn_a_jti(tmp_path: Path) -> None:
    """A stranger's assertion with the same id does not lock the provider out."""
    async with running_idp(tmp_path) as idp:
        acme = await idp.client()
        stranger = SigningKey("ES256", None)
        assert (
            await idp.ask(None, **GRANT, **idp.assertion(acme, key=stranger, jti="mine"))
        ).status_code == 401
        assert (await idp.ask(None, **GRANT, **idp.assertion(acme, jti="mine"))).status_code == 200

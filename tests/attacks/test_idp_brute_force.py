"""Somebody tries secrets, one after the other. He is slowed down, learns nothing, and the audit shows him."""

import asyncio
import secrets
from pathlib import Path

from tests.support.idp import running_idp

GRANT = {"grant_type": "client_credentials"}
PER_MINUTE = 20


async def test_tries_are_few_and_leave_a_trace(tmp_path: Path) -> None:
    """After so many even the right secret is not looked at; unknown clients look like known ones until the end."""
    async with running_idp(tmp_path, requests_per_minute=PER_MINUTE) as idp:
        acme = await idp.client()
        answers = []
        for number in range(PER_MINUTE):
            client = acme.provider.client_id if number % 2 else f"etdi-{number}"
            answers.append(await idp.ask(None, auth=(client, secrets.token_urlsafe(32)), **GRANT))
        assert {one.status_code for one in answers} == {401}
        assert len({one.content for one in answers}) == 1
        late = await idp.ask(acme, **GRANT)
        assert late.status_code == 429
        assert int(late.headers["retry-after"]) >= 1
        refused = [one for one in idp.records() if one["reasons"] == ["idp.invalid_client"]]
        assert len(refused) == PER_MINUTE
        assert await idp.shelves.tokens.all() == []


async def test_many_at_once_are_counted_one_by_one(tmp_path: Path) -> None:
    """A burst does not slip through."""
    async with running_idp(tmp_path, requests_per_minute=PER_MINUTE) as idp:
        await idp.client()
        tries = [idp.ask(None, auth=("etdi-x", str(number)), **GRANT) for number in range(60)]
        statuses = [one.status_code for one in await asyncio.gather(*tries)]
        assert statuses.count(401) <= PER_MINUTE + 1
        assert set(statuses) == {401, 429}

"""A provider asks for more than an operator granted. It is refused whole, and nothing is issued."""

from pathlib import Path

import msgspec
import pytest

from gateway.idp.provider import Status
from tests.support.idp import READ, running_idp


@pytest.mark.parametrize(
    "scope",
    [
        "tool:files:write",
        f"{READ} tool:files:write",
        f"{READ}:/",
        READ.upper(),
        "*",
        "tool:*",
        f"{READ}\ttool:files:write",
        f"{READ}\u00a0tool:files:write",
        f"{READ} openid",
        "payments:write",
        "tool:" + "x" * 300,
        " ".join(f"tool:s{number}" for number in range(200)),
    ],
)
async def test_what_was_not_granted_is_not_given(tmp_path: Path, scope: str) -> None:
    """Not quietly dropped either (C33): the provider learns it, and the audit has it."""
    async with running_idp(tmp_path) as idp:
        acme = await idp.client()
        answer = await idp.token_for(acme, scope=scope)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope")
        assert await idp.shelves.tokens.all() == []
        assert [one["reasons"] for one in idp.records()] == [["idp.invalid_scope"]]


async def test_a_grant_that_was_taken_back_by_suspension_gives_nothing(tmp_path: Path) -> None:
    """A stolen secret of a suspended provider opens nothing."""
    async with running_idp(tmp_path) as idp:
        acme = await idp.client()
        await idp.shelves.providers.change(
            "acme", lambda one, _: msgspec.structs.replace(one, status=Status.SUSPENDED)
        )
        assert (await idp.token_for(acme)).json()["error"] == "unauthorized_client"

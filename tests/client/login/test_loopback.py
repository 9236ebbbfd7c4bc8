"""The redirect's end."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from gateway.client.login.loopback import Loopback, listening

STATE = "the-state"


async def visit(loopback: Loopback, query: str, path: str = "/callback", **how: str) -> httpx.Response:
    """A browser that was redirected."""
    base = loopback.redirect_uri.removesuffix("/callback")
    async with httpx.AsyncClient(trust_env=False) as http:
        return await http.request(how.pop("method", "GET"), f"{base}{path}?{query}", headers=how)


async def test_the_first_answer_with_the_state_is_taken_once() -> None:
    """The page holds nothing of it, may not be kept, framed or scripted; a second answer is refused."""
    async with listening(STATE) as loopback:
        taken = await visit(loopback, f"state={STATE}&code=the-code&iss=i")
        assert await loopback.answer() == {"state": STATE, "code": "the-code", "iss": "i"}
        second = await visit(loopback, f"state={STATE}&code=another")
        assert (await loopback.answer())["code"] == "the-code"
    assert taken.status_code == 200
    assert "the-code" not in taken.text
    assert taken.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in taken.headers["content-security-policy"]
    assert second.status_code == 400


@pytest.mark.parametrize(
    ("query", "path", "how"),
    [
        ("state=of-another&code=c", "/callback", {}),
        ("code=c", "/callback", {}),
        (f"state={STATE}&state={STATE}&code=c", "/callback", {}),
        (f"state={STATE}&code=c", "/", {}),
        (f"state={STATE}&code=c", "/callback", {"method": "POST"}),
        (f"state={STATE}&code=c", "/callback", {"host": "evil.example"}),
        ("&".join(f"a{number}=1" for number in range(40)), "/callback", {}),
    ],
    ids=["state", "no-state", "two-states", "path", "method", "host", "many"],
)
async def test_anything_else_is_not_used_and_ends_nothing(query: str, path: str, how: dict[str, str]) -> None:
    """The right answer is still taken afterwards."""
    async with listening(STATE) as loopback:
        refused = await visit(loopback, query, path, **how)
        assert refused.status_code in (400, 404)
        await visit(loopback, f"state={STATE}&code=right")
        assert (await loopback.answer())["code"] == "right"


async def test_bytes_that_are_no_request_end_nothing() -> None:
    """An endless head is cut off, a silent visitor holds nobody."""
    async with listening(STATE) as loopback:
        port = int(loopback.redirect_uri.split(":")[2].split("/")[0])
        _, silent = await asyncio.open_connection("127.0.0.1", port)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"x" * 100_000)
        try:
            assert await reader.read() == b""
        except ConnectionError:
            assert reader.exception() is not None
        await visit(loopback, f"state={STATE}&code=right")
        assert (await loopback.answer())["code"] == "right"
        silent.close()
        writer.close()

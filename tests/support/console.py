"""A person at the console over HTTP: signs in by a link, reads the page, presses a button. A browser without eyes."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from html import unescape

import httpx

from tests.support.house import House

_FIELD = re.compile(r'<input[^>]*name="([^"]*)"[^>]*value="([^"]*)"')


class Person:
    """One signed-in browser."""

    def __init__(self, http: httpx.AsyncClient, origin: str) -> None:
        self.http = http
        self.origin = origin

    async def open(self, url: str) -> httpx.Response:
        """Look at a page."""
        return await self.http.get(url)

    async def fields(self, url: str) -> dict[str, str]:
        """The hidden fields of the decision form on a page; empty when there is none."""
        page = await self.open(url)
        form = re.search(r'<form[^>]*action="[^"]*/decide".*?</form>', page.text, re.DOTALL)
        return {unescape(k): unescape(v) for k, v in _FIELD.findall(form[0])} if form else {}

    async def press(
        self, url: str, verdict: str, fields: Mapping[str, str], headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """Send the decision form with these fields."""
        sent = {"origin": self.origin} if headers is None else dict(headers)
        return await self.http.post(f"{url}/decide", data={**fields, "verdict": verdict}, headers=sent)

    async def approve(self, url: str) -> httpx.Response:
        """Look at the call and press Approve."""
        return await self.press(url, "approve", await self.fields(url))

    async def refuse(self, url: str) -> httpx.Response:
        """Look at the call and press Refuse."""
        return await self.press(url, "refuse", await self.fields(url))


@asynccontextmanager
async def signed_in(
    house: House, subject: str = "approver-one", roles: tuple[str, ...] = ("approver",)
) -> AsyncIterator[Person]:
    """Somebody with these roles, signed in by a one-time link."""
    link = await house.login(subject, roles)
    async with httpx.AsyncClient(trust_env=False, timeout=30, follow_redirects=True) as http:
        done = await http.post(
            f"{house.url}/console/login",
            data={"token": link.rsplit("/", 1)[1]},
            headers={"origin": house.url},
        )
        # Whoever may not see what waits is signed in all the same, and told so.
        assert done.status_code in (200, 403), done.text
        yield Person(http, house.url)

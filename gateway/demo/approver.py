"""The demo's human, scripted: logs in with a one-time link and uses the real console over HTTP."""

from __future__ import annotations

import re
from html import unescape

import httpx


class ScriptedHuman:
    """One person at the console. ``login_url`` is a fresh one-time link."""

    def __init__(self, login_url: str) -> None:
        self._login_url: str | None = login_url
        self._http = httpx.AsyncClient(follow_redirects=True, timeout=20, trust_env=False)

    async def approve(self, url: str) -> None:
        """Log in if not yet done, open the call, press *approve*.

        :raises RuntimeError: the console did not offer or take the decision.
        """
        if self._login_url is not None:
            page = await self._http.get(self._login_url)
            await self._submit(page, marker="login")
            self._login_url = None
        page = await self._http.get(url)
        done = await self._submit(page, marker="approve")
        if done.status_code != 200:
            raise RuntimeError(f"the console answered {done.status_code} to an approval")

    async def aclose(self) -> None:
        """Close the browser."""
        await self._http.aclose()

    async def _submit(self, page: httpx.Response, *, marker: str) -> httpx.Response:
        """Fill in the form whose markup mentions ``marker`` and send it, as a browser would."""
        for form in re.findall(r"<form\b.*?</form>", page.text, flags=re.DOTALL):
            if marker not in form:
                continue
            action = re.search(r'action="([^"]*)"', form)
            fields = {
                unescape(name): unescape(value)
                for name, value in re.findall(r'<input[^>]*name="([^"]*)"[^>]*value="([^"]*)"', form)
            }
            button = re.search(rf'<button[^>]*name="([^"]*)"[^>]*value="({marker})"', form)
            if button is not None:
                fields[button[1]] = button[2]
            target = page.url.join(unescape(action[1])) if action else page.url
            origin = f"{page.url.scheme}://{page.url.netloc.decode()}"
            return await self._http.post(target, data=fields, headers={"origin": origin})
        raise RuntimeError(f"the console page has no form for {marker!r} (HTTP {page.status_code})")

"""A real Chromium, driven by W3C WebDriver.

WebDriver is a handful of JSON requests to the `chromedriver` that Debian ships beside its Chromium; httpx is here
already, so no library (selenium, playwright) is needed for pages that have no script.
"""

from __future__ import annotations

import asyncio
import base64
import os
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
"""The key of an element reference (WebDriver section 12.2)."""

DEADLINE_S = 20
"""A page of a local server that takes longer than this will never come."""
POLL_S = 0.02
ENTER = "\ue007"
"""As WebDriver spells the key (W3C WebDriver section 17.4.2)."""


def missing() -> str | None:
    """Why there is no browser here, or None."""
    lacking = [name for name in ("chromium", "chromedriver") if shutil.which(name) is None]
    return f"{' and '.join(lacking)} not on PATH; Debian: chromium, chromium-driver" if lacking else None


class Browser:
    """One window. What WebDriver refuses (no such element, ...) raises `httpx.HTTPStatusError`."""

    def __init__(self, http: httpx.AsyncClient, session: str) -> None:
        self._http = http
        self._session = session

    async def open(self, url: str) -> None:
        """Navigate and wait until the page is loaded."""
        await self._post("/url", {"url": url})

    async def follow(self, css: str) -> None:
        """Click the first element that matches, and wait until the page it leads to is there.

        WebDriver's own waiting leaves a gap in which the next command still meets the old page.
        """
        old = await self._find("html")
        await self._post(f"/element/{await self._find(css)}/click", {})
        await self._another(old)

    async def enter(self, css: str) -> None:
        """The same by the keyboard: the element is given the Enter key."""
        old = await self._find("html")
        await self._post(f"/element/{await self._find(css)}/value", {"text": ENTER})
        await self._another(old)

    async def _another(self, old: str) -> None:
        async with asyncio.timeout(DEADLINE_S):
            while await self._is_there(old) or await self.script("return document.readyState") != "complete":  # noqa: ASYNC110
                await asyncio.sleep(POLL_S)  # another process: there is no event to wait for

    async def text(self, css: str = "body") -> str:
        """The text as it is rendered."""
        return str(await self._get(f"/element/{await self._find(css)}/text"))

    async def style(self, css: str, name: str) -> str:
        """A computed style."""
        return str(await self._get(f"/element/{await self._find(css)}/css/{name}"))

    async def count(self, css: str) -> int:
        """How many elements match."""
        return len(await self._post("/elements", {"using": "css selector", "value": css}))

    async def cookies(self) -> list[dict[str, Any]]:
        """The cookies of the present page, HttpOnly ones included."""
        return list(await self._get("/cookie"))

    async def script(self, source: str) -> Any:
        """The value of a script run by the driver; the page's own policy does not bind it."""
        return await self._post("/execute/sync", {"script": source, "args": []})

    async def console_errors(self) -> list[str]:
        """What Chromium complained about, refused content for instance."""
        entries = await self._post("/se/log", {"type": "browser"})
        return [entry["message"] for entry in entries if entry["level"] == "SEVERE"]

    async def window(self, width: int, height: int, *, dark: bool) -> None:
        """Size of the viewport, and the colour scheme the person prefers."""
        await self._cdp(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False},
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await self._cdp("Emulation.setEmulatedMedia", {"features": [scheme]})

    async def screenshot(self, path: Path) -> None:
        """The whole page as PNG."""
        shot = await self._cdp("Page.captureScreenshot", {"captureBeyondViewport": True})
        await asyncio.to_thread(path.write_bytes, base64.b64decode(shot["data"]))

    async def _cdp(self, command: str, params: dict[str, Any]) -> Any:
        return await self._post("/goog/cdp/execute", {"cmd": command, "params": params})

    async def _is_there(self, element: str) -> bool:
        response = await self._http.get(f"/session/{self._session}/element/{element}/name")
        return response.is_success

    async def _find(self, css: str) -> str:
        found = await self._post("/element", {"using": "css selector", "value": css})
        return str(found[_ELEMENT])

    async def _post(self, path: str, body: dict[str, Any]) -> Any:
        response = await self._http.post(f"/session/{self._session}{path}", json=body)
        response.raise_for_status()
        return response.json()["value"]

    async def _get(self, path: str) -> Any:
        response = await self._http.get(f"/session/{self._session}{path}")
        response.raise_for_status()
        return response.json()["value"]


@asynccontextmanager
async def chromium(profile: Path) -> AsyncIterator[Browser]:
    """A headless Chromium with a fresh profile, ended afterwards."""
    driver = await asyncio.create_subprocess_exec(
        "chromedriver",
        "--port=0",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={**os.environ, "HOME": str(profile)},
    )
    try:
        port = await asyncio.wait_for(_port(driver), timeout=30)
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False
        ) as http:
            session = await _new_session(http, profile)
            try:
                yield Browser(http, session)
            finally:
                await http.delete(f"/session/{session}")
    finally:
        driver.terminate()
        await driver.communicate()


async def _port(driver: asyncio.subprocess.Process) -> int:
    assert driver.stdout is not None
    async for line in driver.stdout:
        if found := re.search(rb"started successfully on port (\d+)", line):
            return int(found[1])
    raise RuntimeError("chromedriver ended before it listened")


async def _new_session(http: httpx.AsyncClient, profile: Path) -> str:
    arguments = [
        "--headless=new",
        f"--user-data-dir={profile}/chromium",
        "--disable-gpu",
        "--disable-dev-shm-usage",
    ]
    if os.geteuid() == 0:
        arguments.append("--no-sandbox")  # Chromium's sandbox does not work for root (containers)
    wanted = {
        "browserName": "chrome",
        "goog:chromeOptions": {"args": arguments, "binary": shutil.which("chromium")},
        "goog:loggingPrefs": {"browser": "ALL"},
    }
    response = await http.post("/session", json={"capabilities": {"alwaysMatch": wanted}})
    response.raise_for_status()
    return str(response.json()["value"]["sessionId"])

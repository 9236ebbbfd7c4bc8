"""What a request must bring before it is served: our Host, a page of ours, a small ordinary form."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.types import Message

from gateway.console.browser import MAX_FORM_BYTES, Site, read_form
from gateway.console.login import mint_login
from gateway.door.http import TooSlow
from gateway.policy.engine import Entrypoint
from tests.console.house import ORIGIN, URL, House, RolesPolicy, a_house, csrf_of, fields

EVIL = "https://evil.example"
FORBIDDEN = [
    {},
    {"origin": EVIL},
    {"origin": "null"},
    {"origin": "http://127.0.0.1:3001"},
    {"origin": "https://127.0.0.1:3000"},
    {"origin": URL, "sec-fetch-site": "cross-site"},
    {"origin": URL, "sec-fetch-site": "same-site"},
    {"origin": URL, "sec-fetch-site": "none"},
    {"origin": EVIL, "sec-fetch-site": "same-origin"},
    {"sec-fetch-site": "cross-site"},
]


@pytest.mark.parametrize("headers", FORBIDDEN, ids=str)
async def test_a_form_from_elsewhere_changes_nothing(house: House, headers: dict[str, str]) -> None:
    """Even with a stolen CSRF token: another origin, another port, no origin, a sandboxed page."""
    pending = await house.waits()
    browser = await house.signed_in("bob")
    form = fields((await browser.get(f"/console/pending/{pending.key}")).text)

    done = await browser.post(
        f"/console/pending/{pending.key}/decide", data={**form, "verdict": "approve"}, headers=headers
    )

    assert done.status_code == 403
    assert await house.stored(pending) == pending
    assert house.book.entries == []


@pytest.mark.parametrize(
    "headers",
    [
        ORIGIN,
        {"origin": "null", "sec-fetch-site": "same-origin"},
        {"origin": URL, "sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "same-origin"},
    ],
    ids=str,
)
async def test_a_form_of_ours_is_taken(house: House, headers: dict[str, str]) -> None:
    """As scripts send it, and as browsers send it under no-referrer."""
    pending = await house.waits()
    browser = await house.signed_in("bob")
    form = fields((await browser.get(f"/console/pending/{pending.key}")).text)

    done = await browser.post(
        f"/console/pending/{pending.key}/decide", data={**form, "verdict": "approve"}, headers=headers
    )

    assert done.status_code == 200


@pytest.mark.parametrize("csrf", [None, "", "x", "ä" * 20])
async def test_a_form_without_the_csrf_token_changes_nothing(house: House, csrf: str | None) -> None:
    """Missing, empty, wrong, not ASCII."""
    pending = await house.waits()
    browser = await house.signed_in("bob")
    form = fields((await browser.get(f"/console/pending/{pending.key}")).text)
    del form["csrf"]
    if csrf is not None:
        form["csrf"] = csrf

    done = await browser.post(
        f"/console/pending/{pending.key}/decide", data={**form, "verdict": "approve"}, headers=ORIGIN
    )

    assert done.status_code == 403
    assert await house.stored(pending) == pending
    assert house.book.entries == []


@pytest.mark.parametrize("host", ["evil.example", "evil.example:3000", "127.0.0.1.evil.example", "[", ""])
async def test_another_host_name_is_not_served(house: House, host: str) -> None:
    """DNS rebinding: the victim's browser reaches us under the attacker's name."""
    pending = await house.waits()
    browser = await house.signed_in("bob")

    for path in ("/console/", f"/console/pending/{pending.key}", f"/console/login/{'a' * 43}"):
        response = await browser.get(path, headers={"host": host})
        assert response.status_code == 403
        assert "create_refund" not in response.text


@pytest.mark.parametrize("host", ["localhost:3000", "[::1]:3000"])
async def test_another_name_of_this_machine_is_served(house: House, host: str) -> None:
    """`localhost` for `127.0.0.1` is no attack."""
    assert (await house.browser().get("/console/", headers={"host": host})).status_code == 401


async def test_a_large_form_is_not_read(house: House) -> None:
    """The body is bounded, announced or not."""
    browser = await house.signed_in("bob")

    done = await browser.post("/console/logout", data={"csrf": "x" * MAX_FORM_BYTES}, headers=ORIGIN)

    assert done.status_code == 413


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"csrf=a&csrf=b", "application/x-www-form-urlencoded"),
        (b"csrf", "application/x-www-form-urlencoded"),
        (b"csrf=%ff", "application/x-www-form-urlencoded"),
        (b"csrf=\xff", "application/x-www-form-urlencoded"),
        (b"&".join(b"f%d=1" % n for n in range(9)), "application/x-www-form-urlencoded"),
        (b'{"csrf": "a"}', "application/json"),
        (b"csrf=a", "text/plain"),
    ],
)
async def test_a_form_that_is_no_ordinary_form_is_refused(house: House, body: bytes, kind: str) -> None:
    """A field twice, no text, another type: nothing is guessed."""
    browser = await house.signed_in("bob")

    done = await browser.post("/console/logout", content=body, headers={**ORIGIN, "content-type": kind})

    assert done.status_code == 400
    assert (await browser.get("/console/")).status_code == 200


@pytest.mark.parametrize("missing", ["transaction_id", "view_hash", "verdict"])
async def test_an_incomplete_decision_is_none(house: House, missing: str) -> None:
    """Without what was shown, nothing can be signed."""
    pending = await house.waits()
    browser = await house.signed_in("bob")
    form = {**fields((await browser.get(f"/console/pending/{pending.key}")).text), "verdict": "approve"}
    del form[missing]

    done = await browser.post(f"/console/pending/{pending.key}/decide", data=form, headers=ORIGIN)

    assert done.status_code == 400
    assert await house.stored(pending) == pending


@pytest.mark.parametrize("key", ["0" * 64, "x", "A" * 64])
async def test_what_never_waited_takes_no_decision(house: House, key: str) -> None:
    """A made-up address."""
    browser = await house.signed_in("bob")
    form = {"csrf": await csrf_of(browser), "transaction_id": "t", "view_hash": "v", "verdict": "approve"}

    done = await browser.post(f"/console/pending/{key}/decide", data=form, headers=ORIGIN)

    assert done.status_code == 404
    assert house.book.entries == []


async def test_a_get_decides_nothing(house: House) -> None:
    """Not even with everything in the address."""
    pending = await house.waits()
    browser = await house.signed_in("bob")
    form = {**fields((await browser.get(f"/console/pending/{pending.key}")).text), "verdict": "approve"}

    assert (await browser.get(f"/console/pending/{pending.key}/decide", params=form)).status_code == 405
    assert await house.stored(pending) == pending


async def test_with_https_the_cookie_is_bound_to_the_host(tmp_path: Path) -> None:
    """Secure, `__Host-`, HSTS; and a form of the plain-http twin is foreign."""
    url = "https://pay.example"
    async with a_house(tmp_path, public_url=url) as house:
        browser = house.browser(base_url=url)
        token = await mint_login(house.store, subject="bob", roles=("approver",), now=house.clock)
        foreign = await browser.post(
            "/console/login", data={"token": token}, headers={"origin": "http://pay.example"}
        )
        done = await browser.post("/console/login", data={"token": token}, headers={"origin": url})
        page = await browser.get("/console/")

    assert foreign.status_code == 403
    cookie = done.headers["set-cookie"]
    assert cookie.startswith("__Host-countersign=")
    assert {"Secure", "HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))
    assert "domain" not in cookie.lower()
    assert page.status_code == 200
    assert page.headers["strict-transport-security"] == "max-age=31536000"


async def test_behind_a_path_prefix_links_and_cookie_carry_it(tmp_path: Path) -> None:
    """A reverse proxy that strips `/gw` still gets pages whose links work."""
    async with a_house(tmp_path, public_url="http://127.0.0.1:3000/gw") as house:
        browser = house.browser()
        token = await mint_login(house.store, subject="bob", roles=("approver",), now=house.clock)
        page = await browser.get(f"/console/login/{token}")
        done = await browser.post("/console/login", data={"token": token}, headers=ORIGIN)

    assert 'action="/gw/console/login"' in page.text
    assert done.headers["location"] == "/gw/console/"
    assert "Path=/gw/console" in done.headers["set-cookie"]


@pytest.mark.parametrize("url", ["", "ftp://host", "http://", "console"])
def test_a_console_without_an_address_is_refused(url: str) -> None:
    """No public URL means no origin to compare with."""
    with pytest.raises(ValueError, match="public"):
        Site(url)


class _Exploding(RolesPolicy):
    async def ask(self, entrypoint: Entrypoint, document: dict[str, Any]) -> Any:
        raise RuntimeError("secret cause")


async def test_an_unexpected_failure_is_a_page_without_its_cause(tmp_path: Path) -> None:
    """The stack trace is the server's, not the visitor's."""
    async with a_house(tmp_path, policy=_Exploding()) as house:
        cookies = (await house.signed_in("bob")).cookies
        transport = httpx.ASGITransport(house.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=URL, cookies=cookies) as client:
            page = await client.get("/console/")

    assert page.status_code == 500
    assert "secret cause" not in page.text
    assert page.headers["x-frame-options"] == "DENY"


async def test_a_form_that_never_ends_is_not_waited_for() -> None:
    """A byte a minute would hold a slot for years, and the login form is read for strangers."""

    async def receive() -> Message:
        if not sent:
            sent.append(True)
            return {"type": "http.request", "body": b"token=", "more_body": True}
        return await asyncio.Future()

    sent: list[bool] = []
    headers = [(b"content-type", b"application/x-www-form-urlencoded")]
    request = Request({"type": "http", "method": "POST", "headers": headers}, receive)
    with pytest.raises(TooSlow) as caught:
        await read_form(request, deadline_s=0.01)
    assert caught.value.http_status == 408

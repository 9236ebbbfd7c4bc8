"""The console in a real Chromium: cookies, Origin and content policy as a browser has them, not as we think it has.

Set `COUNTERSIGN_SCREENSHOTS` to a folder to keep pictures of the pages.
"""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
import uvicorn
from starlette.applications import Starlette

from gateway.outcome.pending import Pending, Status
from gateway.policy.decision import ConfirmObligation
from gateway.policy.money import Money
from tests.console.house import House, a_house, a_pending, moved
from tests.console.webdriver import Browser, chromium, missing
from tests.support import parts

SCREENSHOTS = os.environ.get("COUNTERSIGN_SCREENSHOTS")


@pytest.fixture(autouse=True)
def _a_browser() -> None:
    """Skipped with the reason where there is no Chromium, and failed in CI."""
    if (reason := missing()) is not None:
        parts.missing(reason)


@asynccontextmanager
async def served(app: Starlette, listener: socket.socket) -> AsyncIterator[None]:
    """The app on a real socket, in this event loop."""
    config = uvicorn.Config(app, lifespan="off", ws="none", log_level="warning", access_log=False)
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield
    finally:
        server.should_exit = True
        await running


@asynccontextmanager
async def at_the_console(folder: Path) -> AsyncIterator[tuple[House, Browser, str]]:
    """A console on a free port, and a browser that is not signed in."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        async with (
            a_house(folder, public_url=url) as house,
            served(house.app, listener),
            chromium(folder) as browser,
        ):
            yield house, browser, url


async def picture(browser: Browser, name: str) -> None:
    """Keep pictures of a page, where somebody asked for them: desk and phone, light and dark."""
    if SCREENSHOTS is None:
        return
    for size, (width, height) in {"desk": (1100, 700), "phone": (390, 760)}.items():
        for scheme in ("light", "dark"):
            await browser.window(width, height, dark=scheme == "dark")
            await browser.screenshot(Path(SCREENSHOTS) / f"{name}-{size}-{scheme}.png")


async def test_a_person_signs_in_looks_approves_and_signs_out(tmp_path: Path) -> None:
    """The whole way, with the browser's own Origin, cookies, and content security policy."""
    async with at_the_console(tmp_path) as (house, browser, url):
        await browser.open(f"{url}/console/")
        assert "countersign console link" in await browser.text()
        await picture(browser, "signed-out")

        token = await house.link("bob")
        await browser.open(f"{url}/console/login/{token}")
        assert "bob" in await browser.text("main")
        await picture(browser, "login")
        await browser.follow("button.primary")
        assert "Nothing waits." in await browser.text()
        await picture(browser, "empty")
        [cookie] = await browser.cookies()
        assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Strict", "/console")

        pending = await house.waits()
        await _and_more(house)
        await browser.open(f"{url}/console/")
        assert "12.00 USD" in await browser.text()
        await picture(browser, "list")

        await browser.follow(f'a[href$="{pending.key}"]')
        assert "3C679366HH908993F" in await browser.text()
        # The stylesheet was let through by the policy: the green button is not the browser's grey.
        assert await browser.style("button.approve", "border-top-left-radius") == "8px"
        await picture(browser, "detail")
        await browser.follow("button.approve")
        assert "Your approval is recorded" in await browser.text()
        await picture(browser, "approved")

        stored = await house.stored(pending)
        assert stored is not None
        assert [(one.who, one.view_hash) for one in stored.confirmations] == [("bob", pending.view.view_hash)]

        await browser.follow(".who button")
        assert "Signed out" in await browser.text()
        assert await browser.cookies() == []
        refused = [line for line in await browser.console_errors() if "Content Security Policy" in line]
        assert refused == []


async def test_a_deceiving_call_cannot_pass_for_another(tmp_path: Path) -> None:
    """Scripts do not run, nothing is wider than its page, and what deceives the eye is on the screen."""
    async with at_the_console(tmp_path) as (house, browser, url):
        pending = await house.waits(a_deceiver(house.clock()))
        await browser.open(f"{url}/console/login/{await house.link('bob')}")
        await browser.follow("button.primary")
        await browser.window(390, 760, dark=False)
        await browser.open(f"{url}/console/pending/{pending.key}")
        await picture(browser, "deceiver")

        text = await browser.text()
        assert "<script>document.title='owned'</script>" in text
        assert "CYRILLIC SMALL LETTER ER" in text
        assert "<U+202E>" in text
        assert await browser.script("return document.title") != "owned"
        # Digits after a right-to-left word stay after it: shown in the order in which it is sent.
        assert await browser.script(_ORDER_ON_SCREEN) is True
        assert await browser.count("script, img, iframe") == 0
        assert await browser.script("return document.documentElement.scrollWidth") <= 390


async def test_two_people_sign_one_takes_it_back_and_the_payee_is_not_who_it_seems(tmp_path: Path) -> None:
    """A quorum of two at one desk after the other, by keyboard alone; progress, names and the spoofed payee are in the
    words of the page, in the list as well."""
    async with at_the_console(tmp_path) as (house, browser, url):
        spoofed = Money(amount="900.00", currency="USD", payee="p\u0430ypal@example.com", source="lookup")
        two = ConfirmObligation(by=("human",), quorum=2)
        pending = await house.waits(a_pending(house.clock(), money=spoofed, obligation=two))
        page = f"{url}/console/pending/{pending.key}"

        await _signs_in(house, browser, url, "bob")
        listed = await browser.text("main")
        assert "look-alike letters" in listed
        assert "0 of 2" in listed
        await browser.open(page)
        assert "CYRILLIC SMALL LETTER A" in await browser.text(".hero")
        await picture(browser, "spoofed-payee")
        await _press_by_keyboard(browser, "button.approve")
        assert "1 of 2: one more person has to approve" in await browser.text()

        await _signs_in(house, browser, url, "eve")
        listed = await browser.text("main")
        assert "1 of 2" in listed
        assert "by bob" in listed
        await picture(browser, "quorum-list")
        await browser.open(page)
        assert "bob, human by link" in await browser.text()
        assert await browser.count("button.revoke") == 0
        await _press_by_keyboard(browser, "button.approve")
        assert "Nothing has been sent yet" in await browser.text()

        await browser.open(page)
        assert "You approved this." in await browser.text()
        assert await browser.count("button.approve") == 0
        await picture(browser, "quorum-signed")
        await _press_by_keyboard(browser, "button.revoke")
        assert "Approval taken back" in await browser.text()
        await picture(browser, "taken-back")
        stored = await house.stored(pending)
        assert stored is not None
        assert [one.who for one in stored.confirmations] == ["bob"]
        assert not [line for line in await browser.console_errors() if "Content Security Policy" in line]


async def test_another_site_can_neither_frame_the_console_nor_send_its_forms(tmp_path: Path) -> None:
    """Clickjacking and forged forms, by a page of another origin in the very browser that is signed in."""
    async with at_the_console(tmp_path) as (house, browser, url):
        pending = await house.waits()
        await browser.open(f"{url}/console/login/{await house.link('bob')}")
        await browser.follow("button.primary")
        evil = tmp_path / "evil.html"
        evil.write_text(
            f'<iframe src="{url}/console/pending/{pending.key}"></iframe>'
            f'<form method="post" action="{url}/console/pending/{pending.key}/decide">'
            f'<input name="transaction_id" value="{pending.transaction_id}">'
            f'<input name="view_hash" value="{pending.view.view_hash}">'
            '<button name="verdict" value="approve">Win a prize</button></form>'
        )

        await browser.open(evil.as_uri())
        assert any("frame" in line.lower() for line in await browser.console_errors())
        await browser.follow("button")

        assert "did not come from a page of this console" in await browser.text()
        assert await house.stored(pending) == pending


_ORDER_ON_SCREEN = """
  const value = [...document.querySelectorAll('.lines dd bdi')].find(one => one.textContent.startsWith('12 '));
  const edges = [...value.childNodes].map(node => {
    const range = document.createRange(); range.selectNodeContents(node); return range.getBoundingClientRect().left; });
  return edges.length === 3 && edges[0] < edges[1] && edges[1] < edges[2];
"""


def a_deceiver(now: float) -> Pending:
    """A call that tries every trick at once."""
    return a_pending(
        now,
        money=Money(amount="900.00", currency="USD", payee="раypal@example.com", source="lookup"),  # noqa: RUF001
        arguments={
            "note": "<script>document.title='owned'</script>",
            "memo": "refund\u202eDSU 00.1",
            "z": "Z" + "\u0300\u0301\u0302" * 40,
            "hebrew": "12 \u05d0\u05d1\u05d2 34",
            "long": "W" * 900,
            "items": [{"name": f"Item {number}", "quantity": str(number)} for number in range(3)],
        },
    )


async def _and_more(house: House) -> None:
    """A few neighbours for the list, each in another state."""
    now = house.clock()
    obligation = ConfirmObligation(by=("human",), quorum=2, ttl_seconds=4000)
    unknown = Money(amount=None, currency=None, payee=None, source="unknown")
    await house.waits(_as("c", a_deceiver(now)))
    await house.waits(_as("e", a_pending(now, money=None, tool="cancel_subscription", obligation=obligation)))
    await house.waits(_as("f", a_pending(now, money=unknown, tool="accept_dispute_claim")))
    no = await house.waits(_as("b", a_pending(now, tool="pay_order")))
    assert await house.waiting.replace(no, moved(no, status=Status.REFUSED, refused_by="eve"))


async def _signs_in(house: House, browser: Browser, url: str, who: str) -> None:
    await browser.open(f"{url}/console/login/{await house.link(who)}")
    await browser.follow("button.primary")


async def _press_by_keyboard(browser: Browser, selector: str) -> None:
    """Focus it as the tab key does, see that a reader has a name for it, and press Enter."""
    await browser.script(f"document.querySelector('{selector}').focus()")
    assert await browser.script("return document.activeElement.innerText.trim().length > 0") is True
    assert await browser.style(selector, "outline-style") != "none"
    await browser.enter(selector)


def _as(digit: str, pending: Pending) -> Pending:
    return moved(pending, binding=msgspec.structs.replace(pending.binding, arguments_hash=digit * 64))

"""The pages of the person who decides and of the one who operates, in a real Chromium: read, pressed, photographed.

Set `COUNTERSIGN_SCREENSHOTS` to a folder to keep pictures of the pages.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from gateway.kill.orders import read_orders
from gateway.outcome.before import NO_ANSWER
from gateway.outcome.pending import Pending
from gateway.outcome.view import Before, change, with_before
from gateway.transactions.book import TransactionBook
from gateway.transactions.transaction import How, State
from gateway.upstream.paypal.simulator.seeds import OPEN_DISPUTE
from gateway.upstream.target import Effect
from tests.console.house import a_pending
from tests.console.test_browser import at_the_console, picture
from tests.console.webdriver import Browser, chromium, missing
from tests.support import parts
from tests.support.answers import approve_url_of
from tests.support.calls import until_confirmation
from tests.support.house import running_house
from tests.support.transactions import a_transaction

UNKNOWN = a_transaction(
    "7f0c3a52-4d39-4c42-9f0e-7a3f6f0f6c11",
    state=State.SETTLED,
    outcome=Effect.UNKNOWN,
    how=How.NOBODY,
    debug_id="f0a3",
)


@pytest.fixture(autouse=True)
def _a_browser() -> None:
    """Skipped with the reason where there is no Chromium, and failed in CI."""
    if (reason := missing()) is not None:
        parts.missing(reason)


def an_update(now: float, before: Before) -> Pending:
    """A dearer subscription that waits, with what was found at the target."""
    pending = a_pending(
        now,
        money=None,
        tool="update_subscription",
        arguments={
            "subscription_id": "I-BW452GLLEP1G",
            "currency_code": "USD",
            "fixed_price": {"sequence": 1, "value": "99.00"},
            "custom_id": "c-2",
        },
    )
    view = with_before(msgspec.structs.replace(pending.view, before=None), before)
    return msgspec.structs.replace(pending, view=view)


async def test_an_update_shows_what_is_there_beside_what_it_becomes(tmp_path: Path) -> None:
    """In the first screen, with what moves set apart in words and weight; marked where it deceives; never wider than a
    phone; and signed together with the call."""
    async with at_the_console(tmp_path) as (house, browser, url):
        before = Before(
            at=int(house.clock()),
            changes=(
                change("Status", "ACTIVE", None),
                change("Subscriber", "buyer@example.com", None),
                change("Price of billing cycle 1", "9.99 USD", "99.00 USD"),
                change("Own id", None, "c\u20112"),
            ),
        )
        pending = await house.waits(an_update(house.clock(), before))
        await signs_in(browser, f"{url}/console/login/{await house.link('bob')}")
        await browser.window(1100, 700, dark=False)
        await browser.open(f"{url}/console/pending/{pending.key}")
        await shot(browser, "update")
        await browser.window(1100, 700, dark=False)
        table = await browser.text(".before-after")
        for shown in ("Now", "After", "9.99 USD", "99.00 USD", "not told", "stays"):
            assert shown in table
        assert await browser.style("tr.moves td:last-child strong", "font-weight") == "700"
        assert "NON-BREAKING HYPHEN" in table
        assert await browser.script(_IN_FIRST_SCREEN) is True
        await browser.window(390, 760, dark=False)
        await browser.open(f"{url}/console/pending/{pending.key}")
        assert await browser.script("return document.documentElement.scrollWidth") <= 390
        await browser.follow("button.approve")
        stored = await house.stored(pending)
        assert stored is not None
        assert [one.view_hash for one in stored.confirmations] == [pending.view.view_hash]


async def test_what_could_not_be_read_is_said(tmp_path: Path) -> None:
    """In words, before the buttons; the decision stays the person's."""
    async with at_the_console(tmp_path) as (house, browser, url):
        unread = Before(at=int(house.clock()), unreadable=NO_ANSWER)
        pending = await house.waits(an_update(house.clock(), unread))
        await signs_in(browser, f"{url}/console/login/{await house.link('bob')}")
        await browser.open(f"{url}/console/pending/{pending.key}")
        await shot(browser, "unreadable")
        assert "What is there now could not be read." in await browser.text(".changes")
        assert await browser.count("button.approve") == 1


async def test_a_waiting_call_is_stopped_from_its_page_and_lifted_again(tmp_path: Path) -> None:
    """The whole gateway: the dispute as PayPal has it, the form filled in from the page, the reason on record."""
    async with running_house(tmp_path) as house, chromium(tmp_path) as browser:
        waiting = await until_confirmation(
            house, "accept_dispute_claim", {"dispute_id": OPEN_DISPUTE, "note": "Sorry."}
        )
        await signs_in(browser, await house.login("ops", ("approver", "operator")))
        await shot(browser, "waiting")
        await browser.open(approve_url_of(waiting))
        assert "WAITING_FOR_SELLER_RESPONSE" in await browser.text(".before-after")
        await shot(browser, "dispute")
        await browser.follow('a[href*="kind=tool"]')
        assert (
            await browser.script("return document.querySelector('[name=value]').value")
            == "accept_dispute_claim"
        )
        await browser.script("document.querySelector('[name=reason]').value = 'Too many disputes.'")
        await shot(browser, "stop")
        await browser.follow("button.stop-button")
        assert "1 waiting call is void" in await browser.text()
        await shot(browser, "stopped")
        await browser.follow("a.button")
        assert "Too many disputes." in await browser.text(".cards")
        await shot(browser, "stops")
        await browser.script("document.querySelector('form.row [name=reason]').value = 'Looked into.'")
        await browser.follow("button.revoke")
        assert "Lifted" in await browser.text("h1")
        assert await read_orders(house.gateway.store) == ()
        assert [one["note"] for one in house.records("admin") if one["status"] != "opened"] == [
            "Too many disputes.",
            "Looked into.",
        ]
        assert house.paypal_writes == []
        await no_policy_was_broken(browser)


async def test_an_unknown_transaction_is_found_and_settled(tmp_path: Path) -> None:
    """From the navigation to the record."""
    async with running_house(tmp_path) as house, chromium(tmp_path) as browser:
        assert await TransactionBook(house.gateway.store).open(UNKNOWN)
        await signs_in(browser, await house.login("ops", ("operator",)))
        await browser.follow('nav a[href$="/transactions"]')
        await shot(browser, "transactions")
        await browser.follow("a.cover")
        assert "f0a3" in await browser.text(".facts-grid")
        await shot(browser, "transaction")
        await browser.follow("button.approve")
        assert "It is on record that create_refund was carried out" in await browser.text()
        await browser.follow("a.button")
        assert "Nothing is unknown." in await browser.text()
        settled = await TransactionBook(house.gateway.store).find(UNKNOWN.transaction_id)
        assert settled is not None
        assert settled.settled_by == "ops"
        await no_policy_was_broken(browser)


_IN_FIRST_SCREEN = """
  const row = document.querySelector('tr.moves').getBoundingClientRect();
  return row.top >= 0 && row.bottom <= window.innerHeight;
"""


async def shot(browser: Browser, name: str) -> None:
    """Pictures of a page; afterwards it is at the desk again."""
    await picture(browser, name)
    await browser.window(1100, 700, dark=False)


async def signs_in(browser: Browser, link: str) -> None:
    """By the link, as the person does."""
    await browser.open(link)
    await browser.follow("button.primary")


async def no_policy_was_broken(browser: Browser) -> None:
    """Nothing on the pages was refused by the content security policy."""
    assert not [line for line in await browser.console_errors() if "Content Security Policy" in line]

"""Sessions: short idle time, bounded life, ended by signing out, never fixed by somebody else."""

import hashlib

import httpx
import pytest

from gateway.console.person import Person
from gateway.console.session import IDLE_S, LIFE_S, Sessions
from gateway.state.store import Space
from tests.console.house import ORIGIN, House, fields, press

ALICE = Person(issuer="countersign:link", subject="alice", roles=("approver",), assurance="link")


async def test_the_store_knows_only_the_hash(house: House) -> None:
    """Whoever reads the store cannot take a session over."""
    session_id = await Sessions(house.store, now=house.clock).start(ALICE)

    [(key, value)] = await house.store.entries(Space.SESSION, limit=10)

    assert key == hashlib.sha256(session_id.encode()).hexdigest()
    assert session_id.encode() not in value


async def test_an_idle_session_ends(house: House) -> None:
    """Half an hour without a page; the button of an old page decides nothing."""
    pending = await house.waits()
    browser = await house.signed_in("bob")
    page = await browser.get(f"/console/pending/{pending.key}")
    house.clock.seconds += IDLE_S

    done = await browser.post(
        f"/console/pending/{pending.key}/decide",
        data={**fields(page.text), "verdict": "approve"},
        headers=ORIGIN,
    )

    assert done.status_code == 401
    assert await house.stored(pending) == pending


async def test_use_keeps_a_session_alive_until_its_life_is_over(house: House) -> None:
    """A busy session ends after eight hours all the same."""
    browser = await house.signed_in("bob")
    began = house.clock()
    while house.clock() + IDLE_S - 1 < began + LIFE_S:
        house.clock.seconds += IDLE_S - 1
        assert (await browser.get("/console/")).status_code == 200
    house.clock.seconds = began + LIFE_S

    assert (await browser.get("/console/")).status_code == 401


async def test_signing_out_ends_the_session_everywhere(house: House) -> None:
    """A copy of the cookie is worth nothing afterwards."""
    browser = await house.signed_in("bob")
    thief = house.browser()
    thief.cookies = httpx.Cookies(browser.cookies)
    assert (await thief.get("/console/")).status_code == 200
    page = await browser.get("/console/")

    done = await browser.post("/console/logout", data=fields(page.text), headers=ORIGIN)

    assert done.status_code == 200
    assert (await thief.get("/console/")).status_code == 401
    assert await house.store.entries(Space.SESSION, limit=10) == []


async def test_signing_out_needs_the_csrf_token(house: House) -> None:
    """Nobody is signed out by a foreign form."""
    browser = await house.signed_in("bob")

    assert (await browser.post("/console/logout", data={"csrf": "x"}, headers=ORIGIN)).status_code == 403
    assert (await browser.get("/console/")).status_code == 200


async def test_signing_in_starts_a_new_id_and_ends_the_old_session(house: House) -> None:
    """Session fixation: an id that somebody planted before is worth nothing after."""
    browser = await house.signed_in("bob")
    planted = dict(browser.cookies)
    done = await browser.post("/console/login", data={"token": await house.link("eve")}, headers=ORIGIN)
    old = house.browser()
    old.cookies = httpx.Cookies(planted)

    assert done.status_code == 303
    assert dict(browser.cookies) != planted
    assert (await old.get("/console/")).status_code == 401


@pytest.mark.parametrize("session_id", [None, "", "a" * 43, "a" * 42, "*" * 43])
async def test_made_up_ids_are_nobody(house: House, session_id: str | None) -> None:
    """No id, a guessed one and a malformed one."""
    assert await Sessions(house.store, now=house.clock).find(session_id) is None


async def test_a_touch_does_not_bring_an_ended_session_back(house: House) -> None:
    """The idle clock is set by compare-and-set."""
    sessions = Sessions(house.store, now=house.clock)
    session_id = await sessions.start(ALICE)
    await sessions.end(session_id)

    assert await sessions.find(session_id) is None
    assert await house.store.entries(Space.SESSION, limit=10) == []


@pytest.mark.parametrize("path", ["/console/", "/console/pending/" + "a" * 64])
async def test_without_a_session_every_page_says_how_to_get_one(house: House, path: str) -> None:
    """401 with the command to type."""
    page = await house.browser().get(path)

    assert page.status_code == 401
    assert "countersign console link" in page.text


async def test_a_link_from_elsewhere_leads_through_a_page_of_ours(house: House) -> None:
    """A strict cookie does not come with a click on another site; it does come with a click on ours."""
    pending = await house.waits()
    page = await house.browser().get(
        f"/console/pending/{pending.key}", headers={"sec-fetch-site": "cross-site"}
    )

    assert page.status_code == 401
    assert f'href="/console/pending/{pending.key}"' in page.text


async def test_a_damaged_session_is_nobody(house: House) -> None:
    """What cannot be read as a session opens nothing."""
    sessions = Sessions(house.store, now=house.clock)
    session_id = await sessions.start(ALICE)
    key = hashlib.sha256(session_id.encode()).hexdigest()
    await house.store.put(Space.SESSION, key, b'{"person": {}}', ttl_s=60)

    assert await sessions.find(session_id) is None


async def test_one_session_cannot_use_the_csrf_token_of_another(house: House) -> None:
    """A token belongs to the session it was made for."""
    pending = await house.waits()
    bob, eve = await house.signed_in("bob"), await house.signed_in("eve")
    of_eve = fields((await eve.get(f"/console/pending/{pending.key}")).text)["csrf"]

    done = await press(bob, pending, "approve", csrf=of_eve)

    assert done.status_code == 403
    assert await house.stored(pending) == pending

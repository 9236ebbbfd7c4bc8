"""One-time links: single use, short-lived, and opened by anything without harm."""

import asyncio
import hashlib
from typing import Any

import pytest

from gateway.console.login import LINK_ISSUER, LINK_TTL_S, LoginLinks, mint_login
from gateway.state.store import Space
from tests.console.house import ORIGIN, House, fields

SESSION_COOKIE = "countersign_console"


async def test_the_store_knows_only_the_hash(house: House) -> None:
    """Whoever reads the store cannot sign in with what is there."""
    token = await house.link("alice")

    entries = await house.store.entries(Space.LOGIN, limit=10)

    assert [key for key, _ in entries] == [hashlib.sha256(token.encode()).hexdigest()]
    assert all(token.encode() not in value for _, value in entries)
    assert len(token) == 43


async def test_opening_the_link_consumes_nothing(house: House) -> None:
    """Link previews and scanners open links; the person can still sign in afterwards."""
    token = await house.link("alice")
    preview = house.browser()
    for _ in range(3):
        page = await preview.get(f"/console/login/{token}")
        assert page.status_code == 200
        assert "set-cookie" not in page.headers
        assert "alice" in page.text
        assert (await preview.head(f"/console/login/{token}")).status_code == 200

    form = fields((await preview.get(f"/console/login/{token}")).text)
    done = await house.browser().post("/console/login", data=form, headers=ORIGIN)

    assert done.status_code == 303
    assert done.headers["location"] == "/console/"


async def test_a_link_works_once(house: House) -> None:
    """The second press, and the second page view, are told that the link was used."""
    token = await house.link("alice")
    first = await house.browser().post("/console/login", data={"token": token}, headers=ORIGIN)
    second = await house.browser().post("/console/login", data={"token": token}, headers=ORIGIN)
    page = await house.browser().get(f"/console/login/{token}")

    assert (first.status_code, second.status_code, page.status_code) == (303, 401, 401)
    assert "set-cookie" not in second.headers
    assert "countersign console link" in second.text
    assert len(await house.store.entries(Space.SESSION, limit=10)) == 1


async def test_of_many_redeemers_one_is_signed_in(house: House) -> None:
    """A link that was copied gives one session, whoever is first."""
    links = LoginLinks(house.store, now=house.clock)
    token = await house.link("alice")

    people = await asyncio.gather(*(links.redeem(token) for _ in range(8)))

    assert [person.subject for person in people if person] == ["alice"]


async def test_an_old_link_is_refused_even_if_the_store_still_has_it(house: House) -> None:
    """The link's own time counts besides the store's."""
    token = await house.link("alice")
    house.clock.seconds += LINK_TTL_S

    assert (await house.browser().get(f"/console/login/{token}")).status_code == 401
    done = await house.browser().post("/console/login", data={"token": token}, headers=ORIGIN)

    assert done.status_code == 401
    assert await house.store.entries(Space.SESSION, limit=10) == []


@pytest.mark.parametrize("token", ["", "x" * 43, "a" * 42, "a" * 44, "../" + "a" * 40, "ä" * 43])
async def test_made_up_tokens_are_nobody(house: House, token: str) -> None:
    """Unknown and malformed tokens get the same answer, and no session."""
    done = await house.browser().post("/console/login", data={"token": token}, headers=ORIGIN)

    assert done.status_code == 401
    assert "set-cookie" not in done.headers


async def test_the_cookie_cannot_be_read_or_sent_from_elsewhere(house: House) -> None:
    """HttpOnly, SameSite=Strict and the console's own path."""
    done = await house.browser().post(
        "/console/login", data={"token": await house.link("alice")}, headers=ORIGIN
    )

    cookie = done.headers["set-cookie"]
    assert cookie.startswith(f"{SESSION_COOKIE}=")
    assert {"HttpOnly", "SameSite=strict", "Path=/console"} <= set(cookie.split("; "))
    assert "Secure" not in cookie.split("; ")  # plain http on loopback; test_browser_rules has the https case


async def test_a_foreign_page_cannot_sign_its_victim_in(house: House) -> None:
    """Login CSRF: the attacker's link is not even burnt, and no session begins."""
    token = await house.link("mallory")
    for headers in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}, {}):
        done = await house.browser().post("/console/login", data={"token": token}, headers=headers)
        assert done.status_code == 403

    assert await house.store.entries(Space.SESSION, limit=10) == []
    assert await LoginLinks(house.store, now=house.clock).peek(token) is not None


async def test_a_link_names_its_issuer_and_assurance(house: House) -> None:
    """What a link proves is `link`, of an issuer that no identity provider has."""
    person = await LoginLinks(house.store, now=house.clock).redeem(await house.link("alice"))

    assert person is not None
    assert (person.issuer, person.assurance, person.roles) == (LINK_ISSUER, "link", ("approver",))


@pytest.mark.parametrize(
    "wrong",
    [
        {"subject": ""},
        {"subject": " "},
        {"subject": "a" * 201},
        {"subject": "ali\u202ece"},
        {"roles": ()},
        {"roles": ("",)},
        {"ttl_s": 0},
        {"ttl_s": 3601},
    ],
)
async def test_links_that_make_no_sense_are_not_minted(house: House, wrong: dict[str, Any]) -> None:
    """Empty, endless and deceiving names, no roles, and lives out of bounds."""
    given: dict[str, Any] = {"subject": "alice", "roles": ("approver",), "ttl_s": 600, **wrong}

    with pytest.raises(ValueError, match="link" if "ttl_s" in wrong or wrong.get("roles") == () else "name"):
        await mint_login(house.store, now=house.clock, **given)

    assert await house.store.entries(Space.LOGIN, limit=10) == []


async def test_a_damaged_link_is_nobody(house: House) -> None:
    """What cannot be read as a link signs nobody in."""
    token = "a" * 43
    digest = hashlib.sha256(token.encode()).hexdigest()
    await house.store.put(Space.LOGIN, digest, b'{"subject": "root"}', ttl_s=60)

    assert await LoginLinks(house.store, now=house.clock).redeem(token) is None

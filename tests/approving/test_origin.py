"""Beside the tool stands where it comes from: proven, not proven, or only claimed (R132 to R135)."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from tests.approving.conftest import ETDI, WIRE, Desk
from tests.support.acme import TOOL, mounted_chain
from tests.support.console import Person, signed_in
from tests.support.depot import SHIP
from tests.support.house import House
from tests.support.keys import signing_key
from tests.support.tool_tokens import token


async def shown(house: House, person: Person, server: str, tool: str) -> dict[str, str]:
    """The facts of the section, by name; ``""`` is its first sentence, ``page`` the source of the whole."""
    page = (await person.open(f"{house.url}/console/tools/review?server={server}&tool={tool}")).text
    section = page.partition("<h2>Where it comes from</h2>")[2].partition("</section>")[0]
    plain = {
        unescape(name): _text(value)
        for name, value in re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", section, re.DOTALL)
    }
    first = re.search(r"<p>(.*?)</p>", section, re.DOTALL)
    return {**plain, "": _text(first[1]) if first else "", "page": page}


def _text(markup: str) -> str:
    return unescape(re.sub(r"<[^>]*>", "", markup)).strip()


async def test_a_proven_tool_and_the_same_after_its_token_was_revoked(tmp_path: Path) -> None:
    """Provider, issuer and token, each by itself; what the page says is what the next call is judged by."""
    async with mounted_chain(tmp_path) as chain, signed_in(chain.house, "ann", ("operator",)) as person:
        await chain.entry()
        facts = await shown(chain.house, person, "acme", TOOL)
        assert facts[""].startswith("You trust its provider and whoever issued its token")
        assert facts["Provider"] == "acme; trusted: yes"
        assert facts["Token"] == "valid: yes; claims verified"
        assert facts["Signature"] == "valid: yes"
        assert facts["For the tool"].startswith("acme.read ")
        assert "EXPIRED" not in facts["Expires"]
        (issued,) = await chain.shelves.tokens.all()
        await chain.shelves.tokens.revoke(issued.jti)
        await chain.entry()
        after = await shown(chain.house, person, "acme", TOOL)
        assert after["State"] == "error"
        assert after["Token"].startswith("valid: no")
        assert chain.token not in facts["page"] + after["page"]


async def test_a_tool_of_nobody(desk: Desk) -> None:
    """No token: an error, and what its author can do."""
    async with signed_in(desk.house, "ann", ("operator",)) as person:
        facts = await shown(desk.house, person, "depot", SHIP)
        assert (facts[""], facts["State"]) == ("Nobody whom you trust vouches for it.", "error")
        assert "countersign etdi migrate" in facts["page"]


async def test_a_tool_of_this_release(desk: Desk) -> None:
    """PayPal's own, whose definition is pinned: it needs no token, and is not scolded for having none."""
    async with signed_in(desk.house, "ann", ("operator",)) as person:
        facts = await shown(desk.house, person, "paypal", "create_refund")
        assert facts[""].startswith("This gateway's own release")
        assert "State" not in facts


@pytest.mark.parametrize("claim", ["iss", "aud", "tool_id", "scope"])
async def test_markup_in_a_claim_is_text(desk: Desk, claim: str) -> None:
    """Attack: an author's token that writes into the approver's page."""
    members: dict[str, Any] = {claim: '<img src=x onerror="alert(1)">'}
    hostile = token(signing_key(), **members)
    oauth = {"token": hostile, "provider": "<b>idp</b>"}
    desk.depot.tools = [{**WIRE, "_meta": {"dev.countersign/etdi": {**ETDI, "oauth": oauth}}}]
    desk.house.clock.advance(31)
    async with signed_in(desk.house, "ann", ("operator",)) as person:
        facts = await shown(desk.house, person, "depot", SHIP)
        assert "onerror" in facts["page"]
        assert "<img" not in facts["page"]
        assert "<b>idp" not in facts["page"]
        assert hostile not in facts["page"]

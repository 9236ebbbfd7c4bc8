"""The rules of a site, in a running gateway: an injected link, a quiet copy of the customers, and a lone approver."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.places import policies_folder
from gateway.workbench.cookbook import adding, recipes
from gateway.workbench.pack import read_pack
from gateway.workbench.scaffold import write
from tests.support.answers import approve_url_of, codes_of, status_of, token_of
from tests.support.calls import INVOICE, first_phase, invoice
from tests.support.console import signed_in
from tests.support.house import House, running_house
from tests.support.policies_live import revision_of, until_revision_changes
from tests.support.policy_copies import copied, judged_by
from tests.support.traces import Trace

COOKBOOK = {one.name: one for one in recipes(policies_folder().parent / "cookbook")}
LARGE = {
    **INVOICE,
    "items": [
        {"name": "Lamps", "quantity": "1", "unit_amount": {"currency_code": "USD", "value": "6000.00"}}
    ],
}


def add(policies: Path, *names: str) -> None:
    """As ``countersign policy add`` does it."""
    for name in names:
        write(adding(COOKBOOK[name], read_pack(policies)))


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """The policy that ships, with three recipes."""
    policies = copied(tmp_path)
    add(policies, "no_links_in_notes", "bulk_reads", "two_people")
    async with running_house(tmp_path, policy=judged_by(policies, timeout_s=20)) as running:
        yield running


async def test_a_link_in_a_note(house: House) -> None:
    """Refused in the first phase, and PayPal hears nothing; without the link the same call goes on."""
    trace = Trace(house)
    refused = await house.call("create_invoice", invoice("Pay at https://evil.example"))
    assert codes_of(refused)[0] == "site.link_in_note"
    trace.refused_unseen("site.link_in_note")
    token = await first_phase(house, "create_invoice", invoice("Thank you"))
    assert status_of(await house.call("create_invoice", invoice("Thank you"), state=token)) == "executed"


async def test_the_customers_in_one_page(house: House) -> None:
    """Too many rows are refused; some more than usual take the handshake, which an internal read takes nowhere else."""
    trace = Trace(house)
    refused = await house.call("list_invoices", {"page": 1, "page_size": 100})
    assert codes_of(refused)[0] == "site.bulk_read"
    trace.refused_unseen("site.bulk_read")
    page = {"page": 1, "page_size": 30}
    token = await first_phase(house, "list_invoices", page)
    assert trace.paypal == []
    assert status_of(await house.call("list_invoices", page, state=token)) == "executed"
    assert status_of(await house.call("list_invoices", {"page": 1, "page_size": 5})) == "executed"


async def test_a_lone_approver(house: House) -> None:
    """A large invoice waits for two different people, though its class asks for nobody; one of them twice is one."""
    token = await first_phase(house, "create_invoice", LARGE)
    waiting = await house.call("create_invoice", LARGE, state=token)
    assert status_of(waiting) == "confirmation_required", waiting
    url = approve_url_of(waiting)
    async with signed_in(house) as ann:
        await ann.approve(url)
        await ann.approve(url)
    trace = Trace(house)
    still = await house.call("create_invoice", LARGE, state=token_of(waiting))
    assert status_of(still) == "confirmation_required"
    assert trace.paypal == []
    async with signed_in(house, "approver-two") as another:
        await another.approve(url)
    done = await house.call("create_invoice", LARGE, state=token_of(still))
    assert status_of(done) == "executed"


async def test_a_rule_takes_effect_while_calls_go_on(tmp_path: Path) -> None:
    """The gateway with the embedded engine reads what was added, and refuses the next call."""
    policies = copied(tmp_path)
    async with running_house(tmp_path, policy=judged_by(policies, reload=True, timeout_s=20)) as house:
        linked = invoice("Pay at https://evil.example")
        await first_phase(house, "create_invoice", linked)
        old = await revision_of(house)
        add(policies, "no_links_in_notes")
        await until_revision_changes(house, old)
        trace = Trace(house)
        assert "site.link_in_note" in codes_of(await house.call("create_invoice", linked))
        assert trace.paypal == []

"""Bulk reading: the customers carried out page after page, each page small. The next page is not asked for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.policy.loading import CAPABILITIES
from gateway.settings.model import PolicySettings
from tests.support.answers import codes_of, status_of
from tests.support.house import OTHER_TOKEN, House, running_house
from tests.support.opa_process import OpaProcess
from tests.support.policy_copies import copied, edit_data
from tests.support.traces import Trace

PAGES = 5


@pytest.fixture
async def house(tmp_path: Path, opa_binary: Path) -> AsyncIterator[House]:
    """Five pages of invoices within ten minutes, said to a real OPA."""
    policies = copied(tmp_path)
    edit_data(policies, "usage", tools={"list_invoices": {"calls": {"ten_minutes": PAGES}}})
    (policies / ".manifest").rename(policies.parent / ".manifest")
    (policies.parent / CAPABILITIES).unlink()
    with OpaProcess(opa_binary, policies.parent) as opa:
        chosen = PolicySettings(engine="opa", opa_url=opa.url, timeout_s=20)
        async with running_house(tmp_path, policy=chosen) as running:
            running.clock.advance(-(running.clock() % 600))  # the beginning of ten minutes
            yield running


async def pages(house: House, first: int = 1, **how: str) -> None:
    """As many as may be read."""
    for number in range(first, first + PAGES):
        answer = await house.call("list_invoices", {"page": number, "page_size": 20}, **how)
        assert status_of(answer) == "executed"


async def test_page_after_page(house: House) -> None:
    """The sixth is refused and PayPal sees nothing of it; other tools, and other callers, go on."""
    await pages(house)
    trace = Trace(house)
    refused = await house.call("list_invoices", {"page": PAGES + 1, "page_size": 20})
    assert (status_of(refused), codes_of(refused)[0]) == ("refused", "usage.calls_exceeded")
    assert trace.paypal == []
    assert status_of(await house.call("list_products", {"page": 1, "page_size": 5})) == "executed"
    await pages(house, token=OTHER_TOKEN)


@pytest.mark.parametrize(
    "arguments",
    [{"page": 1, "page_size": 1}, {"page": 999, "page_size": 20}, {}, {"page_size": 20, "page": 2}],
    ids=["smaller", "elsewhere", "without a page", "another order"],
)
@pytest.mark.parametrize("era", ["modern", "legacy"])
async def test_another_page_is_a_page(house: House, arguments: dict[str, int], era: str) -> None:
    """Smaller, elsewhere in the list, spelt otherwise, in the other dialect of the protocol."""
    await pages(house, era=era)
    trace = Trace(house)
    other = "legacy" if era == "modern" else "modern"
    assert codes_of(await house.call("list_invoices", arguments, era=other))[0] == "usage.calls_exceeded"
    assert trace.paypal == []


async def test_slowly_is_as_fast_as_it_goes(house: House) -> None:
    """Five minutes later half of the five have slid out, and no more than that may be read."""
    await pages(house)
    house.clock.advance(600 + 300)
    answers = [await house.call("list_invoices", {"page": 1, "page_size": 20}) for _ in range(PAGES)]
    assert [status_of(one) for one in answers] == ["executed"] * 2 + ["refused"] * 3

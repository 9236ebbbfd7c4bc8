"""The whole way: built, signed, handed out by the gateway, polled and verified by OPA, and named in the record."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.bundle.acceptance import read_accepted
from tests.support.answers import codes_of, status_of
from tests.support.bundled_house import Bundled, running_on_bundles
from tests.support.calls import READ
from tests.support.traces import Trace


@pytest.fixture
async def bundled(tmp_path: Path, opa_binary: Path) -> AsyncIterator[Bundled]:
    """With the first bundle live."""
    async with running_on_bundles(tmp_path, opa_binary) as running:
        yield running


async def test_a_new_bundle_decides_and_is_in_the_record(bundled: Bundled) -> None:
    """Within OPA's polling interval, without a restart; each decision says by which revision."""
    first = await read_accepted(bundled.house.gateway.store)
    assert first is not None
    trace = Trace(bundled.house)
    assert status_of(await bundled.house.call("list_invoices", READ)) == "executed"
    assert trace.record["decision"]["revision"] == first.revision

    second = await bundled.published(2, tools=["list_invoices"])
    trace = Trace(bundled.house)
    answer = await bundled.house.call("list_invoices", READ)
    assert "environment.closed" in codes_of(answer)
    assert trace.paypal == []
    assert trace.record["decision"]["revision"] == second
    accepted = await read_accepted(bundled.house.gateway.store)
    assert accepted is not None
    assert (accepted.revision, accepted.before) == (second, first.revision)

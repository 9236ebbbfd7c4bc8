"""An old bundle, signed and whole, is put back because it lets through what the new one forbids."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.bundle.acceptance import accept
from gateway.bundle.revision import sequenced
from gateway.kill.orders import give
from tests.kill.test_orders import an_order
from tests.support.answers import codes_of, status_of
from tests.support.bundled_house import Bundled, running_on_bundles
from tests.support.calls import READ, first_phase, invoice
from tests.support.policies_live import revision_of
from tests.support.traces import Trace


@pytest.fixture
async def bundled(tmp_path: Path, opa_binary: Path) -> AsyncIterator[Bundled]:
    """Real OPA, polling the gateway."""
    async with running_on_bundles(tmp_path, opa_binary) as running:
        yield running


async def test_an_older_revision_decides_nothing_until_somebody_says_so(bundled: Bundled) -> None:
    """OPA takes it: the signature is good. The gateway does not hear it, until an operator accepts it by name."""
    old = await revision_of(bundled.house)
    house, before = bundled.house, (bundled.dist / "default.tar.gz").read_bytes()
    new = await bundled.published(2, tools=["list_invoices"])
    assert "environment.closed" in codes_of(await house.call("list_invoices", READ))

    bundled.put(before)
    await bundled.until_opa_has(old)
    for tool, arguments in (("list_invoices", READ), ("create_invoice", invoice("rolled back"))):
        trace = Trace(house)
        assert codes_of(await house.call(tool, arguments)) == ["policy.rolled_back"]
        trace.refused_unseen("policy.rolled_back")
        assert trace.record["decision"]["revision"] == old
    assert (await house.http.get("/readyz")).status_code == 503

    found = sequenced(old)
    assert found is not None
    await accept(house.gateway.store, found, by="olga", now=house.clock())
    await bundled.until_ready()
    assert status_of(await house.call("list_invoices", READ)) == "executed"
    # What was left does not come back by itself.
    await bundled.published(2, tools=["list_invoices"])
    assert await revision_of(house) == new
    assert codes_of(await house.call("list_invoices", READ)) == ["policy.rolled_back"]


async def test_a_token_granted_under_a_revoked_revision_is_void(bundled: Bundled) -> None:
    """While OPA still decides by it, and after it decides by another; one that was presented is burnt."""
    house = bundled.house
    revision = await revision_of(house)
    tokens = [await first_phase(house, "create_invoice", invoice(f"revoked {n}")) for n in range(2)]
    await give(house.gateway.store, an_order("revision", revision))
    trace = Trace(house)
    answer = await house.call("create_invoice", invoice("revoked 0"), state=tokens[0])
    assert codes_of(answer) == ["kill.revision"]
    trace.refused_unseen("kill.revision")

    await bundled.published(2)
    trace = Trace(house)
    answer = await house.call("create_invoice", invoice("revoked 1"), state=tokens[1])
    assert codes_of(answer) == ["handshake.policy_changed"]
    trace.refused_unseen("handshake.policy_changed")
    trace = Trace(house)
    answer = await house.call("create_invoice", invoice("revoked 0"), state=tokens[0])
    assert status_of(answer) == "error"
    assert trace.paypal == []
    token = await first_phase(house, "create_invoice", invoice("revoked 2"))
    assert status_of(await house.call("create_invoice", invoice("revoked 2"), state=token)) == "executed"

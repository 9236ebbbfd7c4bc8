"""Unclassified tool: nobody said how sensitive it is, so nothing can be decided about it, in any phase of migration."""

from __future__ import annotations

import pytest

from tests.support.answers import codes_of, said, status_of
from tests.support.depot import Depot
from tests.support.foreign_server import definition
from tests.support.traces import Trace


@pytest.mark.parametrize("name", ["wipe_everything", "create_refunds", "list_invoices_2", "_", "constructor"])
async def test_it_is_refused_though_approved(depot: Depot, name: str) -> None:
    """Also when an operator approved its definition, and the phase lets unverified tools pass: no class, no call."""
    wire = definition(name, annotations={"readOnlyHint": True})
    depot.depot.tools = [wire]
    await depot.approve("depot", wire)
    depot.house.clock.advance(31)
    trace, sent = Trace(depot.house), len(depot.depot.calls)
    for state in (None, "0" * 64):
        answer = await depot.house.call(name, {}, server="depot", state=state)
        assert status_of(answer) in ("refused", "error")
    assert len(depot.depot.calls) == sent
    assert trace.paypal == []
    assert [record["status"] for record in trace.records] == ["refused", "refused"]
    assert trace.records[0]["reasons"] == ["classes.unclassified"]
    listed = (await depot.house.rpc("tools/list", server="depot")).json()
    assert listed["result"]["tools"] == []


async def test_the_answer_says_what_would_help(depot: Depot) -> None:
    """It names the reason and the place where a class is written, and no class."""
    depot.depot.tools = [definition("wipe_everything")]
    depot.house.clock.advance(31)
    answer = await depot.house.call("wipe_everything", {}, server="depot")
    assert codes_of(answer) == ["classes.unclassified"]
    assert (said(answer)["data_class"], said(answer)["tier"]) == (None, None)
    assert "classes/data.yaml" in said(answer)["reasons"][0]["remedy"]

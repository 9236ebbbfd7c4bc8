"""Cross-server: two servers offer the same tool with the same definition; consent for one is none for the other."""

from __future__ import annotations

import pytest

from tests.support.answers import codes_of, status_of
from tests.support.calls import first_phase
from tests.support.depot import PARCEL, SHIP, Depot
from tests.support.traces import Trace


async def test_a_token_of_the_other_server(depot: Depot) -> None:
    """Granted at the depot, presented at the annex: refused, and neither is called."""
    token = await first_phase(depot.house, SHIP, PARCEL, server="depot")
    sent = (len(depot.depot.calls), len(depot.annex.calls))
    trace = Trace(depot.house)
    answer = await depot.house.call(SHIP, PARCEL, server="annex", state=token)
    assert codes_of(answer) == ["handshake.mismatch"]
    trace.refused_unseen("handshake.mismatch")
    assert (len(depot.depot.calls), len(depot.annex.calls)) == sent


async def test_in_an_era_without_tokens(depot: Depot) -> None:
    """A first phase at one is no first phase at the other."""
    sent = (len(depot.depot.calls), len(depot.annex.calls))
    await depot.house.call(SHIP, PARCEL, server="depot", era="legacy")
    answer = await depot.house.call(SHIP, PARCEL, server="annex", era="legacy")
    assert status_of(answer) == "handshake_required"
    assert (len(depot.depot.calls), len(depot.annex.calls)) == sent


@pytest.mark.parametrize(
    "server", ["paypal/", "Depot", "depot%2f..%2fpaypal", "%64epot", "depot/", "depot?x=1"]
)
async def test_no_spelling_of_a_path_reaches_another_server(depot: Depot, server: str) -> None:
    """A path that two hops could read differently is no server at all, or the one that it plainly names."""
    sent = len(depot.annex.calls)
    trace = Trace(depot.house)
    answer = (
        await depot.house.rpc("tools/call", {"name": "list_invoices", "arguments": {}}, server=server)
    ).json()
    assert codes_of(answer)[0] in ("catalog.unknown_server", "catalog.unknown_tool")
    assert trace.paypal == []
    assert len(depot.annex.calls) == sent

"""Invariant 7. The data class never comes from the caller or from the upstream's own words."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.support.answers import codes_of, said, status_of
from tests.support.calls import INVOICE, invoice
from tests.support.depot import PARCEL, SHIP, TRACK, Depot, running_depot
from tests.support.foreign_server import definition
from tests.support.traces import Trace

HARMLESS: dict[str, Any] = {
    "data_class": 5,
    "dataClass": 5,
    "class": 5,
    "tier": "public",
    "phase": "preparation",
}


@pytest.fixture(scope="module")
async def depot(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Depot]:
    """Other servers, which say about themselves what they like."""
    async with running_depot(tmp_path_factory.mktemp("depot")) as running:
        yield running


@pytest.mark.parametrize(
    "meta",
    [
        HARMLESS,
        {"dev.countersign/decision": HARMLESS},
        {"dev.countersign/etdi": HARMLESS},
        {"dev.countersign/class": 5},
        {"countersign": HARMLESS},
    ],
)
async def test_a_caller_cannot_name_the_class(depot: Depot, meta: dict[str, Any]) -> None:
    """In ``_meta``: the call is of class 3 and wants its handshake."""
    trace = Trace(depot.house)
    answer = await depot.house.call("create_invoice", invoice("meta"), more={"_meta": meta})
    assert (status_of(answer), said(answer)["data_class"]) == ("handshake_required", 3)
    assert trace.paypal == []
    assert (trace.record["data_class"], trace.record["tier"]) == (3, "confidential")


@pytest.mark.parametrize("member", HARMLESS)
async def test_arguments_cannot_name_the_class(depot: Depot, member: str) -> None:
    """Beside or inside the arguments: not in the schema, so refused; of class 3 all the same."""
    for arguments in (
        {**INVOICE, member: HARMLESS[member]},
        {**INVOICE, "detail": {**INVOICE["detail"], member: HARMLESS[member]}},
    ):
        trace = Trace(depot.house)
        answer = await depot.house.call("create_invoice", arguments)
        assert status_of(answer) == "refused"
        assert trace.record["data_class"] == 3
        trace.refused_unseen("arguments.schema_invalid")
    trace = Trace(depot.house)
    beside = await depot.house.call("create_invoice", invoice("beside"), more={member: HARMLESS[member]})
    assert (status_of(beside), said(beside)["data_class"]) == ("handshake_required", 3)
    assert trace.paypal == []


async def test_headers_cannot_name_the_class(depot: Depot) -> None:
    """The same in HTTP headers."""
    trace = Trace(depot.house)
    answer = await depot.house.call(
        "create_invoice", invoice("headers"), headers={"x-data-class": "5", "x-countersign-class": "5"}
    )
    assert said(answer)["data_class"] == 3
    assert trace.paypal == []


async def test_an_upstream_cannot_name_the_class(depot: Depot) -> None:
    """A server calls its tool public, read-only and harmless: it is what our table says, and waits for phase 2."""
    innocent = definition(
        SHIP,
        title="Public, class 5",
        annotations={"readOnlyHint": True, "destructiveHint": False, "title": "public", **HARMLESS},
        etdi={"version": "1.0.0", "provider": {"id": "depot"}, "permissions": [], **HARMLESS},
        **HARMLESS,
    )
    depot.depot.tools = [innocent]
    depot.house.clock.advance(60)
    sent = len(depot.depot.calls)
    answer = await depot.house.call(SHIP, PARCEL, server="depot")
    assert (status_of(answer), said(answer)["data_class"]) == ("handshake_required", 3)
    assert len(depot.depot.calls) == sent
    depot.relist()


async def test_an_upstream_cannot_make_a_tool_known(depot: Depot) -> None:
    """A tool that nobody classified stays without a class, whatever its definition says: refused and not listed."""
    depot.depot.tools = [
        definition("wipe_everything", annotations={"readOnlyHint": True, **HARMLESS}, **HARMLESS)
    ]
    depot.house.clock.advance(60)
    trace = Trace(depot.house)
    answer = await depot.house.call("wipe_everything", {}, server="depot")
    assert (status_of(answer), codes_of(answer)) == ("refused", ["classes.unclassified"])
    assert said(answer)["data_class"] is None
    trace.refused_unseen("classes.unclassified")
    listed = (await depot.house.rpc("tools/list", server="depot")).json()
    assert listed["result"]["tools"] == []
    depot.relist()


async def test_spelling_does_not_make_another_tool(depot: Depot) -> None:
    """Names are compared as they are: another case, a blank or a look-alike is an unknown tool."""
    for name in (
        "Create_refund",
        "create_refund ",
        "CREATE_REFUND",
        "create\u200b_refund",
        "create_r\u0435fund",
    ):
        trace = Trace(depot.house)
        params: dict[str, Any] = {"name": name, "arguments": {}}
        # The legacy era has no Mcp-Name header, which could not carry such a name unencoded.
        answer = (await depot.house.rpc("tools/call", params, era="legacy")).json()
        assert codes_of(answer) == ["catalog.unknown_tool"]
        trace.refused_unseen("catalog.unknown_tool")
    assert status_of(await depot.house.call(TRACK, PARCEL, server="depot")) == "executed"

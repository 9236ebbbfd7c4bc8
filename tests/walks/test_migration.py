"""A migration, phase by phase, as a host sees it: order, marks, calls by the original name, and what the audit says."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from gateway.catalog.marked import STATUS_META_KEY
from gateway.door.call import Era
from gateway.identity.credentials import Credentials, Secret
from gateway.listing import list_tools
from tests.support.answers import codes_of, status_of
from tests.support.foreign_server import ForeignServer, definition, serving
from tests.support.house import House, running_house
from tests.support.policy_copies import copied, edit_data, judged_by
from tests.support.walking import AGENT, SERVER, a_definition, rooms

OLD, NEW = "track_parcel", "find_parcel"
FAR = 4_000_000_000
NAMES = ("old", "sure", "older", "surer")


@asynccontextmanager
async def house_in(folder: Path, **migration: Any) -> AsyncIterator[House]:
    """Two tools of class 4 that carry no evidence; the first is approved."""
    policies = copied(folder)
    edit_data(policies, "migration", **migration)
    edit_data(policies, "classes", tools={OLD: 4, NEW: 4})
    async with (
        serving(ForeignServer(definition(OLD), definition(NEW))) as depot,
        running_house(folder, policy=judged_by(policies), upstreams={"depot": depot.url}) as house,
    ):
        for entry in await house.gateway.house.catalog.all("depot"):
            if entry.tool.name == OLD:
                await house.gateway.approvals.approve("depot", entry.definition, by="ops", expires=None)
        house.clock.advance(31)
        yield house


async def listed(house: House) -> list[dict[str, Any]]:
    """What the agent is shown."""
    answer = (await house.rpc("tools/list", server="depot")).json()
    return [dict(tool) for tool in answer["result"]["tools"]]


async def called(house: House, name: str = OLD) -> tuple[str, dict[str, Any]]:
    """How a call ended, and its record."""
    answer = await house.call(name, {"id": "P-1"}, server="depot")
    ended = status_of(answer)
    refused = ended == "refused" or "error" in answer
    return (codes_of(answer)[0] if refused else "executed"), house.records()[-1]


async def test_preparation(tmp_path: Path) -> None:
    """Everything is let through; what would have been denied is marked, and logged with its codes."""
    async with house_in(tmp_path, phase="preparation") as house:
        assert [tool["name"] for tool in await listed(house)] == [OLD, NEW]
        ended, record = await called(house, NEW)
        assert (ended, record["would_be"]) == ("executed", "deny")
        assert record["reasons"] == ["consent.not_required", "catalog.not_approved", "catalog.unverified"]


async def test_preparation_with_nothing_switched_on(tmp_path: Path) -> None:
    """Passed through without a mark; the audit alone knows."""
    async with house_in(tmp_path, phase="preparation", preparation={"enable_etdi": False}) as house:
        assert all("title" not in tool for tool in await listed(house))
        ended, record = await called(house)
        assert (ended, record["would_be"], "catalog.unverified" in record["reasons"]) == (
            "executed",
            "deny",
            True,
        )


async def test_coexistence(tmp_path: Path) -> None:
    """Marked in the title, with what is recommended; called by its own name (R160)."""
    async with house_in(tmp_path, phase="coexistence") as house:
        tools = await listed(house)
        assert [(tool["name"], tool["title"]) for tool in tools] == [
            (OLD, f"\u26a0\ufe0f {OLD} (Non-ETDI)"),
            (NEW, f"\u26a0\ufe0f {NEW} (Non-ETDI)"),
        ]
        assert tools[0]["_meta"][STATUS_META_KEY]["etdiStatus"] == "none"
        assert (await called(house))[0] == "executed"


async def test_enforcement_with_an_exemption(tmp_path: Path) -> None:
    """One legacy tool stays, marked and logged as exempt; the other is gone. When its date comes, so is the first."""
    async with house_in(tmp_path, exemptions=[{"server": "depot", "tool": OLD, "expires": FAR}]) as house:
        (tool,) = await listed(house)
        assert tool["title"] == f"\u26a0\ufe0f {OLD} (Legacy Exempt)"
        ended, record = await called(house)
        assert (ended, record["would_be"]) == ("executed", "deny")
        assert record["reasons"][-2:] == ["catalog.unverified", "exempt"]
        assert (await called(house, NEW))[0] == "catalog.unverified"
        house.clock.advance(FAR - house.clock())
        assert (await called(house))[0] == "catalog.unverified"


async def test_completion(tmp_path: Path) -> None:
    """Only what is verified; the exemption is not read any more."""
    exemptions = [{"server": "depot", "tool": OLD, "expires": FAR}]
    async with house_in(tmp_path, phase="completion", exemptions=exemptions) as house:
        assert await listed(house) == []
        assert (await called(house))[0] == "catalog.unverified"


async def test_class_by_class(tmp_path: Path) -> None:
    """PayPal's own tools by the priorities of the addendum: with the second, nothing moves money yet."""
    async with house_in(tmp_path, priority=2) as house:
        shown = {tool["name"] for tool in (await house.rpc("tools/list")).json()["result"]["tools"]}
        assert "create_invoice" in shown
        assert not {"create_refund", "pay_order", "create_subscription"} & shown
        answer = await house.call("create_refund", {"capture_id": "3C679366HH908993F"})
        assert "migration.not_rolled_out" in codes_of(answer)
        assert house.paypal_writes == []


async def test_verified_tools_come_first(tmp_path: Path) -> None:
    """R158: the others behind them, marked, each group in the server's order; switched off, that order stays."""
    async with rooms(tmp_path, wires=[a_definition(name) for name in NAMES]) as place:

        def said(row: dict[str, Any]) -> dict[str, Any]:
            return {
                "tools": {
                    name: {"visible": True, **row} if "old" in name else {"visible": True} for name in NAMES
                }
            }

        for last, order in ((True, ["sure", "surer", "old", "older"]), (False, list(NAMES))):
            row = {"mark": "unverified", "last": last}
            place.engine.answering = lambda _, row=row: said(row)  # type: ignore[misc]
            listed = await list_tools(
                place.house,
                call_id="c",
                server=SERVER,
                era=Era.MODERN,
                protocol="2026-07-28",
                credentials=Credentials(bearer=Secret(AGENT.encode())),
            )
            assert [tool["name"] for tool in listed] == order
            assert [tool["name"] for tool in listed if "Non-ETDI" in tool.get("title", "")] == [
                "old",
                "older",
            ]

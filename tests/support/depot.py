"""A house with two other servers behind the gateway, both of which offer ``ship_parcel`` (class 3).

The policy is the default one in the phase *preparation*, in which unapproved tools are let through with a warning: so
that what stops a call of theirs in a test is what the test is about.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.catalog.approvals import Approvals
from gateway.catalog.definition import read_definition
from tests.support.foreign_server import ForeignServer, definition, serving
from tests.support.house import House, running_house
from tests.support.policy_copies import copied, edit_data, judged_by

SHIP = "ship_parcel"
RECALL = "recall_parcel"
TRACK = "track_parcel"
PARCEL = {"id": "P-1", "to": "Elm Street 1"}
LISTING_AGE_S = 31
"""Beyond the age at which the catalog reads any listing again."""


def tools() -> list[dict[str, Any]]:
    """What both servers list at first."""
    etdi = {"version": "1.0.0", "provider": {"id": "depot"}, "permissions": ["parcels:write"]}
    return [definition(name, etdi=etdi) for name in (SHIP, RECALL, TRACK)]


@dataclass(kw_only=True)
class Depot:
    """The house, the two servers, and the folder of the policy that judges."""

    house: House
    depot: ForeignServer
    annex: ForeignServer
    policies: Path

    async def approve(self, server: str, wire: dict[str, Any], *, expires: int | None = None) -> None:
        """An operator approves this definition."""
        approvals = Approvals(self.house.gateway.store, pins={}, now=time.time)
        await approvals.approve(server, read_definition(wire), by="operator", expires=expires)

    def relist(self) -> None:
        """The servers list what they listed at first; the gateway will look again."""
        self.depot.tools, self.annex.tools = tools(), tools()
        self.house.clock.advance(LISTING_AGE_S)


@asynccontextmanager
async def running_depot(
    folder: Path, *, policies: Path | None = None, reload: bool = False, **overrides: Any
) -> AsyncIterator[Depot]:
    """Everything on real sockets. ``policies`` is a policy folder other than the softened default one."""
    if policies is None:
        policies = copied(folder)
    edit_data(policies, "migration", phase="preparation")
    edit_data(policies, "classes", tools={SHIP: 3, RECALL: 3, TRACK: 4})
    async with (
        serving(ForeignServer(*tools())) as depot,
        serving(ForeignServer(*tools())) as annex,
        running_house(
            folder,
            policy=judged_by(policies, reload=reload),
            upstreams={"depot": depot.url, "annex": annex.url},
            **overrides,
        ) as house,
    ):
        yield Depot(house=house, depot=depot, annex=annex, policies=policies)

"""A gateway with a foreign server behind it, its approvals sealed, and people at its console."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.identity.static import StaticToken, hash_static_token
from gateway.settings.model import ApprovalSettings, IdentitySettings
from tests.support.depot import PARCEL, SHIP
from tests.support.foreign_server import ForeignServer, definition, serving
from tests.support.house import AGENT_TOKEN, House, agent, running_house
from tests.support.policy_copies import copied, edit_data, judged_by

OPERATOR_TOKEN = "unsafe-test-token-of-an-operator-003"
ETDI: dict[str, Any] = {
    "version": "1.0.0",
    "provider": {"id": "depot"},
    "permissions": ["parcels:read", "parcels:write"],
}
WIRE = definition(SHIP, etdi=ETDI)


@dataclass(kw_only=True)
class Desk:
    """The house, and the server whose tool is decided about."""

    house: House
    depot: ForeignServer

    async def digest(self) -> str:
        """The hash of the live definition."""
        (row,) = [one for one in await self.gateway_rows() if one.tool.name == SHIP]
        return str(row.tool.definition_hash)

    async def gateway_rows(self) -> list[Any]:
        """What the catalog knows."""
        self.house.gateway.house.catalog.expire("depot")
        return await self.house.gateway.house.catalog.all("depot")

    async def api(
        self, method: str, path: str, body: Any = None, *, token: str = OPERATOR_TOKEN, **headers: str
    ) -> httpx.Response:
        """A request of a program."""
        fields = {"authorization": f"Bearer {token}", **headers}
        return await self.house.http.request(method, f"/admin/tools{path}", json=body, headers=fields)

    async def called(self) -> list[str]:
        """Why it was refused, or what it waits for."""
        answer = await self.house.call(SHIP, PARCEL, server="depot")
        said = answer["result"]["_meta"].get("dev.countersign/decision", {})
        reasons = said.get("reasons", ())
        denied = [one["code"] for one in reasons if one["outcome"] == "deny"]
        return denied or [one["code"] for one in reasons]


@asynccontextmanager
async def a_desk(folder: Path, **admin: Any) -> AsyncIterator[Desk]:
    """``admin``: what the policy's admin data says instead. Origins need no proof here."""
    policies = copied(folder)
    edit_data(policies, "migration", phase="preparation")
    edit_data(policies, "classes", tools={SHIP: 3})
    edit_data(policies, "admin", **admin)
    tokens = (
        agent(AGENT_TOKEN, "agent-one"),
        StaticToken(sha256=hash_static_token(OPERATOR_TOKEN), subject="robot", roles=("operator",)),
    )
    async with (
        serving(ForeignServer(WIRE)) as depot,
        running_house(
            folder,
            policy=judged_by(policies),
            upstreams={"depot": depot.url},
            approvals=ApprovalSettings(),
            identity=IdentitySettings(tokens=tokens),
        ) as house,
    ):
        yield Desk(house=house, depot=depot)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """The shipped rules about people."""
    async with a_desk(tmp_path) as opened:
        yield opened

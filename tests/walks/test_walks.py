"""Whole calls as files: what a host sends, what it is told, what PayPal sees, what the audit keeps."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest

from gateway.catalog.approvals import Approvals
from gateway.catalog.definition import read_definition
from gateway.settings.model import IdentitySettings
from tests.support.answers import Answer, approve_url_of, codes_of, status_of, token_of
from tests.support.console import signed_in
from tests.support.foreign_server import ForeignServer, definition, serving
from tests.support.house import House, agent, running_house
from tests.support.policy_copies import copied, edit_data, judged_by
from tests.walks.walk_file import Phase, Recorded, Walk, all_walks

WALKS = all_walks()
FOREIGN_TOOLS = ("get_supported_currencies", "get_exchange_rate", "move_everything")
"""What the foreign server offers, none of it verified: class 5, class 4, and one that nobody classified."""
EXEMPT: dict[str, Any] = {"server": "foreign", "tool": "get_supported_currencies", "expires": 2**40}
"""The operator lets the first of them stay unverified, and approves it; all else is the policy as shipped."""


@dataclasses.dataclass(frozen=True)
class Place:
    """Where the walks are walked."""

    house: House
    foreign: ForeignServer


@pytest.fixture(scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    """One gateway for all walks, with one caller for each, so that no walk meets what another left waiting."""
    callers = tuple(agent(_token(name, era), f"agent-{name}-{era}") for name, era, _ in WALKS)
    foreign = ForeignServer(*(definition(name) for name in FOREIGN_TOOLS))
    folder = tmp_path_factory.mktemp("walks")
    policies = copied(folder)
    edit_data(policies, "migration", exemptions=[EXEMPT])
    async with (
        serving(foreign),
        running_house(
            folder,
            policy=judged_by(policies),
            upstreams={"foreign": foreign.url},
            identity=IdentitySettings(tokens=callers),
        ) as house,
    ):
        approvals = Approvals(house.gateway.store, pins={}, now=house.clock)
        exempted = definition(EXEMPT["tool"])
        await approvals.approve("foreign", read_definition(exempted), by="operator", expires=None)
        yield Place(house, foreign)


@pytest.mark.parametrize(
    ("name", "era", "walk"), [pytest.param(*one, id=f"{one[0]}-{one[1]}") for one in WALKS]
)
async def test_walk(place: Place, name: str, era: str, walk: Walk) -> None:
    """Each phase of the file ends as the file says, with exactly these effects and exactly these records."""
    place.house.simulator.reset()
    host = Host(place, walk, era, _token(name, era))
    for number, phase in enumerate(walk.phases, start=1):
        effects, calls, records = place.house.paypal_writes, len(place.foreign.calls), place.house.records()
        if phase.do in ("approve", "refuse"):
            await host.decide(phase)
        else:
            answer = await host.send(phase)
            told = (number, status_of(answer), tuple(codes_of(answer)))
            assert told == (number, phase.status, phase.codes), answer
        assert tuple(place.house.paypal_writes[len(effects) :]) == phase.paypal, number
        assert len(place.foreign.calls) - calls == phase.reached, number
        kept = tuple(
            Recorded(
                status=one["status"],
                outcome=one["outcome"],
                reasons=tuple(one["reasons"]),
                error=one["error"],
            )
            for one in place.house.records()[len(records) :]
        )
        assert kept == phase.records, number


def test_the_walks_meet_every_data_class_outcome_and_era() -> None:
    """A file that was lost, or an era that was dropped, cannot go unnoticed."""
    eras = Counter(era for _, era, _ in WALKS)
    assert min(eras["modern"], eras["legacy"]) >= 14
    outcomes = {record.outcome for _, _, walk in WALKS for phase in walk.phases for record in phase.records}
    assert outcomes == {"allow", "handshake", "confirm", "deny", None}
    assert all(walk.says.endswith(".") for _, _, walk in WALKS)


class Host:
    """One caller that behaves as hosts of its era do."""

    def __init__(self, place: Place, walk: Walk, era: str, token: str) -> None:
        self._place = place
        self._walk = walk
        self._era = era
        self._token = token
        self._states: list[str] = []
        self._answer: Answer = {}

    async def send(self, phase: Phase) -> Answer:
        """The call of this phase; a token that comes back is kept."""
        state = None
        if self._era == "modern" and phase.do != "call":
            state = self._states[0 if phase.do == "replay" else -1]
        self._answer = await self._place.house.call(
            self._walk.tool,
            self._walk.arguments if phase.arguments is None else phase.arguments,
            state=state,
            token=self._token,
            era=self._era,
            server=self._walk.server,
        )
        if status_of(self._answer) in ("handshake_required", "confirmation_required"):
            if self._era == "modern":
                self._states.append(token_of(self._answer))
            else:
                assert "requestState" not in self._answer["result"]
        return self._answer

    async def decide(self, phase: Phase) -> None:
        """A person opens the page that the last answer names and presses the button."""
        url = approve_url_of(self._answer)
        async with signed_in(self._place.house, phase.by) as person:
            done = await (person.approve(url) if phase.do == "approve" else person.refuse(url))
            assert done.status_code == 200, done.text


def _token(name: str, era: str) -> str:
    return f"unsafe-walk-token-{name}-{era}"

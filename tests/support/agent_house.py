"""A whole house whose policy lets second agents confirm class 2."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from gateway.settings.model import AgentSettings, ConfirmSettings, Hidden, NotifySettings, PolicySettings
from tests.support.answers import status_of, token_of
from tests.support.house import House, running_house
from tests.support.policy_copies import copied, edit_data, judged_by
from tests.support.second_agents import SECRET

BY_AGENTS: dict[str, Any] = {
    "by": ["agent"],
    "quorum": 1,
    "min_assurance": "agent",
    "ttl_seconds": 600,
    "separation_of_duties": True,
}
BY_ANYBODY: dict[str, Any] = {**BY_AGENTS, "by": ["agent", "human"]}


def guard(url: str, **members: Any) -> AgentSettings:
    """A webhook agent at that address."""
    return AgentSettings(
        **{"kind": "webhook", "url": url, "secret": Hidden(SECRET), "timeout_s": 10.0, **members}
    )


def model(url: str, **members: Any) -> AgentSettings:
    """A chat agent at that address."""
    return AgentSettings(
        **{"kind": "chat", "url": url, "model": "m-1", "api_key": Hidden("sk-unsafe-test"), **members}
    )


def policy_with(folder: Path, rule: Mapping[str, Any]) -> Path:
    """The default policy with that rule for the confirmation of class 2."""
    policies = copied(folder)
    edit_data(policies, "consent", confirm={"2": dict(rule)})
    return policies


@asynccontextmanager
async def agent_house(
    folder: Path,
    agents: Mapping[str, AgentSettings],
    *,
    rule: Mapping[str, Any] = BY_AGENTS,
    notify: NotifySettings | None = None,
    policy: PolicySettings | None = None,
    hold_s: float = 5.0,
) -> AsyncIterator[House]:
    """On real sockets, PayPal simulated."""
    confirm = ConfirmSettings(hold_seconds=hold_s, agents=dict(agents), notify=notify)
    judged = policy or judged_by(policy_with(folder, rule))
    async with running_house(folder, policy=judged, confirm=confirm) as house:
        yield house


async def followed(house: House, tool: str, arguments: dict[str, Any], **how: Any) -> dict[str, Any]:
    """What a standard host does by itself: repeat with the token while it is asked to; at most ten rounds."""
    answer = await house.call(tool, arguments, **how)
    for _ in range(10):
        if status_of(answer) not in ("handshake_required", "confirmation_required"):
            break
        if answer["result"].get("resultType") != "input_required":
            break
        answer = await house.call(tool, arguments, state=token_of(answer), **how)
    return answer


def confirmations(house: House) -> list[dict[str, Any]]:
    """The audit's closing records of confirmations, in order."""
    return [one for one in house.records("confirm") if one["status"] != "opened"]

"""The webhook of the documentation, as it stands there, asked by the gateway's own code."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest

from gateway.agents.case import case_of
from gateway.agents.exchange import Exchange
from gateway.agents.said import Decision, Failure, NoAnswer
from gateway.agents.signature import key_of
from gateway.agents.webhook import WebhookAgent
from gateway.policy.money import Money
from gateway.serving import serving
from tests.support.ports import free_port
from tests.support.second_agents import OTHER_SECRET, SECRET
from tests.support.waiting import a_pending

GUIDE = Path(__file__).parents[2] / "docs" / "operations" / "agents.md"


def documented() -> Any:
    """The first program of the guide."""
    found = re.search(r"```python\n(.*?)```", GUIDE.read_text("utf-8"), re.DOTALL)
    assert found is not None
    names: dict[str, Any] = {}
    exec(compile(found[1], str(GUIDE), "exec"), names)
    return names["app"]


@pytest.mark.parametrize(
    ("money", "decision"),
    [
        (Money(amount="50.00", currency="USD", source="arguments"), Decision.APPROVE),
        (Money(amount="50.01", currency="USD", source="arguments"), Decision.REFUSE),
        (Money(amount="5.00", currency="EUR", source="arguments"), Decision.REFUSE),
        (Money(), Decision.REFUSE),
        (None, Decision.REFUSE),
    ],
)
async def test_the_documented_webhook_works(
    monkeypatch: pytest.MonkeyPatch, money: Money | None, decision: Decision
) -> None:
    """It verifies the request, decides by the amount, and its answer is believed."""
    monkeypatch.setenv("GUARD_SECRET", SECRET)
    port = free_port()
    case = case_of(a_pending(), {"bill": "b1"}, money)
    async with serving(documented(), port=port):
        exchange = Exchange(f"http://127.0.0.1:{port}/confirm", timeout_s=10)
        said = await WebhookAgent("guard", exchange, key_of(SECRET), now=time.time).ask(case)
        assert said.decision is decision
        with pytest.raises(NoAnswer) as caught:
            await WebhookAgent("guard", exchange, key_of(OTHER_SECRET), now=time.time).ask(case)
        assert caught.value.failure is Failure.HTTP_STATUS
        await exchange.aclose()

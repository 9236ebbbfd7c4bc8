"""Split: one large payment in many small ones, all at the same instant, at several gateways. Only what fits is sent."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from gateway.state.ledger import Standing
from tests.support.answers import codes_of, said, status_of, token_of
from tests.support.calls import invoice
from tests.support.gateways import gateways, request_of
from tests.support.last_byte import at_once
from tests.support.policy_copies import copied, edit_data

PARTS = 40
GATEWAYS = 3
FIT = 3
"""Of 53.90 USD each, in 200.00."""
CENTS = 5390
EXCEEDED = ["budget.exceeded"]


def with_budget(folder: Path, **members: Any) -> dict[str, Any]:
    """Settings of the default policy and one budget of all agents together."""
    policies = copied(folder)
    budget = {
        "caller": "any",
        "tool": ["create_invoice", "create_order"],
        "payee": "any",
        "window_seconds": 86400,
        "limits": {"USD": "200.00"},
        **members,
    }
    edit_data(policies, "budgets", budgets={"selling": budget})
    return {"policy": {"path": str(policies), "reload": False, "timeout_s": 20}}


async def split(folder: Path, state_url: str) -> None:
    """In the first phase, and in the second."""
    async with gateways(folder, state_url, GATEWAYS, **with_budget(folder)) as running:
        urls = [f"{running.all[number % GATEWAYS].url}/mcp" for number in range(PARTS)]
        calls = [request_of("create_invoice", invoice(f"part {number}")) for number in range(PARTS)]
        answers = await at_once([(url, *call) for url, call in zip(urls, calls, strict=True)])

        assert Counter(status_of(answer) for answer in answers) == {
            "handshake_required": FIT,
            "refused": PARTS - FIT,
        }
        losers = [answer for answer in answers if status_of(answer) == "refused"]
        for answer in losers:
            denied = [one["code"] for one in said(answer)["reasons"] if one["outcome"] == "deny"]
            assert denied == EXCEEDED
        assert [standing for _, standing in await running.store.accounts(limit=9)] == [
            Standing(FIT * CENTS, 0)
        ]
        assert [call for call in running.simulator.calls if call.method == "POST"] == []

        again = []
        for number, (url, answer) in enumerate(zip(urls, answers, strict=True)):
            if status_of(answer) == "handshake_required":
                headers, body = request_of(
                    "create_invoice", invoice(f"part {number}"), state=token_of(answer)
                )
                again.append((url, headers, body))
        done = await at_once(again)
        assert [status_of(answer) for answer in done] == ["executed"] * FIT
        assert len([call for call in running.simulator.calls if call.method == "POST"]) == FIT
        assert [standing for _, standing in await running.store.accounts(limit=9)] == [
            Standing(0, FIT * CENTS)
        ]

        last = await running.all[0].call("create_invoice", invoice("one more"))
        assert status_of(last) == "refused"
        euros = invoice("in another currency")
        euros["detail"]["currency_code"] = "EUR"
        euros["items"][0]["unit_amount"]["currency_code"] = "EUR"
        answer = await running.all[1].call("create_invoice", euros)
        assert "budget.currency_not_limited" in codes_of(answer)
        assert len([call for call in running.simulator.calls if call.method == "POST"]) == FIT


async def test_forty_parts_at_three_gateways_over_redis(tmp_path: Path, redis_url: str) -> None:
    """As on several hosts."""
    await split(tmp_path, redis_url)


async def test_forty_parts_at_three_gateways_over_sqlite(tmp_path: Path) -> None:
    """As on one host."""
    await split(tmp_path, f"sqlite:///{tmp_path / 'state.sqlite3'}")

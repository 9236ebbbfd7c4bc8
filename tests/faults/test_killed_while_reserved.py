"""SIGKILL of the gateway that holds a reservation. Money that may have left stays counted; a token that died with its
gateway lets go by itself; and what a person finds out at the target is followed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx

from gateway.budget.releases import Releases
from gateway.state.ledger import Standing
from gateway.state.store import Store
from gateway.transactions.book import TransactionBook
from gateway.transactions.settlement import Finding, Settlement
from gateway.transactions.transaction import State
from gateway.upstream.target import Effect
from tests.support.answers import said, status_of, token_of
from tests.support.calls import invoice
from tests.support.clock import ManualClock
from tests.support.gate import Gate, gate_to_port, gate_to_redis
from tests.support.gateways import Gateways, gateways
from tests.support.policy_copies import copied, edit_data
from tests.support.until import until_answered

LEASE_S = 3
CENTS = 5390


def sections(folder: Path) -> dict[str, Any]:
    """Settings: the default policy, and a budget into which one invoice fits."""
    policies = copied(folder)
    budget = {
        "caller": "each",
        "tool": ["create_invoice"],
        "payee": "any",
        "window_seconds": 86400,
        "limits": {"USD": "60.00"},
    }
    edit_data(policies, "budgets", budgets={"one": budget})
    return {
        "policy": {"path": str(policies), "reload": False, "timeout_s": 20},
        "transactions": {"lease_seconds": LEASE_S},
    }


async def standing(store: Store) -> Standing:
    """What the one account stands at."""
    accounts = await store.accounts(limit=10)
    assert len(accounts) <= 1
    return accounts[0][1] if accounts else Standing()


async def killed_at(
    running: Gateways, redis_url: str, stopping: Callable[[Gate, Gate, str], Any]
) -> tuple[str, str]:
    """A gateway of its own takes an invoice to its second phase and dies there: transaction and token."""
    async with gate_to_redis(redis_url) as state, gate_to_port(running.paypal_port) as paypal:
        victim = running.start(state=f"redis://127.0.0.1:{state.port}/0", paypal=paypal.port)
        await until_answered(victim.ready)
        first = await victim.call("create_invoice", invoice("victim"))
        transaction_id = said(first)["transaction_id"]
        stop = stopping(state, paypal, transaction_id)
        call = asyncio.ensure_future(victim.call("create_invoice", invoice("victim"), state=token_of(first)))
        await stop.reached.wait()
        victim.kill()
        with suppress(httpx.TransportError):
            await call
        return transaction_id, token_of(first)


def made(running: Gateways) -> int:
    """Invoices at PayPal."""
    return len([call for call in running.simulator.calls if call.method == "POST"])


async def test_killed_between_the_reservation_and_the_journal(tmp_path: Path, redis_url: str) -> None:
    """Nothing left, and nobody can tell a gateway from its amount: it stays counted, for its window and no longer."""
    async with gateways(tmp_path, redis_url, 1, **sections(tmp_path)) as running:

        def reserved(state: Gate, _: Gate, transaction_id: str) -> Any:
            return state.stop("answered", f"{transaction_id}.*commit".encode())

        transaction_id, _ = await killed_at(running, redis_url, reserved)
        assert await TransactionBook(running.store).find(transaction_id) is None
        assert (await standing(running.store), made(running)) == (Standing(0, CENTS), 0)
        refused = await running.all[0].call("create_invoice", invoice("next"))
        assert status_of(refused) == "refused"


async def test_killed_after_the_effect(tmp_path: Path, redis_url: str) -> None:
    """PayPal has it, the gateway never heard: counted, through the recovery that cannot tell, until a person can."""
    async with gateways(tmp_path, redis_url, 1, **sections(tmp_path)) as running:

        def carried_out(_: Gate, paypal: Gate, transaction_id: str) -> Any:
            del transaction_id
            return paypal.stop("answered", b'"note":"victim"')

        transaction_id, _ = await killed_at(running, redis_url, carried_out)
        assert (await standing(running.store), made(running)) == (Standing(0, CENTS), 1)
        book = TransactionBook(running.store)

        async def unknown() -> bool:
            found = await book.find(transaction_id)
            return found is not None and found.state is State.SETTLED

        await until_answered(unknown)
        found = await book.find(transaction_id)
        assert found is not None
        assert found.outcome is Effect.UNKNOWN
        assert await standing(running.store) == Standing(0, CENTS)
        assert status_of(await running.all[0].call("create_invoice", invoice("next"))) == "refused"

        settlement = Settlement(book, now=ManualClock(), followers=(Releases(running.store),))
        assert await settlement.settle(found, Finding.FAILED, by="ann") is not None
        assert await standing(running.store) == Standing()
        first = await running.all[0].call("create_invoice", invoice("next"))
        done = await running.all[0].call("create_invoice", invoice("next"), state=token_of(first))
        assert status_of(done) == "executed"
        assert await standing(running.store) == Standing(0, CENTS)

"""One token, presented five hundred times in the same instant to four gateways over one store: one effect."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from gateway.transactions.book import TransactionBook
from gateway.transactions.transaction import How, State
from gateway.upstream.target import Effect
from tests.support.answers import codes_of, said, status_of, token_of
from tests.support.calls import invoice
from tests.support.gateways import gateways, request_of
from tests.support.last_byte import at_once

PRESENTERS = 500
GATEWAYS = 4


async def raced(folder: Path, state_url: str) -> None:
    """The last byte of every request is sent when all the others are there."""
    async with gateways(folder, state_url, GATEWAYS) as running:
        first = await running.all[0].call("create_invoice", invoice("five hundred"))
        headers, body = request_of("create_invoice", invoice("five hundred"), state=token_of(first))
        urls = [f"{running.all[number % GATEWAYS].url}/mcp" for number in range(PRESENTERS)]
        answers = await at_once([(url, headers, body) for url in urls])

        assert Counter(status_of(answer) for answer in answers) == {"executed": 1, "error": PRESENTERS - 1}
        losers = [answer for answer in answers if status_of(answer) == "error"]
        assert {code for answer in losers for code in codes_of(answer)} == {"handshake.token_unknown"}
        transaction_id = said(first)["transaction_id"]
        writes = [call for call in running.simulator.calls if call.method == "POST"]
        assert [(call.path, call.request_id) for call in writes] == [
            ("/v2/invoicing/invoices", transaction_id)
        ]
        (kept,) = [one async for one in TransactionBook(running.store).all()]
        assert (kept.transaction_id, kept.state, kept.outcome, kept.how) == (
            transaction_id,
            State.SETTLED,
            Effect.EXECUTED,
            How.ANSWER,
        )


async def test_five_hundred_presenters_at_four_gateways_over_redis(tmp_path: Path, redis_url: str) -> None:
    """As on several hosts."""
    await raced(tmp_path, redis_url)


async def test_five_hundred_presenters_at_four_gateways_over_sqlite(tmp_path: Path) -> None:
    """As on one host."""
    await raced(tmp_path, f"sqlite:///{tmp_path / 'state.sqlite3'}")

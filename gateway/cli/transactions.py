"""``countersign transactions``: what left, how it ended, and what a person found out about the rest."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import msgspec
from rich import box
from rich.markup import escape
from rich.table import Table

from gateway.budget.releases import Releases
from gateway.cli.common import config_option, json_option, name_of, settings_of, show_rows
from gateway.cli.record import record_admin
from gateway.cli.retry import retried
from gateway.outcome.view import render, visible
from gateway.serving import run
from gateway.settings import Settings
from gateway.state.open import open_store
from gateway.state.store import Store
from gateway.transactions.book import TransactionBook
from gateway.transactions.retry import RetryRefused
from gateway.transactions.sent import Sent
from gateway.transactions.settlement import Finding, Settlement, can_be_settled
from gateway.transactions.transaction import Transaction
from gateway.upstream.target import Effect


@click.group()
def transactions() -> None:
    """Calls of the classes 1 to 3: under way, settled not long ago, and those whose outcome is unknown."""


@transactions.command("list")
@config_option
@click.option("--all", "every", is_flag=True, help="Also those whose outcome is known.")
@json_option
def list_(config: Path | None, every: bool, as_json: bool) -> None:  # noqa: FBT001 - click
    """What is not settled, oldest first. Exit 0: nothing waits for a person; 1: something is unknown."""
    found = run(_listed(settings_of(config), every=every))
    if as_json:
        click.echo(msgspec.json.encode([_document(one) for one in found]).decode())
    else:
        table = Table("transaction", "since", "caller", "call", "state", "outcome", box=box.SIMPLE_HEAD)
        for one in found:
            # Names come from the wire: they must not write on this terminal what they like.
            table.add_row(
                one.transaction_id,
                _time(one.started_at),
                escape(visible(one.subject)),
                escape(visible(f"{one.server} {one.tool}")),
                one.state,
                one.outcome or "",
            )
        show_rows(table, "nothing is kept" if every else "nothing is open or unknown")
    if any(can_be_settled(one) for one in found):
        raise click.exceptions.Exit(1)


@transactions.command()
@config_option
@click.argument("transaction_id")
@json_option
def show(config: Path | None, transaction_id: str, as_json: bool) -> None:  # noqa: FBT001 - click
    """Everything that is kept of one. Exit 1: there is none, so it was never sent, or is settled and gone."""
    found = run(_found(settings_of(config), transaction_id))
    if found is None:
        raise _none(transaction_id)
    document = _document(found)
    if as_json:
        click.echo(msgspec.json.encode(document).decode())
        return
    document.pop("sent", None)  # below, as an approver saw it
    for name, value in document.items():
        shown = _time(value) if name.endswith("_at") and isinstance(value, float) else value
        click.echo(f"{name:16} {visible(str(shown))}")
    if found.sent is not None:
        click.echo("\n".join(_sent(found, found.sent)))
    if can_be_settled(found):
        click.echo(
            "\nNobody knows whether this was carried out. Look at the target (ids above, the time, the amount), then:\n"
            f"  countersign transactions settle {found.transaction_id} --found executed|failed --by NAME\n"
            "or, where PayPal tells a repeat of this tool by its key, have it sent once more:\n"
            f"  countersign transactions retry {found.transaction_id} --by NAME"
        )


@transactions.command()
@config_option
@click.argument("transaction_id")
@click.option(
    "--found",
    "finding",
    type=click.Choice([str(one) for one in Finding]),
    required=True,
    help="What you saw.",
)
@click.option("--by", required=True, callback=name_of, help="Who looked: the name the record will show.")
def settle(config: Path | None, transaction_id: str, finding: str, by: str) -> None:
    """Record what you found at the target about a transaction whose outcome is unknown. Nothing is sent."""
    settled = run(_settled(settings_of(config), transaction_id, Finding(finding), by=by))
    click.echo(f"{settled.transaction_id}: {finding}, by {by}")


@transactions.command()
@config_option
@click.argument("transaction_id")
@click.option("--by", required=True, callback=name_of, help="Who orders it: the name the record will show.")
def retry(config: Path | None, transaction_id: str, by: str) -> None:
    """Send a call of unknown outcome once more: the same request with the same key, only where PayPal tells a repeat
    by it and answers with the first result. If the first never arrived, this carries it out, as it was countersigned.

    Exit 0: it is executed, once, now or before. 1: it stays unknown, or nothing was sent.
    """
    try:
        ended, said = run(retried(settings_of(config), transaction_id, by=by))
    except RetryRefused as problem:
        raise click.ClickException(problem.message) from None
    if ended is None:
        raise _none(transaction_id)
    if ended.outcome is not Effect.EXECUTED:
        raise click.ClickException(
            f"{ended.transaction_id} was sent again and stays unknown ({visible(said)}): look at PayPal, then settle it"
        )
    click.echo(f"{ended.transaction_id}: executed ({visible(ended.resource_id or 'no id')}), ordered by {by}")


async def _listed(settings: Settings, *, every: bool) -> list[Transaction]:
    async with _book(settings) as book:
        # Not what was sent: a list is for monitors and tickets.
        found = [
            msgspec.structs.replace(one, sent=None) async for one in book.all() if every or one.unsettled
        ]
    return sorted(found, key=lambda one: one.started_at)


async def _found(settings: Settings, transaction_id: str) -> Transaction | None:
    async with _book(settings) as book:
        return await book.find(transaction_id)


async def _settled(settings: Settings, transaction_id: str, finding: Finding, *, by: str) -> Transaction:
    async with _store(settings) as store:
        book = _book_of(settings, store)
        found = await book.find(transaction_id)
        if found is None:
            raise _none(transaction_id)
        if not can_be_settled(found):
            said = (
                "it is under way, or the next gateway looks it up"
                if found.outcome is None
                else f"its outcome is {found.outcome}"
            )
            raise click.ClickException(f"{transaction_id} is not unknown: {said}")
        await record_admin(
            settings,
            by=by,
            code=f"admin.transaction_{finding}",
            server=found.server,
            tool=found.tool,
            definition_hash=found.definition_hash,
            transaction_id=found.transaction_id,
        )
        settlement = Settlement(book, now=time.time, followers=(Releases(store),))
        settled = await settlement.settle(found, finding, by=by)
        if settled is None:
            raise click.ClickException(f"{transaction_id} was settled by somebody else meanwhile")
        return settled


@asynccontextmanager
async def _store(settings: Settings) -> AsyncIterator[Store]:
    store = open_store(settings.state.url)
    try:
        yield store
    finally:
        await store.aclose()


@asynccontextmanager
async def _book(settings: Settings) -> AsyncIterator[TransactionBook]:
    async with _store(settings) as store:
        yield _book_of(settings, store)


def _book_of(settings: Settings, store: Store) -> TransactionBook:
    return TransactionBook(store, kept_s=settings.transactions.keep_hours * 3600.0)


def _document(transaction: Transaction) -> dict[str, Any]:
    document: dict[str, Any] = msgspec.to_builtins(transaction)
    if transaction.outcome is Effect.UNKNOWN:
        document["needs"] = "settle"
    return document


def _sent(transaction: Transaction, sent: Sent) -> list[str]:
    """The faithful picture, or, of a call too long for one, the plain document."""
    try:
        view = render(
            server=transaction.server,
            tool=transaction.tool,
            arguments=sent.arguments,
            money=transaction.money,
            asked_by=transaction.subject,
            reasons=(),
        )
    except ValueError:
        return ["\nWhat was sent:", "  " + visible(msgspec.json.encode(sent.arguments).decode())]
    head = f"\nWhat was sent ({view.money}, payee {view.payee}):"
    return [head, *(f"  {line.path}: {line.value}" for line in view.lines)]


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def _none(transaction_id: str) -> click.ClickException:
    shown = visible(transaction_id[:80])
    return click.ClickException(
        f"the journal has no transaction {shown}: it was never sent, or is settled and gone (see the audit)"
    )

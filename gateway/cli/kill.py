"""``countersign kill``: stop a caller, a tool, a definition or a policy revision, at once and at every gateway."""

from __future__ import annotations

import re
import secrets
import time
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec
from rich import box
from rich.markup import escape
from rich.table import Table

from gateway.cli.common import config_option, json_option, name_of, settings_of, show_rows
from gateway.cli.record import record_admin
from gateway.kill.order import KillOrder, Kind
from gateway.kill.orders import give, lift, read_orders
from gateway.kill.sweep import void_waiting
from gateway.outcome.view import visible
from gateway.serving import run
from gateway.settings import Settings
from gateway.state.open import open_store

MAX_REASON = 500
MAX_VALUE = 512
_HASH = re.compile(r"[0-9a-f]{64}")
_BY = click.option(
    "--by", required=True, callback=name_of, help="Who does it: the name the record will show."
)


@click.group()
def kill() -> None:
    """The kill switch. It works whatever the policy says."""


def _reason(context: click.Context, parameter: click.Parameter, value: str) -> str:
    del context, parameter
    if not value.strip() or len(value) > MAX_REASON or visible(value) != value:
        raise click.BadParameter(f"a reason has 1 to {MAX_REASON} visible characters")
    return value


@kill.command()
@click.option("--caller", help="A caller's subject.")
@click.option("--issuer", help="With --caller: only of this issuer.")
@click.option("--tool", help="A tool: NAME, or SERVER/NAME.")
@click.option("--definition", help="A definition hash (64 digits; see `countersign tools list --json`).")
@click.option("--revision", help="A revision of the policy, as receipts and audit show it.")
@click.option("--reason", required=True, callback=_reason, help="Why; operators see it, callers do not.")
@_BY
@config_option
@json_option
def add(
    caller: str | None,
    issuer: str | None,
    tool: str | None,
    definition: str | None,
    revision: str | None,
    reason: str,
    by: str,
    config: Path | None,
    as_json: bool,  # noqa: FBT001 - click
) -> None:
    """Stop one thing from the next call on, outstanding tokens and waiting calls included."""
    named: list[tuple[Kind, str | None]] = [
        ("caller", caller),
        ("tool", tool),
        ("definition", definition),
        ("revision", revision),
    ]
    chosen = [(kind, value) for kind, value in named if value is not None]
    if len(chosen) != 1:
        raise click.UsageError("name one of --caller, --tool, --definition and --revision")
    if issuer is not None and caller is None:
        raise click.UsageError("--issuer goes with --caller")
    (kind, value), within = chosen[0], issuer
    if kind == "tool" and "/" in value:
        within, _, value = value.partition("/")
    if kind == "definition" and not _HASH.fullmatch(value):
        raise click.UsageError("--definition has 64 digits: a shorter one might stop nothing")
    for text in (value, within):
        if text is not None and not 0 < len(text) <= MAX_VALUE:
            raise click.UsageError(f"--{kind} has 1 to {MAX_VALUE} characters")
    order = KillOrder(
        id=secrets.token_hex(4),
        kind=kind,
        value=value,
        within=within,
        reason=reason,
        by=by,
        at=int(time.time()),
    )
    voided = run(_given(settings_of(config), order))
    if as_json:
        click.echo(msgspec.json.encode({"order": order, "voided": voided}).decode())
        return
    click.echo(f"{order.id}: {visible(str(order))} is stopped; {voided} waiting calls are void")


@kill.command("list")
@config_option
@json_option
def list_(config: Path | None, as_json: bool) -> None:  # noqa: FBT001 - click
    """What is stopped, by whom and why."""
    orders = run(_listed(settings_of(config)))
    if as_json:
        click.echo(msgspec.json.encode(orders).decode())
        return
    table = Table("order", "stops", "since", "by", "reason", box=box.SIMPLE_HEAD)
    for one in orders:
        since = datetime.fromtimestamp(one.at, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
        table.add_row(one.id, *(escape(visible(text)) for text in (str(one), since, one.by, one.reason)))
    show_rows(table, "nothing is stopped")


@kill.command("lift")
@click.argument("order_id")
@click.option("--reason", required=True, callback=_reason, help="Why it may go on.")
@_BY
@config_option
@json_option
def lift_(order_id: str, reason: str, by: str, config: Path | None, as_json: bool) -> None:  # noqa: FBT001 - click
    """Take an order back. Exit 1: there is none of that name."""
    lifted = run(_lifted(settings_of(config), order_id, by=by, reason=reason))
    if lifted is None:
        click.echo(f"{visible(order_id)}: there is no such order", err=True)
        raise click.exceptions.Exit(1)
    if as_json:
        click.echo(msgspec.json.encode({"lifted": lifted, "by": by, "reason": reason}).decode())
    else:
        click.echo(f"{lifted.id}: {visible(str(lifted))} is stopped no longer")


async def _given(settings: Settings, order: KillOrder) -> int:
    store = open_store(settings.state.url)
    try:
        await give(store, order)
        try:
            voided = await void_waiting(store, order)
        finally:
            # Stopped first, recorded second, the other way round than everything else: an audit that cannot be written
            # must not keep anybody from stopping what does harm. A record that fails is an error all the same.
            await record_admin(
                settings,
                by=order.by,
                code="admin.kill_add",
                server=order.within,
                tool=str(order),
                definition_hash=order.value if order.kind == "definition" else None,
                note=order.reason,
            )
        return voided
    finally:
        await store.aclose()


async def _listed(settings: Settings) -> tuple[KillOrder, ...]:
    store = open_store(settings.state.url)
    try:
        return await read_orders(store)
    finally:
        await store.aclose()


async def _lifted(settings: Settings, order_id: str, *, by: str, reason: str) -> KillOrder | None:
    store = open_store(settings.state.url)
    try:
        found = next((one for one in await read_orders(store) if one.id == order_id), None)
        if found is None:
            return None
        await record_admin(
            settings, by=by, code="admin.kill_lift", server=found.within, tool=str(found), note=reason
        )
        return await lift(store, order_id)
    finally:
        await store.aclose()

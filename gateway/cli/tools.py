"""``countersign tools``: which definitions are approved, what changed since, and deciding about it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import msgspec
from rich import box
from rich.markup import escape
from rich.table import Table

from gateway.approving.book import ApprovalBook
from gateway.approving.deciding import MIN_HASH_DIGITS, ApprovalRefused, Deciding
from gateway.approving.documents import review_document, row_document
from gateway.approving.words import told
from gateway.catalog.approval_record import Actor
from gateway.cli.common import config_option, json_option, name_of, settings_of, show_rows, terminal
from gateway.cli.record import TERMINAL_ISSUER, record_admin
from gateway.cli.tools_looked import listed, reviewed
from gateway.cli.tools_shown import duration_of, print_history, print_review, standing_of
from gateway.errors import UnknownTool
from gateway.outcome.view import visible
from gateway.parts import (
    open_audit,
)
from gateway.serving import run
from gateway.settings import Settings
from gateway.shelf import Shelf, open_shelf

MAX_WHY = 200
_BY = click.option(
    "--by", required=True, callback=name_of, help="Who decides: the name the record will show."
)


def _why(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    del context, parameter
    if value is not None and (not value.strip() or len(value) > MAX_WHY or visible(value) != value):
        raise click.BadParameter(f"a reason has 1 to {MAX_WHY} visible characters")
    return value


_WHY = click.option("--why", callback=_why, help="Why; the history shows it.")


@click.group()
def tools() -> None:
    """The tools behind the gateway, as they are now, and their approvals."""


@tools.command("list")
@config_option
@click.option("--server", help="Only this server.")
@click.option("--pending", is_flag=True, help="Only what waits for a decision.")
@json_option
def list_(config: Path | None, server: str | None, pending: bool, as_json: bool) -> None:  # noqa: FBT001 - click
    """Every tool with its class, definition hash and approval."""
    rows, failed = run(listed(settings_of(config), server))
    found = [one for one in rows if one.pending or not pending]
    for name, problem in failed.items():
        click.echo(f"{name}: {problem}", err=True)
    if as_json:
        click.echo(
            msgspec.json.encode(
                [
                    {
                        **row_document(one),
                        "class": str(one.data_class or "none"),
                        "approval": standing_of(one),
                    }
                    for one in found
                ]
            ).decode()
        )
    else:
        table = Table("server", "tool", "class", "definition", "origin", "approval", box=box.SIMPLE_HEAD)
        for row in found:
            # A name comes from the upstream: it must not write on this terminal what it likes.
            table.add_row(
                row.server,
                escape(visible(row.tool)),
                str(row.data_class or "none"),
                row.definition_hash[:MIN_HASH_DIGITS],
                escape(row.origin),
                escape(standing_of(row)),
            )
        if found or not failed:
            show_rows(table, "nothing waits for a decision" if pending else "no server lists a tool")
    if failed:
        raise click.exceptions.Exit(1)


@tools.command()
@config_option
@click.argument("server")
@click.argument("tool")
@json_option
def show(config: Path | None, server: str, tool: str, as_json: bool) -> None:  # noqa: FBT001 - click
    """One tool in full: what it says, what it asks for, who approved what, and what changed since."""
    review = run(reviewed(settings_of(config), server, tool))
    if as_json:
        click.echo(msgspec.json.encode(review_document(review)).decode())
    else:
        print_review(terminal(), review, whole=True)


@tools.command()
@config_option
@click.argument("server")
@click.argument("tool")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "table", "json"]),
    default="text",
    show_default=True,
    help="json: for a script.",
)
def diff(config: Path | None, server: str, tool: str, form: str) -> None:
    """What changed between the approved definition and the live one. Exit 1: something did, or nothing is approved."""
    review = run(reviewed(settings_of(config), server, tool))
    if form == "json":
        click.echo(msgspec.json.encode(review_document(review)["difference"]).decode())
    else:
        print_review(terminal(), review, whole=False, table=form == "table")
    if review.difference is None or review.difference.changes:
        raise click.exceptions.Exit(1)


@tools.command()
@config_option
@click.argument("server")
@click.argument("tool")
@json_option
def history(config: Path | None, server: str, tool: str, as_json: bool) -> None:  # noqa: FBT001 - click
    """Who decided what about a tool, when, how they came, and what had changed. Older decisions are in the audit."""
    review = run(reviewed(settings_of(config), server, tool))
    if as_json:
        click.echo(msgspec.json.encode(review.history).decode())
    else:
        print_history(terminal(), review.history)


@tools.command()
@config_option
@click.argument("server")
@click.argument("tool", required=False)
@_BY
@click.option("--hash", "expected", help="The definition hash you looked at (or its first 12 digits).")
@click.option(
    "--permission", "permissions", multiple=True, help="Only these of what it asks for. Repeatable."
)
@click.option("--no-permissions", "none", is_flag=True, help="None of what it asks for.")
@click.option("--expires", callback=duration_of, help="When the approval ends: 90d, 12h, or a date (UTC).")
@_WHY
@click.option("--all", "every", is_flag=True, help="Approve every tool of SERVER as it is right now.")
def approve(
    config: Path | None,
    server: str,
    tool: str | None,
    by: str,
    expected: str | None,
    permissions: tuple[str, ...],
    none: bool,  # noqa: FBT001 - click
    expires: int | None,
    why: str | None,
    every: bool,  # noqa: FBT001 - click
) -> None:
    """Approve the definition of TOOL that is live now, if it is the one you looked at."""
    if none and permissions:
        raise click.UsageError("--no-permissions goes without --permission")
    chosen = () if none else permissions or None
    settings = settings_of(config)
    if every:
        if tool is not None or expected is not None or chosen is not None:
            raise click.UsageError("--all goes without TOOL, --hash and permissions")
        done, refused = run(_approve_all(settings, server, by=by, expires=expires, why=why))
        click.echo(f"{server}: {done} tools approved as they are")
        for name, said in refused:
            click.echo(f"{server} {visible(name)}: {said}", err=True)
        if refused:
            raise click.exceptions.Exit(1)
        return
    if tool is None or expected is None or len(expected) < MIN_HASH_DIGITS:
        raise click.UsageError(f"name TOOL and --hash with at least {MIN_HASH_DIGITS} digits (or --all)")
    try:
        run(
            _approve(
                settings, server, tool, by=by, seen=expected, permissions=chosen, expires=expires, why=why
            )
        )
    except ApprovalRefused as problem:
        raise click.ClickException(problem.message) from None
    click.echo(f"{server} {tool}: approved")


@tools.command()
@config_option
@click.argument("server")
@click.argument("tool")
@_BY
@_WHY
def revoke(config: Path | None, server: str, tool: str, by: str, why: str | None) -> None:
    """Revoke a tool's approval: its next call is refused."""
    if run(_revoke(settings_of(config), server, tool, by=by, why=why)):
        click.echo(f"{server} {tool}: revoked")
    else:
        click.echo(f"{server} {tool}: there was no approval", err=True)
        raise click.exceptions.Exit(1)


@tools.command()
@config_option
@_BY
@click.option(
    "--plain",
    is_flag=True,
    help="Also records that were never sealed. Look at them first: they are believed.",
)
def reseal(config: Path | None, by: str, plain: bool) -> None:  # noqa: FBT001 - click
    """Seal all approvals with the key in use: after a new key, or when records from before the seal are to count."""
    done, left = run(_reseal(settings_of(config), by=by, plain=plain))
    click.echo(
        f"{done} records sealed with the key in use; {left} are not to be believed and stay as they are"
    )
    if left:
        raise click.exceptions.Exit(1)


@dataclass(frozen=True, slots=True)
class _Desk:
    shelf: Shelf
    deciding: Deciding


@asynccontextmanager
async def _desk(settings: Settings) -> AsyncIterator[_Desk]:
    async with open_shelf(settings) as shelf, open_audit(settings) as audit:
        deciding = Deciding(shelf.catalog, shelf.approvals, ApprovalBook(audit), told=told, now=shelf.now)
        yield _Desk(shelf, deciding)


def _actor(by: str) -> Actor:
    return Actor(name=by, issuer=TERMINAL_ISSUER, via="cli")


async def _approve(settings: Settings, server: str, tool: str, *, by: str, **how: Any) -> None:
    async with _desk(settings) as desk:
        await desk.deciding.approve(_actor(by), server, tool, **how)


async def _approve_all(
    settings: Settings, server: str, *, by: str, expires: int | None, why: str | None
) -> tuple[int, list[tuple[str, str]]]:
    done, refused = 0, []
    async with _desk(settings) as desk:
        for entry in await desk.shelf.catalog.all(server):
            seen, name = entry.tool.definition_hash, entry.tool.name
            try:
                await desk.deciding.approve(_actor(by), server, name, seen=seen, expires=expires, why=why)
                done += 1
            except (ApprovalRefused, UnknownTool) as problem:
                refused.append((name, problem.message))
    return done, refused


async def _revoke(settings: Settings, server: str, tool: str, *, by: str, why: str | None) -> bool:
    async with _desk(settings) as desk:
        return await desk.deciding.revoke(_actor(by), server, tool, why=why) is not None


async def _reseal(settings: Settings, *, by: str, plain: bool) -> tuple[int, int]:
    async with open_shelf(settings) as shelf:
        await record_admin(settings, by=by, code="admin.reseal_plain" if plain else "admin.reseal")
        return await shelf.approvals.reseal(by=_actor(by), plain=plain)

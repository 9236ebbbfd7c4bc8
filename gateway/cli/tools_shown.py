"""Tools, their differences and their history on a terminal, and as documents for scripts."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import click
import msgspec
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gateway.approving.review import APPROVED, Review, Row
from gateway.approving.words import flags_of, headline, lines_of, plain, shown
from gateway.catalog.approval_record import Event
from gateway.catalog.definition import Definition
from gateway.catalog.diff import DefinitionDiff
from gateway.catalog.permissions import permissions_of
from gateway.catalog.tool import Approval
from gateway.cli.inspect_shown import show_tool
from gateway.outcome.view import visible

MAX_DESCRIPTION = 4_000
MAX_ARGUMENT = 300
_LASTS = re.compile(r"([1-9][0-9]{0,4})([hd])", re.ASCII)


def duration_of(context: click.Context, parameter: click.Parameter, value: str | None) -> int | None:
    """``90d``, ``12h`` or ``2027-01-31`` -> unix seconds. :raises click.BadParameter: none of these."""
    del context, parameter
    if value is None:
        return None
    lasts = _LASTS.fullmatch(value)
    if lasts is not None:
        unit = timedelta(days=1) if lasts[2] == "d" else timedelta(hours=1)
        return int(time.time() + int(lasts[1]) * unit.total_seconds())
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        raise click.BadParameter("is a number of days (90d) or hours (12h), or a date (2027-01-31)") from None
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp())


def standing_of(row: Row) -> str:
    """One cell: ``by ann``, or why it may not be called."""
    approval = row.approval
    if approval is not None and approval.void is not msgspec.UNSET:
        return f"VOID: {approval.void}"
    if row.standing == APPROVED and approval is not None:
        part = (
            ""
            if approval.approved == approval.requested
            else f", {len(approval.approved)} of {len(approval.requested)} permissions"
        )
        until = "" if approval.expires is None else f", until {_when(approval.expires)}"
        return f"by {visible(approval.by)}{part}{until}"
    if approval is None and not row.asked_by:
        return "not approved"
    said = "not approved" if approval is None else row.standing
    return f"{said}, asked for by {visible(', '.join(row.asked_by))}" if row.asked_by else said


def print_review(console: Console, review: Review, *, whole: bool, table: bool = False) -> None:
    """What changed, or with ``whole`` the tool itself as well."""
    name, live = visible(review.tool), review.live
    _say(console, f"{review.server} {name}  class {review.data_class or 'none'}  {review.standing}")
    if live is not None:
        version, provider = visible(live.version or "none"), visible(live.provider or "none")
        _say(console, f"definition {live.definition_hash}")
        _say(console, f"version {version}  provider {provider}  origin {live.etdi.said}")
        if live.content.codes and not whole:
            _say(console, f"inspector: {live.content.severity}: {', '.join(live.content.codes)}")
    if review.approval is not None:
        _say_approval(console, review.approval)
    if whole and review.definition is not None:
        _say_definition(console, review.definition)
    if whole and review.report is not None:
        show_tool(console, review.report)
    if review.approval is None:
        _say(console, "nobody approved it: there is nothing to compare it with")
    else:
        _say(console, f"since the approval: {headline(review.difference)}")
        _say_difference(console, review.difference, table=table)


def print_history(console: Console, history: Sequence[Event]) -> None:
    """Newest first: that is what one looks for."""
    if not history:
        _say(console, "nothing was decided here")
    for event in reversed(history):
        who = f" by {visible(event.by)}" if event.by else ""
        via = f" ({visible(event.via)})" if event.via else ""
        why = f": {visible(event.why)}" if event.why else ""
        _say(console, f"{_when(event.at)}  {event.kind}{who}{via}{why}")
        if event.definition_hash:
            version = visible(event.version or "none")
            _say(console, f"    definition {event.definition_hash[:12]}… version {version}")
        if event.kind == "approved" and event.approved != event.requested:
            _say(console, f"    permissions: {_names(event.approved)} (of {_names(event.requested)})")
        for line in event.changes:
            _say(console, f"    {line}")  # made visible when it was noted


def _say_approval(console: Console, one: Approval) -> None:
    if one.void is not msgspec.UNSET:
        _say(console, f"the record of its approval is VOID: {one.void}")
        return
    word = "revoked" if one.revoked else "approved"
    until = "" if one.expires is None else f", until {_when(one.expires)}"
    _say(console, f"{word} by {visible(one.by)}, {_when(one.at)}{until}")
    if one.approved != one.requested:
        _say(console, f"approved permissions: {_names(one.approved)} (of {_names(one.requested)})")


def _say_definition(console: Console, definition: Definition) -> None:
    description = definition.wire.get("description")
    if description is not None:
        _say(console, f"description: {shown(description, MAX_DESCRIPTION)}", *flags_of(description))
    for name, permission in permissions_of(definition).items():
        rest = {key: value for key, value in permission.items() if key != "name"}
        _say(
            console, f"permission {visible(name)}{f': {shown(rest)}' if rest else ''}", *flags_of(permission)
        )
    properties = definition.input_schema.get("properties")
    for name, schema in properties.items() if isinstance(properties, dict) else ():
        _say(console, f"argument {visible(name)}: {shown(schema, MAX_ARGUMENT)}", *flags_of(name, schema))


def _say_difference(console: Console, difference: DefinitionDiff | None, *, table: bool) -> None:
    if difference is None:
        return
    if not table:
        for line in lines_of(difference):
            console.print(f"  {escape(plain(line))}", style="bold" if line.grave else None, soft_wrap=True)
        return
    shape = Table("", "what", "where", "before", "after", box=box.SIMPLE_HEAD)
    for line in lines_of(difference):
        marked = "".join(f" ({flag})" for flag in line.flags)
        before, after = line.before or "", line.after or ""
        if line.pieces:
            before, after = (
                "".join(piece.text for piece in line.pieces if piece.kind != other)
                for other in ("new", "old")
            )
        shape.add_row(line.sign, line.what, escape(line.place), escape(before), escape(after + marked))
    console.print(shape)


def _say(console: Console, text: str, *flags: str) -> None:
    """One line. Whatever of it is a server's was made visible before."""
    console.print(escape(text + "".join(f" ({flag})" for flag in flags)), soft_wrap=True)


def _names(permissions: Sequence[str]) -> str:
    return visible(", ".join(permissions)) or "none"


def _when(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%SZ")

"""``countersign bundle accept|accepted|revoke``: which revision may decide, for all gateways on a state."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec

from gateway.bundle.acceptance import Accepted, accept, read_accepted
from gateway.bundle.revision import Sequenced, sequenced
from gateway.cli.bundle import bundle
from gateway.cli.common import config_option, json_option, name_of, settings_of
from gateway.cli.kill import add
from gateway.cli.record import record_admin
from gateway.outcome.view import visible
from gateway.serving import run
from gateway.settings import Settings
from gateway.state.open import open_store

MAX_REASON = 500
_BY = click.option(
    "--by", required=True, callback=name_of, help="Who does it: the name the record will show."
)


def _reason(context: click.Context, parameter: click.Parameter, value: str) -> str:
    del context, parameter
    if not value.strip() or len(value) > MAX_REASON or visible(value) != value:
        raise click.BadParameter(f"a reason has 1 to {MAX_REASON} visible characters")
    return value


def _revision(context: click.Context, parameter: click.Parameter, value: str) -> Sequenced:
    del context, parameter
    found = sequenced(value)
    if found is None:
        raise click.BadParameter(
            "name a whole revision with a sequence, such as production+42.3f9a0c1b2d4e5f60"
        )
    return found


@bundle.command("accept")
@click.argument("revision", callback=_revision)
@click.option("--forget", is_flag=True, help="Higher sequences than this one count as newer again.")
@click.option("--reason", required=True, callback=_reason, help="Why, for the record.")
@_BY
@config_option
@json_option
def accept_command(
    revision: Sequenced,
    forget: bool,  # noqa: FBT001 - click
    reason: str,
    by: str,
    config: Path | None,
    as_json: bool,  # noqa: FBT001 - click
) -> None:
    """Let REVISION decide, also if it is older than the last one; what decided until now decides no longer."""
    before = run(_accepted_by_hand(settings_of(config), revision, by=by, reason=reason, forget=forget))
    old = None if before is None else before.revision
    if as_json:
        click.echo(msgspec.json.encode({"accepted": revision.text, "before": old, "by": by}).decode())
        return
    click.echo(f"{revision.text} may decide within a second; before it: {old or 'nothing'}")


@bundle.command("accepted")
@config_option
@json_option
def accepted_command(config: Path | None, as_json: bool) -> None:  # noqa: FBT001 - click
    """Which revision was accepted last. Exit 1: none."""
    found = run(_accepted(settings_of(config)))
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
    elif found is not None:
        since = datetime.fromtimestamp(found.at, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
        click.echo(
            f"{found.revision} since {since}{'' if found.by is None else f', accepted by {visible(found.by)}'}"
        )
    else:
        click.echo("no revision with a sequence has decided yet", err=True)
    if found is None:
        raise click.exceptions.Exit(1)


@bundle.command("revoke")
@click.argument("revision")
@click.option("--reason", required=True, callback=_reason, help="Why; operators see it, callers do not.")
@_BY
@config_option
@json_option
@click.pass_context
def revoke_command(
    context: click.Context,
    revision: str,
    reason: str,
    by: str,
    config: Path | None,
    as_json: bool,  # noqa: FBT001 - click
) -> None:
    """Nothing that REVISION decides is carried out any more; its tokens are void. (As `kill add --revision`.)"""
    context.invoke(
        add,
        caller=None,
        issuer=None,
        tool=None,
        definition=None,
        revision=revision,
        reason=reason,
        by=by,
        config=config,
        as_json=as_json,
    )


async def _accepted_by_hand(
    settings: Settings, revision: Sequenced, *, by: str, reason: str, forget: bool
) -> Accepted | None:
    store = open_store(settings.state.url)
    try:
        await record_admin(
            settings, by=by, code="admin.bundle_accept", tool=f"revision {revision.text}", note=reason
        )
        return await accept(store, revision, by=by, now=time.time(), forget=forget)
    finally:
        await store.aclose()


async def _accepted(settings: Settings) -> Accepted | None:
    store = open_store(settings.state.url)
    try:
        return await read_accepted(store)
    finally:
        await store.aclose()

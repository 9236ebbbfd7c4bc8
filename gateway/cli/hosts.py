"""``countersign hosts``: what belongs into the settings of an MCP host, printed or installed."""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import click
import tomlkit

from gateway.cli.common import json_option
from gateway.client.errors import HostFileError, LoginFailed
from gateway.client.hosts.entries import TITLES, Entry, Host, Wanted, Way, entry, path_of
from gateway.client.hosts.files import Change
from gateway.client.login.urls import checked
from gateway.settings.client import Machine, this_machine

DEFAULT_URL = "http://127.0.0.1:3000/mcp"
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
MASK = "(the token)"


def entries_for(wanted: Wanted, hosts: tuple[Host, ...], machine: Machine) -> list[Entry]:
    """The entry of each host, with its file on this machine."""
    places = {
        "platform": machine.platform,
        "home": machine.home,
        "appdata": machine.appdata,
        "codex": machine.codex,
    }
    return [entry(host, wanted, path_of(host, **places)) for host in hosts]  # type: ignore[arg-type]


def snippets(url: str, token: str) -> dict[str, str]:
    """Host and file -> the text to paste, with the token in it; for the demo, whose token lives as long as it does."""
    wanted = Wanted(name="paypal", url=url, command=own_path(), token=token)
    return {_title(one): _text(one) for one in entries_for(wanted, tuple(Host), this_machine())}


def own_path() -> str:
    """The absolute path of this program: a host that is started from a desktop has another PATH."""
    beside = Path(sys.executable).with_name("countersign.exe" if sys.platform == "win32" else "countersign")
    return str(beside) if beside.exists() else str(shutil.which("countersign") or "countersign")


@click.command()
@click.argument("which", nargs=-1, type=click.Choice([str(host) for host in Host]))
@click.option("--url", default=DEFAULT_URL, show_default=True, help="The gateway's MCP URL.")
@click.option("--name", default="paypal", show_default=True, help="What the server is called in the host.")
@click.option(
    "--token", help="A fixed bearer token. It is then IN THE FILE; without it host or bridge signs in."
)
@click.option(
    "--via",
    type=click.Choice([str(way) for way in Way]),
    default=str(Way.AUTO),
    show_default=True,
    help="url: the host connects by itself; connect: through the bridge, whose token is in your keyring.",
)
@click.option("--write", is_flag=True, help="Install it, after showing the change and asking.")
@click.option("--yes", is_flag=True, help="With --write: do not ask.")
@json_option
def hosts(
    which: tuple[str, ...],
    url: str,
    name: str,
    token: str | None,
    via: str,
    write: bool,  # noqa: FBT001 - click
    yes: bool,  # noqa: FBT001
    as_json: bool,  # noqa: FBT001
) -> None:
    """Print what belongs into the settings of Claude Desktop, Claude Code, Cursor, VS Code and Codex (or of those
    named), or install it with --write."""
    if not _NAME.fullmatch(name):
        raise click.UsageError("--name is of letters, digits, _ and -")
    if token is not None and not (token.isascii() and token.isprintable() and token and " " not in token):
        raise click.UsageError("--token is no token")
    try:
        checked(url, "--url")
    except LoginFailed as problem:
        raise click.UsageError(problem.message) from None
    wanted = Wanted(name=name, url=url, command=own_path(), way=Way(via), token=token)
    chosen = tuple(Host(one) for one in which) or tuple(Host)
    entries = entries_for(wanted, chosen, this_machine())
    if write:
        _write(entries, ask=not yes, as_json=as_json, token=token)
    elif as_json:
        click.echo(json.dumps([_facts(one) for one in entries]))
    else:
        for one in entries:
            click.echo(f"{_title(one)}\n{_text(one)}\n")


def _write(entries: list[Entry], *, ask: bool, as_json: bool, token: str | None) -> None:
    """:raises HostFileError: at least one file was left as it was, which is said for each."""
    done: list[dict[str, Any]] = []
    for one in entries:
        try:
            change = Change(one)
            status, backup = _applied(change, ask=ask, token=token)
            done.append({**_facts(one), "status": status, "backup": str(backup) if backup else None})
        except HostFileError as problem:
            click.echo(f"{problem.message}\n\n{_masked(_text(one), token)}\n", err=True)
            done.append({**_facts(one), "status": "refused", "because": problem.message})
    if as_json:
        click.echo(json.dumps(done))
    if any(one["status"] == "refused" for one in done):
        raise SystemExit(1)


def _applied(change: Change, *, ask: bool, token: str | None) -> tuple[str, Path | None]:
    title = TITLES[change.entry.host]
    if not change.is_needed:
        click.echo(f"{title}: {change.path} says it already", err=True)
        return "unchanged", None
    click.echo(_masked(change.diff(), token), err=True)
    if change.entry.holds_token:
        click.echo(
            f"The token will stand in {change.path}, where whoever can read that file reads it.", err=True
        )
    if ask and not click.confirm(f"Write this for {title}?", err=True):
        return "skipped", None
    backup = change.write()
    click.echo(f"{title}: written" + (f"; the old file is {backup}" if backup else ""), err=True)
    return "written", backup


def _facts(one: Entry) -> dict[str, Any]:
    return {
        "host": str(one.host),
        "path": str(one.path),
        "document": one.document,
        "holds_token": one.holds_token,
    }


def _title(one: Entry) -> str:
    return f"{TITLES[one.host]} ({one.path})"


def _text(one: Entry) -> str:
    return (
        tomlkit.dumps(one.document).strip()
        if one.is_toml
        else json.dumps(one.document, indent=2, ensure_ascii=False)
    )


def _masked(text: str, token: str | None) -> str:
    return text.replace(token, MASK) if token else text

"""What several commands share: the ``--config`` option and reading it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.console import Console
from rich.table import Table

from gateway.console.login import MAX_NAME
from gateway.outcome.view import visible
from gateway.settings import Settings, load_settings

F = TypeVar("F", bound=Callable[..., Any])

DEFAULT_CONFIG = Path("countersign.yaml")


def config_option(command: F) -> F:
    """``--config FILE``, ``COUNTERSIGN_CONFIG``, else ``countersign.yaml`` here if there is one."""
    return click.option(
        "--config",
        "config",
        type=click.Path(path_type=Path),
        envvar="COUNTERSIGN_CONFIG",
        help="Settings file (YAML). Default: countersign.yaml in this folder, if there is one.",
    )(command)


def json_option(command: F) -> F:
    """``--json``: the same facts for a script."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON for a script.")(command)


def settings_of(config: Path | None, *, listen: str | None = None) -> Settings:
    """The settings of this run; ``listen`` overrides them. :raises SettingsError:"""
    if config is None and DEFAULT_CONFIG.exists():
        config = DEFAULT_CONFIG
    return load_settings(config, listen=listen)


def name_of(context: click.Context, parameter: click.Parameter, value: Any) -> Any:
    """Callback of an option that puts a name, or several, into the record: one a reader can tell from another.

    :raises click.BadParameter: empty, overlong, or with characters that cannot be seen.
    """
    del context, parameter
    for name in (value,) if isinstance(value, str) else value:
        check_name(name)
    return value


def check_name(name: str) -> None:
    """:raises click.BadParameter: empty, overlong, or with characters that cannot be seen."""
    if not name.strip() or len(name) > MAX_NAME or visible(name) != name:
        raise click.BadParameter(f"a name has 1 to {MAX_NAME} visible characters")


def show_rows(table: Table, nothing: str) -> None:
    """The table, or the sentence that says more than an empty one."""
    if table.row_count:
        terminal().print(table)
    else:
        click.echo(nothing)


def terminal() -> Console:
    """Rich on a terminal, plain and wide text in a pipe."""
    probe = Console()
    return probe if probe.is_terminal else Console(width=160, color_system=None, highlight=False)

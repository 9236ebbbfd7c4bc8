"""What ``countersign tools`` looks at before anybody decides: the list, and one tool in full."""

from __future__ import annotations

import click

from gateway.approving.origin import Origins
from gateway.approving.review import Review, Reviews, Row
from gateway.errors import UnknownTool
from gateway.settings import Settings
from gateway.shelf import Shelf, open_shelf


async def listed(settings: Settings, only: str | None) -> tuple[list[Row], dict[str, str]]:
    """The tools, and what went wrong by server. :raises click.UsageError: there is no server ``only``."""
    async with open_shelf(settings) as shelf:
        if only is not None:
            _known(shelf, only)
        rows, failed = await _reviews(shelf).listed(only)
        return rows, {name: problem.message for name, problem in failed.items()}


async def reviewed(settings: Settings, server: str, tool: str) -> Review:
    """One tool. :raises click.UsageError: there is none of that name."""
    async with open_shelf(settings) as shelf:
        _known(shelf, server)
        try:
            return await _reviews(shelf).of(server, tool)
        except UnknownTool:
            raise click.UsageError(
                f"{server} lists no tool {tool!r}, and nobody decided about one: `countersign tools list`"
            ) from None


def _known(shelf: Shelf, server: str) -> None:
    known = shelf.catalog.servers()
    if server not in known:
        raise click.UsageError(f"there is no server {server!r}; there are: {', '.join(known)}")


def _reviews(shelf: Shelf) -> Reviews:
    origins = Origins(shelf.verifier, shelf.trust, shelf.known, now=shelf.now)
    return Reviews(shelf.catalog, shelf.approvals, shelf.classes, origins, now=shelf.now)

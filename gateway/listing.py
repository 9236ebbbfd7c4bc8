"""What may be seen: ``tools/list`` of one server, filtered by ``data.gateway.listing`` in one evaluation.

Beside the walk: a listing moves nothing, but it must agree with what a call would answer, so the same rooms give the
same facts. What the policy does not name as visible is not shown; no usable answer shows nothing.
"""

from __future__ import annotations

from typing import Any

from gateway.catalog.marked import marked
from gateway.catalog.shown import NONE, shown
from gateway.door.call import Era
from gateway.errors import Forbidden, PolicyUnavailable
from gateway.identity.credentials import Credentials
from gateway.policy.engine import Entrypoint
from gateway.walk import House


async def list_tools(
    house: House, *, call_id: str, server: str, era: Era, protocol: str, credentials: Credentials
) -> list[dict[str, Any]]:
    """The tool definitions this caller may see, as the upstream sent them, in its order; with our annotations where
    the server is one whose tools we know.

    :raises PolicyUnavailable: the engine gave no usable answer.
    :raises Forbidden: ``kill.caller``.
    """
    async with house.books.listing(call_id=call_id, server=server, era=era) as book:
        caller = book.caller(await house.identity.identify(credentials))
        if house.kills is not None and house.kills.stops_caller(caller) is not None:
            raise Forbidden("The operator stopped this caller.", code="kill.caller")
        entries = await house.catalog.all(server)
        answer = await house.policy.ask(
            Entrypoint.LISTING,
            {
                "call": {"server": server, "era": era, "protocol": protocol},
                "caller": caller,
                "env": house.policy.environment(caller),
                "tools": [{"tool": entry.tool, "approval": entry.approval} for entry in entries],
            },
        )
        verdicts = answer.get("tools") if isinstance(answer, dict) else None
        if not isinstance(verdicts, dict):
            raise PolicyUnavailable("The policy gave no usable listing.", code="policy.malformed_answer")
        annotations = house.annotations.get(server, NONE)
        rows = [(verdicts.get(entry.tool.name), entry) for entry in entries]
        visible = [
            marked(shown(entry.definition.wire, annotations), row.get("mark"))
            for row, entry in sorted(rows, key=_last)
            if isinstance(row, dict) and _visible(row)
        ]
        book.listed(len(visible))
        return visible


def _last(row: tuple[Any, object]) -> bool:
    """Verified tools first, where the phase prefers them; otherwise in the server's order."""
    return isinstance(row[0], dict) and row[0].get("last") is True


def _visible(verdict: Any) -> bool:
    return isinstance(verdict, dict) and verdict.get("visible") is True

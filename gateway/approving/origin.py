"""How far it is proven where a tool comes from, for people: the state in one word, its token, the chain (R132-R135)."""

from __future__ import annotations

from collections.abc import Callable

from gateway.catalog.catalog import Entry
from gateway.catalog.verification import DefinitionVerifier
from gateway.etdi.trust import Trust
from gateway.inspector.fact import findings_in
from gateway.inspector.finding import excerpt
from gateway.inspector.names import KnownNames
from gateway.inspector.report import ToolReport, with_etdi


class Origins:
    """Looks, with the verifier of the gateway itself: what a page says is what the next call is judged by."""

    def __init__(
        self, verifier: DefinitionVerifier, trust: Trust, known: KnownNames, *, now: Callable[[], float]
    ) -> None:
        self._verifier = verifier
        self._trust = trust
        self._known = known
        self._now = now

    async def report(self, server: str, entry: Entry) -> ToolReport:
        """Without an ETDI part where a release pins the definition: nobody else has to vouch for that."""
        wire = entry.definition.wire
        report = ToolReport(
            server=server, name=excerpt(entry.tool.name), content=findings_in(wire, self._known)
        )
        if entry.tool.etdi.evidence == "release":
            return report
        return await with_etdi(
            report, wire, now=self._now(), trust=self._trust, verifier=self._verifier, server=server
        )

"""`gateway-bare`: the gateway with its policy, its approvals and its audit switched off, to see what the rest costs.

No setting does this: the door, the walk and the upstream are the real ones, wired here with an engine that says yes and
a sink that keeps nothing. It measures; it is no gateway.
"""

from __future__ import annotations

import time
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from gateway.audit.ledger import Audit
from gateway.audit.record import AuditRecord
from gateway.books import Books
from gateway.catalog.approvals import Approvals
from gateway.catalog.catalog import Catalog
from gateway.catalog.definition import read_definition
from gateway.door.endpoint import McpEndpoint
from gateway.door.http import Guard
from gateway.identity.challenge import Access
from gateway.identity.static import StaticToken, StaticTokens, hash_static_token
from gateway.identity.verifier import Identity
from gateway.outcome.allow import AllowOutcome
from gateway.outcome.confirm import ConfirmOutcome
from gateway.outcome.consent import Consents
from gateway.outcome.handshake import HandshakeOutcome
from gateway.outcome.in_band import InBand
from gateway.outcome.parked import Parking
from gateway.outcome.pending import Waiting
from gateway.policy.amounts import Amounts
from gateway.policy.classes import Classes
from gateway.policy.engine import Entrypoint, Evaluation, Readiness
from gateway.policy.policy import Policy
from gateway.serving import run, settled
from gateway.state.sqlite import SqliteStore
from gateway.upstream.mcp_http import McpHttp
from gateway.usage.counter import UsageCounter
from gateway.walk import House
from tests.bench.proxies.serving import Arguments, arguments, server
from tests.bench.workload import TOOL
from tests.support.journals import NoJournal

TOKEN = "unsafe-bench-token-of-the-bare-gateway"
_YES = msgspec.Raw(
    b'{"outcome":"allow","reasons":[{"code":"bench.yes","outcome":"allow","message":"m","remedy":"r"}],'
    b'"data_class":4,"tier":"internal","phase":null,"would_be":null,"obligations":{}}'
)


class YesEngine:
    """Says yes to everything, at once."""

    async def evaluate(self, entrypoint: Entrypoint, document: bytes) -> Evaluation:
        """Yes."""
        if entrypoint is Entrypoint.LISTING:
            names = [one["tool"]["name"] for one in msgspec.json.decode(document)["tools"]]
            shown = msgspec.json.encode({"tools": {name: {"visible": True} for name in names}})
            return Evaluation(result=msgspec.Raw(shown), revision="bench", engine="embedded")
        return Evaluation(result=_YES, revision="bench", engine="embedded")

    async def ready(self) -> Readiness:
        """Always."""
        return Readiness(ready=True, engine="embedded")

    async def aclose(self) -> None:
        """Nothing is open."""


class NoSink:
    """Takes every record and keeps none."""

    healthy = True

    async def append(self, record: AuditRecord, *, durable: bool) -> None:
        """Gone."""

    async def aclose(self) -> None:
        """Nothing is open."""


async def serve(given: Arguments, folder: Path) -> None:
    """Run until SIGTERM."""
    store = SqliteStore(folder / "state.sqlite3", now=time.time)
    upstreams = {"paypal": McpHttp("paypal", given.upstream_url, version="0")}
    approvals = Approvals(store, pins={}, now=time.time)
    for wire in await upstreams["paypal"].definitions():
        await approvals.approve("paypal", read_definition(wire), by="bench", expires=None)
    books = Books(Audit(NoSink(), service_version="0", environment="none"))
    waiting = Waiting(store, now=time.time)
    usage = UsageCounter(store, now=time.time)
    token = StaticToken(sha256=hash_static_token(TOKEN), subject="bench", roles=("agent",))
    house = House(
        books=books,
        identity=Identity([StaticTokens((token,), clock=time.time)]),
        catalog=Catalog(upstreams, approvals, store, now=time.time),
        classes=Classes({TOOL: 4}),
        amounts=Amounts({}, upstreams),
        consents=Consents(waiting, now=time.time),
        policy=Policy(YesEngine(), paypal="none", health=books, now=time.time, usage=usage),
        allow=AllowOutcome(
            upstreams,
            waiting,
            journal=NoJournal(),
            parking=Parking(),
            lapses=books,
            usage=usage,
            now=time.time,
        ),
        handshake=HandshakeOutcome(waiting),
        confirm=ConfirmOutcome(waiting, public_url="http://127.0.0.1", now=time.time),
        in_band=InBand(waiting, books, ask_s=50),
        upstreams=upstreams,
        waiting=waiting,
    )
    endpoint = McpEndpoint(
        house,
        Guard(hosts=frozenset({"127.0.0.1"}), origins=frozenset()),
        default_server="paypal",
        version="0",
        max_body_bytes=1024 * 1024,
        access=Access(),
    )
    serving = server(endpoint)
    serving.config.proxy_headers = serving.config.server_header = serving.config.date_header = False
    serving.config.lifespan = "off"
    settled()
    await serving.serve(sockets=[given.listener])


if __name__ == "__main__":
    with TemporaryDirectory() as directory:
        run(serve(arguments(__doc__), Path(directory)))

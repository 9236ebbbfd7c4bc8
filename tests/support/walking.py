"""A walk without sockets: an engine whose answers the test writes, a target that keeps what it was sent; the store
and the audit file are real."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import msgspec

from gateway.audit.file_sink import FileSink
from gateway.audit.ledger import Audit
from gateway.books import Books
from gateway.budget.budgets import Budgets
from gateway.budget.releases import Releases
from gateway.canonical import canonical_hash
from gateway.catalog.approvals import Approvals, Pins
from gateway.catalog.catalog import Catalog
from gateway.catalog.definition import read_definition
from gateway.catalog.tool import Approval, Etdi, SchemaVerdict, Tool
from gateway.door.call import Client, Era, ToolCall
from gateway.door.host import NOBODY, Host
from gateway.errors import UpstreamUnavailable
from gateway.identity.caller import Caller
from gateway.identity.credentials import Credentials, Secret
from gateway.identity.static import StaticToken, StaticTokens, hash_static_token
from gateway.identity.verifier import Identity
from gateway.outcome.allow import AllowOutcome
from gateway.outcome.confirm import ConfirmOutcome
from gateway.outcome.consent import Consents
from gateway.outcome.deadlines import Deadlines
from gateway.outcome.handshake import HandshakeOutcome
from gateway.outcome.in_band import InBand
from gateway.outcome.parked import Parking
from gateway.outcome.pending import Waiting
from gateway.policy.amounts import Amounts, MoneyRules
from gateway.policy.classes import Classes
from gateway.policy.engine import Entrypoint, Evaluation, Readiness
from gateway.policy.money import Money
from gateway.policy.policy import Policy
from gateway.policy.question import Asked
from gateway.state.sqlite import SqliteStore
from gateway.state.store import Store
from gateway.transactions.opened import JournaledLapses, open_journal
from gateway.upstream.target import About, Effect, Reply, Resumed, Upstream
from gateway.usage.counter import UsageCounter
from gateway.walk import House
from tests.support.clock import ManualClock

SERVER = "bank"
AGENT = "unsafe-test-token-of-the-agent-0001"
OTHER = "unsafe-test-token-of-another-agent-2"
READ, MAKE, PAY = "read_balance", "make_invoice", "pay_bill"
CLASSES = {READ: 4, MAKE: 3, PAY: 2}
TIERS = {4: "internal", 3: "confidential", 2: "restricted"}
REVISION = "r1"
MONEY = Money(amount="12.00", currency="USD", payee="shop", source="arguments")

Answering = Callable[[dict[str, Any]], "dict[str, Any] | bytes | BaseException | None"]
Calling = Callable[[str, Mapping[str, Any]], "Reply | BaseException | Awaitable[Reply]"]


def a_reason(outcome: str, code: str = "test.reason") -> dict[str, Any]:
    """One reason of an answer."""
    return {"code": code, "outcome": outcome, "message": "Said so.", "remedy": "None."}


def an_answer(outcome: str, **members: Any) -> dict[str, Any]:
    """A well-formed answer; a confirm asks for one human."""
    obligations = {"confirm": {"by": ["human"]}} if outcome == "confirm" else {}
    return {
        "outcome": outcome,
        "reasons": [a_reason(outcome)],
        "data_class": 4,
        "tier": "internal",
        "phase": "enforcement",
        "would_be": None,
        "obligations": obligations,
        **members,
    }


def by_class(question: dict[str, Any]) -> dict[str, Any]:
    """The rule in short: classes 4 and 5 run, class 3 wants the handshake, 1 and 2 a human besides."""
    data_class = CLASSES.get(question["tool"]["name"])
    facts = {"data_class": data_class, "tier": TIERS.get(data_class or 0)}
    consent = question["consent"]
    if data_class is None:
        return an_answer("deny", **facts)
    if data_class <= 3 and not consent["handshake"]["satisfied"]:
        return an_answer("handshake", obligations={"handshake": {"ttl_seconds": 30}}, **facts)
    if data_class <= 2 and not any(one["by"] == "human" for one in consent["confirmations"]):
        return an_answer("confirm", **facts)
    return an_answer("allow", **facts)


class ScriptedEngine:
    """An engine whose answers the test writes. An exception is raised, None is undefined, bytes go as they are."""

    def __init__(self, answering: Answering = by_class) -> None:
        self.answering = answering
        self.revision = REVISION
        self.questions: list[dict[str, Any]] = []
        self.thinking: Callable[[], Awaitable[object]] | None = None

    async def evaluate(self, entrypoint: Entrypoint, document: bytes) -> Evaluation:
        """See ``Engine.evaluate``."""
        question: dict[str, Any] = msgspec.json.decode(document)
        self.questions.append(question)
        if self.thinking is not None:
            await self.thinking()
        said = self.answering(question)
        if isinstance(said, BaseException):
            raise said
        encoded = said if isinstance(said, bytes | None) else msgspec.json.encode(said)
        return Evaluation(
            result=None if encoded is None else msgspec.Raw(encoded),
            decision_id=f"d{len(self.questions)}",
            revision=self.revision,
            engine="opa",
        )

    async def ready(self) -> Readiness:
        """See ``Engine.ready``."""
        return Readiness(ready=True, engine="opa", revision=self.revision)

    async def aclose(self) -> None:
        """See ``Engine.aclose``."""


def done(result: Mapping[str, Any] | None = None, **facts: Any) -> Reply:
    """A target's answer to a call that was carried out."""
    document = {"content": [{"type": "text", "text": "done"}]} if result is None else dict(result)
    return Reply(
        effect=Effect.EXECUTED, result=msgspec.Raw(msgspec.json.encode(document)), status=200, **facts
    )


def a_definition(name: str = READ, **members: Any) -> dict[str, Any]:
    """A tool as a server lists it; it takes any object."""
    return {"name": name, "description": f"Does {name}.", "inputSchema": {"type": "object"}, **members}


class KeepingUpstream:
    """A target that keeps what it was sent. ``wires`` may change at any time; an exception instead of it is raised."""

    def __init__(self, name: str = SERVER, *wires: Mapping[str, Any]) -> None:
        self.name = name
        self.wires: list[dict[str, Any]] | BaseException = [dict(wire) for wire in wires]
        self.reply: Reply | BaseException | Calling = done()
        self.calls: list[tuple[str, dict[str, Any], str, dict[str, Any]]] = []
        self.cancels = True
        self.era = Era.LEGACY
        self.asking: Callable[[Host], Awaitable[Reply]] | None = None
        self.resumed: list[Resumed | None] = []
        self.requests: list[tuple[str, dict[str, Any], Resumed | None]] = []
        self.listed = 0
        self.listing: Callable[[], Awaitable[None]] | None = None
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.forgotten: list[str] = []
        self.listened: list[tuple[dict[str, Any], Host]] = []
        self.streaming: Callable[[Host], Awaitable[None]] | None = None

    async def definitions(self) -> list[dict[str, Any]]:
        """See ``Upstream.definitions``."""
        self.listed += 1
        if self.listing is not None:
            await self.listing()
        if isinstance(self.wires, BaseException):
            raise self.wires
        # Decoded anew like from a socket: nobody shares an object with the server.
        wires: list[dict[str, Any]] = msgspec.json.decode(msgspec.json.encode(self.wires))
        return wires

    async def about(self) -> About:
        """See ``Upstream.about``."""
        return About(era=self.era, protocol="2025-11-25", capabilities={"tools": {}})

    async def call(
        self,
        tool: str,
        arguments: Mapping[str, Any],
        *,
        transaction_id: str,
        meta: Mapping[str, Any],
        host: Host = NOBODY,
        resumed: Resumed | None = None,
    ) -> Reply:
        """See ``Upstream.call``."""
        self.calls.append((tool, dict(arguments), transaction_id, dict(meta)))
        self.resumed.append(resumed)
        if self.asking is not None:
            return await self.asking(host)
        reply = self.reply
        if not isinstance(reply, Reply | BaseException):
            made = reply(tool, arguments)
            reply = made if isinstance(made, Reply | BaseException) else await made
        if isinstance(reply, BaseException):
            raise reply
        return reply

    async def request(
        self, method: str, params: Mapping[str, Any], *, host: Host = NOBODY, resumed: Resumed | None = None
    ) -> Reply:
        """See ``Upstream.request``."""
        self.requests.append((method, dict(params), resumed))
        if isinstance(self.reply, Reply):
            return self.reply
        raise AssertionError("a request is answered by a reply")

    async def tell(self, method: str, params: Mapping[str, Any], *, host: Host) -> None:
        """See ``Upstream.tell``."""
        self.told.append((method, dict(params)))

    async def listen(self, params: Mapping[str, Any], *, host: Host) -> None:
        """See ``Upstream.listen``. Without a script, a server that has no stream."""
        self.listened.append((dict(params), host))
        if self.streaming is None:
            raise UpstreamUnavailable("There is no stream.", code="upstream.no_stream")
        await self.streaming(host)

    async def forget(self, key: str) -> None:
        """See ``Upstream.forget``."""
        self.forgotten.append(key)

    async def aclose(self) -> None:
        """See ``Upstream.aclose``."""


class StaticMoney:
    """Money rules of one amount: what pays costs it, what reads costs nothing."""

    def __init__(self, money: Money = MONEY) -> None:
        self.money = money

    def money_of(self, tool: str, arguments: Mapping[str, Any]) -> Money | None:
        """See ``MoneyRules.money_of``."""
        return None if tool == READ else self.money

    def lookup_for(
        self, tool: str, arguments: Mapping[str, Any], answers: Sequence[Mapping[str, Any]] = ()
    ) -> tuple[str, dict[str, Any]] | None:
        """See ``MoneyRules.lookup_for``."""
        return None

    def money_from(
        self, tool: str, arguments: Mapping[str, Any], answers: Sequence[Mapping[str, Any]]
    ) -> Money:
        """See ``MoneyRules.money_from``."""
        return self.money


MODERN_CLIENT = Client(name="desk", version="1", can_input_required=True)
LEGACY_CLIENT = Client(name="desk", version="1")


def a_call(tool: str = READ, arguments: Mapping[str, Any] | None = None, **members: Any) -> ToolCall:
    """One call as the door gives it; ``legacy=True`` for a host that can carry no token."""
    legacy = members.pop("legacy", False)
    token: str = members.pop("bearer", AGENT)
    sent = dict(arguments or {})
    return ToolCall(
        **{
            "call_id": str(uuid.uuid4()),
            "received_at": 1_795_224_000.0,
            "server": SERVER,
            "tool": tool,
            "arguments": sent,
            "arguments_hash": canonical_hash(sent),
            "era": Era.LEGACY if legacy else Era.MODERN,
            "protocol": "2025-11-25" if legacy else "2026-07-28",
            "client": LEGACY_CLIENT if legacy else MODERN_CLIENT,
            "credentials": Credentials(bearer=Secret(token.encode())),
            **members,
        }
    )


CALLER = Caller(issuer="https://idp.example", subject="agent-one", roles=("agent",))


def a_tool(name: str = PAY, **members: Any) -> Tool:
    """A tool as the catalog knows it."""
    return Tool(
        **{
            "name": name,
            "version": "1.0.0",
            "definition_hash": "d" * 64,
            "provider": "bank",
            "permissions": ("pay",),
            "annotations": {},
            "etdi": Etdi(),
            "first_seen": 1_795_000_000,
            **members,
        }
    )


def an_approval(**members: Any) -> Approval:
    """The approval of :func:`a_tool`."""
    return Approval(
        **{
            "version": "1.0.0",
            "definition_hash": "d" * 64,
            "provider": "bank",
            "requested": ("pay",),
            "approved": ("pay",),
            "by": "ops",
            "at": 1_795_000_000,
            **members,
        }
    )


def an_asked(call: ToolCall | None = None, **members: Any) -> Asked:
    """Everything that the earlier rooms know of one call."""
    call = call or a_call(PAY, {"bill": "b1"})
    return Asked(
        **{
            "call": call,
            "caller": CALLER,
            "tool": a_tool(call.tool),
            "approval": an_approval(),
            "schema": SchemaVerdict(valid=True),
            "money": MONEY,
            **members,
        }
    )


@dataclass(kw_only=True)
class Rooms:
    """A wired house and what stands around it."""

    house: House
    engine: ScriptedEngine
    upstream: KeepingUpstream
    clock: ManualClock
    store: Store
    waiting: Waiting
    approvals: Approvals
    audit: Audit
    audit_path: Path
    store_path: Path
    confirm: ConfirmOutcome = field(repr=False)
    deadlines: Deadlines = field(repr=False)
    parking: Parking = field(repr=False)
    usage: UsageCounter = field(repr=False)

    def records(
        self, phase: Literal["call", "confirm", "upstream", "passage"] = "call"
    ) -> list[dict[str, Any]]:
        """The audit's records, the ``opened`` ones included."""
        lines = [msgspec.json.decode(line) for line in self.audit_path.read_bytes().splitlines()]
        bodies = [line.get("record", line) for line in lines]
        return [one for one in bodies if one.get("phase") == phase]


@asynccontextmanager
async def rooms(
    folder: Path,
    *,
    wires: list[dict[str, Any]] | None = None,
    pins: Pins | None = None,
    rules: MoneyRules | None = None,
    approve: bool = True,
    hold_s: float = 0.0,
    store_of: Callable[[Path, ManualClock], SqliteStore] = lambda path, clock: SqliteStore(path, now=clock),
    ask_s: float = 50.0,
) -> AsyncIterator[Rooms]:
    """All rooms over one SQLite file and one audit file; the three tools are approved as they are."""
    clock = ManualClock()
    store_path, audit_path = folder / "state.sqlite3", folder / "audit.jsonl"
    store = store_of(store_path, clock)
    sink = FileSink(audit_path)
    audit = Audit(sink, service_version="0", environment="none", clock=clock)
    wires = [a_definition(name) for name in CLASSES] if wires is None else wires
    upstream = KeepingUpstream(SERVER, *wires)
    upstreams: dict[str, Upstream] = {SERVER: upstream}
    approvals = Approvals(store, pins=pins or {}, now=clock)
    engine = ScriptedEngine()
    books = Books(audit)
    parking = Parking()
    releases = Releases(store)
    waiting = Waiting(store, now=clock, refused=releases.refused)
    if approve:
        for wire in wires:
            await approvals.approve(SERVER, read_definition(wire), by="ops", expires=None)
    catalog = Catalog(upstreams, approvals, store, now=clock)
    classes = Classes(CLASSES)
    kept = open_journal(
        store,
        upstreams,
        catalog,
        books,
        classes=classes,
        rules={},
        now=clock,
        lease_s=30,
        followers=(releases,),
    )
    journal = await kept.__aenter__()
    deadlines = Deadlines(store, now=clock, told=(books.timed_out, releases.timed_out))
    confirm = ConfirmOutcome(
        waiting, public_url="http://127.0.0.1:1", now=clock, hold_s=hold_s, deadlines=deadlines
    )
    tokens = (
        StaticToken(sha256=hash_static_token(AGENT), subject="agent-one"),
        StaticToken(sha256=hash_static_token(OTHER), subject="agent-two"),
    )
    usage = UsageCounter(store, now=clock)
    policy = Policy(engine, paypal="none", health=books, now=clock, usage=usage)
    house = House(
        books=books,
        identity=Identity([StaticTokens(tokens, clock=clock)]),
        catalog=catalog,
        classes=classes,
        amounts=Amounts({SERVER: rules or StaticMoney()}, upstreams),
        consents=Consents(waiting, now=clock, deadlines=deadlines),
        policy=policy,
        budgets=Budgets(store, policy),
        allow=AllowOutcome(
            upstreams,
            waiting,
            journal=journal,
            parking=parking,
            lapses=JournaledLapses(journal, books),
            usage=usage,
            now=clock,
        ),
        handshake=HandshakeOutcome(waiting),
        confirm=confirm,
        in_band=InBand(waiting, books, ask_s=ask_s),
        upstreams=upstreams,
        waiting=waiting,
    )
    try:
        yield Rooms(
            house=house,
            engine=engine,
            upstream=upstream,
            clock=clock,
            store=store,
            waiting=waiting,
            approvals=approvals,
            audit=audit,
            audit_path=audit_path,
            store_path=store_path,
            confirm=confirm,
            deadlines=deadlines,
            parking=parking,
            usage=usage,
        )
    finally:
        await parking.aclose()
        await kept.__aexit__(None, None, None)
        await audit.aclose()
        await store.aclose()

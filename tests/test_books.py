"""What the walk tells the audit: one closing record per call, and the truth about how it ended."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.audit.file_sink import FileSink
from gateway.audit.ledger import Audit
from gateway.books import Books, CallBook
from gateway.catalog.catalog import Entry
from gateway.catalog.definition import read_definition
from gateway.catalog.schema import InputSchema
from gateway.console.decide import AuditOutcome, Verdict
from gateway.console.person import Person
from gateway.door.call import Era
from gateway.errors import (
    AuditUnavailable,
    CountersignError,
    MalformedRequest,
    StoreUnavailable,
    TokenRefused,
    Unauthenticated,
    UnknownTool,
    UpstreamUnavailable,
)
from gateway.outcome.answer import About, Again, Answer, Executed, Refused, Unknown
from gateway.policy.decision import Allow, Decision, denied, overruled
from gateway.transactions.transaction import State
from gateway.upstream.target import Effect, Reply
from tests.support.faults import no_file_longer_than
from tests.support.transactions import KEPT, a_transaction
from tests.support.waiting import a_pending
from tests.support.walking import AGENT, CALLER, a_call, a_definition, a_tool, done

ABOUT = About(call_id="c", tool="t")
ALLOWED = Allow(
    reasons=(msgspec.structs.replace(denied("consent.given", "m", "r").reasons[0], outcome="allow"),),
    data_class=3,
    tier="confidential",
    revision="r1",
    decision_id="d1",
    engine="opa",
)


class Desk:
    """Books over a real file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.audit = Audit(FileSink(path), service_version="0", environment="none")
        self.books = Books(self.audit)

    def records(self) -> list[dict[str, Any]]:
        """What is in the file."""
        lines = [msgspec.json.decode(line) for line in self.path.read_bytes().splitlines()]
        return [one for line in lines if "phase" in (one := line.get("record", line))]

    def only(self) -> dict[str, Any]:
        """The one record."""
        (record,) = self.records()
        return record


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """Open until the test ends."""
    desk = Desk(tmp_path / "audit.jsonl")
    yield desk
    await desk.audit.aclose()


def an_entry() -> Entry:
    """A tool of the catalog."""
    definition = read_definition(a_definition("pay_bill"))
    return Entry(tool=a_tool("pay_bill"), approval=None, definition=definition, schema=InputSchema({}))


async def answered(
    desk: Desk,
    answer: Answer,
    *,
    reply: Reply | None = None,
    decision: Decision = ALLOWED,
    sensitive: bool = False,
) -> dict[str, Any]:
    """The closing record of a call that ended so."""
    async with desk.books.call(a_call("pay_bill", {"a": 1}), sensitive=sensitive) as book:
        book.caller(CALLER)
        book.tool(an_entry())
        book.decided(decision, "t1")
        if reply is not None:
            await book.before_upstream(durable=False)
            book.upstream(reply)
        assert book.answered(answer) is answer
    return desk.records()[-1]


async def test_the_rooms_say_what_they_know(desk: Desk) -> None:
    """Caller, tool, hashes, decision and the target's own ids; neither token nor arguments."""
    reply = done(debug_id="dbg", request_id="req")
    record = await answered(desk, Executed(about=ABOUT, result=reply.result), reply=reply)
    assert record["caller"] == {"issuer": CALLER.issuer, "subject": "agent-one", "client_id": None}
    assert (record["server"], record["tool"], record["era"]) == ("bank", "pay_bill", "modern")
    assert (record["definition_hash"], len(record["arguments_hash"])) == ("d" * 64, 64)
    assert (record["outcome"], record["reasons"], record["transaction_id"]) == (
        "allow",
        ["consent.given"],
        "t1",
    )
    assert record["decision"] == {"decision_id": "d1", "revision": "r1", "engine": "opa"}
    assert (record["data_class"], record["tier"]) == (3, "confidential")
    assert record["upstream"] == {"status": 200, "debug_id": "dbg", "request_id": "req"}
    assert AGENT not in desk.path.read_text()


@pytest.mark.parametrize(
    ("answer", "reply", "status"),
    [
        (Executed(about=ABOUT, result=None), done(), "executed"),
        (Executed(about=ABOUT, result=None), done(is_error=True), "failed"),
        (Executed(about=ABOUT, result=None, error={}), Reply(effect=Effect.REFUSED, is_error=True), "failed"),
        (Executed(about=ABOUT, result=None), Reply(effect=Effect.UNKNOWN, is_error=True), "unknown"),
        (Unknown(about=ABOUT, message="m"), Reply(effect=Effect.UNKNOWN), "unknown"),
        (Again(about=ABOUT, status="s", message="m", token="f" * 64, expires_in_s=1), None, "waiting"),
        (Refused(about=ABOUT), None, "refused"),
    ],
    ids=["done", "an error result", "an error", "unknown to the reply", "unknown", "again", "refused"],
)
async def test_each_answer_has_its_status(
    desk: Desk, answer: Answer, reply: Reply | None, status: str
) -> None:
    """What nobody knows is unknown, whatever form the answer has; and a handshake token is in no record."""
    record = await answered(desk, answer, reply=reply)
    assert (record["status"], record["error"]) == (status, None)
    assert len(desk.records()) == 1
    assert "f" * 64 not in desk.path.read_text()


@pytest.mark.parametrize(
    ("durable", "sensitive", "opened"), [(False, False, 0), (True, False, 1), (False, True, 1)]
)
async def test_a_sensitive_call_is_on_disk_first(
    desk: Desk, *, durable: bool, sensitive: bool, opened: int
) -> None:
    """By the policy's class, or by the table's: the milder of the two does not decide."""
    async with desk.books.call(a_call(), sensitive=sensitive) as book:
        await book.before_upstream(durable=durable)
        assert [one["status"] for one in desk.records()] == ["opened"] * opened
        book.upstream(done())
        book.answered(Executed(about=ABOUT, result=None))
    assert [one["status"] for one in desk.records()] == ["opened"] * opened + ["executed"]


async def test_a_full_disk_stops_a_sensitive_call(desk: Desk) -> None:
    """And the state says so to the policy."""
    assert desk.books.state() == "ok"
    with no_file_longer_than(0), pytest.raises(AuditUnavailable):
        async with desk.books.call(a_call(), sensitive=True) as book:
            await book.before_upstream(durable=True)
    assert desk.books.state() == "degraded"


async def test_the_gateways_own_no_is_the_records(desk: Desk) -> None:
    """The policy allowed it and a wall of ours refused: the record has the wall's reason, and the policy's facts."""
    no = overruled(ALLOWED, "catalog.definition_changed", "m", "r")
    record = await answered(desk, Refused(about=msgspec.structs.replace(ABOUT, reasons=no.reasons)))
    assert (record["outcome"], record["reasons"]) == ("deny", ["catalog.definition_changed"])
    assert (record["data_class"], record["decision"]["decision_id"]) == (3, "d1")


async def raised(desk: Desk, error: BaseException, *, sent: str = "") -> dict[str, Any]:
    """The closing record of a call that ended in an exception; ``sent``: before, or after the target answered."""
    with pytest.raises(type(error)):
        await ending(desk, error, sent)
    return desk.records()[-1]


async def ending(desk: Desk, error: BaseException, sent: str) -> None:
    """A call that raises."""
    async with desk.books.call(a_call()) as book:
        await until(book, sent)
        raise error


async def until(book: CallBook, sent: str) -> None:
    """As far as the call has come."""
    if sent:
        await book.before_upstream(durable=False)
    if sent == "after":
        book.upstream(done())


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (TokenRefused("m", code="handshake.mismatch"), "refused", "handshake.mismatch"),
        (UnknownTool("m"), "refused", "catalog.unknown_tool"),
        (Unauthenticated("m"), "refused", "identity.token_invalid"),
        (UpstreamUnavailable("m", code="upstream.not_sent"), "failed", "upstream.not_sent"),
        (StoreUnavailable("m"), "failed", "state.unavailable"),
        (RuntimeError("secret words"), "failed", "internal"),
        (asyncio.CancelledError(), "failed", "cancelled"),
    ],
    ids=repr,
)
async def test_what_ended_before_anything_was_sent(
    desk: Desk, error: BaseException, status: str, code: str
) -> None:
    """A no is refused, a broken part is failed; the words of an exception are nobody's business."""
    record = await raised(desk, error)
    assert (record["status"], record["error"]) == (status, code)
    assert "secret words" not in desk.path.read_text()


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (TokenRefused("m", code="confirm.already_used"), "refused"),
        (UpstreamUnavailable("m"), "failed"),
        (RuntimeError("x"), "unknown"),
        (asyncio.CancelledError(), "unknown"),
    ],
    ids=repr,
)
async def test_what_ended_when_something_may_have_been_sent(
    desk: Desk, error: BaseException, status: str
) -> None:
    """Who knows that nothing was sent says so; every other exception leaves it unknown (invariant 4)."""
    assert (await raised(desk, error, sent="before"))["status"] == status


@pytest.mark.parametrize("error", [RuntimeError("x"), TokenRefused("m"), StoreUnavailable("m")], ids=repr)
async def test_what_ended_after_the_target_answered(desk: Desk, error: BaseException) -> None:
    """Never refused, never failed."""
    assert (await raised(desk, error, sent="after"))["status"] == "unknown"


async def test_a_listing_is_a_record(desk: Desk) -> None:
    """Of its own phase."""
    async with desk.books.listing(call_id="c1", server="bank", era=Era.LEGACY) as book:
        book.caller(CALLER)
        book.listed(3)
    record = desk.only()
    assert (record["phase"], record["status"], record["server"], record["era"]) == (
        "list",
        "executed",
        "bank",
        "legacy",
    )


@pytest.mark.parametrize("method", [None, "tools/call", "x" * 10_000, "\ud800\n"])
async def test_what_was_no_proper_call_is_a_record(desk: Desk, method: str | None) -> None:
    """However hostile its method is called."""
    error: CountersignError = MalformedRequest("m", code="door.params")
    await desk.books.rejected(call_id="c1", server="bank", method=method, error=error)
    record = desk.only()
    assert (record["status"], record["error"]) == ("refused", "door.params")
    assert len(desk.path.read_bytes()) < 5000


PERSON = Person(subject="bob", issuer="https://idp.example", roles=("approver",), assurance="oidc")


@pytest.mark.parametrize(
    ("outcome", "said", "status"),
    [
        ("accepted", "allow", "executed"),
        ("denied", "deny", "refused"),
        ("rejected", "deny", "refused"),
        ("void", "error", "failed"),
        ("unknown", "error", "unknown"),
    ],
)
async def test_a_persons_decision_is_a_record(
    desk: Desk, outcome: AuditOutcome, said: str, status: str
) -> None:
    """On disk before it counts: with who, what, and under which transaction."""
    pending = a_pending()
    await desk.books.decided(
        person=PERSON, pending=pending, verdict=Verdict.APPROVE, outcome=outcome, reasons=("a.b",)
    )
    *_, record = desk.records()
    assert (record["phase"], record["outcome"], record["status"]) == ("confirm", said, status)
    assert record["reasons"] == ["console.approve", "a.b"]
    assert (record["caller"]["subject"], record["transaction_id"]) == ("bob", pending.transaction_id)
    assert (record["arguments_hash"], record["data_class"]) == ("a" * 64, 2)


async def test_an_agents_decision_is_a_record_too(desk: Desk) -> None:
    """Under the operator's name for it, from an issuer that no token can have."""
    await desk.books.agent_decided(
        agent="guard", pending=a_pending(), verdict="refuse", outcome="accepted", reasons=()
    )
    *_, record = desk.records()
    assert (record["phase"], record["reasons"], record["status"]) == ("confirm", ["agent.refuse"], "executed")
    assert record["caller"] == {"issuer": "countersign:agent", "subject": "guard", "client_id": None}


async def test_a_decision_that_cannot_be_written_does_not_stand(desk: Desk) -> None:
    """The console learns it."""
    with no_file_longer_than(0), pytest.raises(AuditUnavailable):
        await desk.books.decided(
            person=PERSON,
            pending=a_pending(),
            verdict=Verdict.APPROVE,
            outcome="accepted",
            reasons=(),
        )


@pytest.mark.parametrize("kind", [Executed, Unknown])
async def test_a_call_that_was_not_sent_again_is_no_second_execution(desk: Desk, kind: type[Answer]) -> None:
    """Refused, under the transaction of the first: nobody counts it twice."""
    about = msgspec.structs.replace(ABOUT, duplicate_of="t0")
    more = {"result": done().result} if kind is Executed else {"message": "m"}
    record = await answered(desk, kind(about=about, **more))
    assert (record["status"], record["error"]) == ("refused", "transaction.duplicate")
    assert (record["transaction_id"], record["outcome"]) == ("t0", "allow")


@pytest.mark.parametrize(
    ("outcome", "status", "error"),
    [
        (Effect.EXECUTED, "executed", None),
        (Effect.REFUSED, "failed", None),
        (Effect.UNKNOWN, "unknown", "transaction.unknown"),
    ],
)
async def test_a_recovery_is_two_records(desk: Desk, outcome: Effect, status: str, error: str | None) -> None:
    """Opened before the target is asked, closed with what it said; whose call it was, and nothing of its arguments."""
    transaction = a_transaction(state=State.SETTLED, outcome=outcome)
    async with desk.books.recovery(transaction) as page:
        await page.before_upstream(durable=True)
        page.upstream(done(debug_id="f1"))
        page.recovered(transaction)
    opened, closed = desk.records()
    assert (opened["status"], opened["phase"]) == ("opened", "upstream")
    assert (closed["status"], closed.get("error")) == (status, error)
    assert (closed["transaction_id"], closed["call_id"], closed["tool"]) == ("t1", "c1", "create_refund")
    assert closed["caller"]["subject"] == "agent-one"
    assert closed["upstream"]["debug_id"] == "f1"
    assert str(KEPT["capture_id"]) not in desk.path.read_text()

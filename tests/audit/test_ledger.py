"""The audit entry cannot be skipped: every way out of a call leaves a record that says what is known."""

import asyncio
import json
import logging
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.audit.file_sink import FileSink
from gateway.audit.ledger import Audit, AuditEntry
from gateway.audit.record import AuditRecord, Phase, Status
from gateway.audit.verify import verify_file
from gateway.errors import AuditUnavailable, StoreUnavailable
from tests.support.audit import Clock, a_record
from tests.support.faults import no_file_longer_than


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The audit file."""
    return tmp_path / "audit.jsonl"


@pytest.fixture
async def audit(path: Path) -> AsyncIterator[Audit]:
    """An audit over a real file."""
    opened = an_audit(FileSink(path, retry_after_s=0))
    yield opened
    await opened.aclose()


def an_audit(sink: Any) -> Audit:
    """Version and environment as in production; the time stands still."""
    return Audit(sink, service_version="0.1.0", environment="sandbox", clock=Clock(), monotonic_ns=lambda: 0)


def content(path: Path) -> bytes:
    """The file's bytes."""
    return path.read_bytes()


def records(path: Path) -> list[dict[str, Any]]:
    """What was recorded, as a reader sees it."""
    found = [json.loads(line) for line in path.read_bytes().splitlines()]
    return [line["record"] for line in found if "record" in line]


def told_everything(entry: AuditEntry) -> None:
    """The facts of an ordinary call."""
    entry.caller(issuer="https://idp.example", subject="agent-1", client_id="desktop")
    entry.transaction("tx-1")
    entry.tool(server="paypal", name="create_refund", era="modern", definition_hash="d" * 64)
    entry.tool(arguments_hash="a" * 64)
    entry.decided(
        "allow",
        reasons=["money.within_limit"],
        decision_id="id-1",
        revision="r1",
        engine="opa",
        data_class=1,
        tier="restricted",
        would_be="deny",
    )


async def test_an_executed_call_leaves_two_lines_when_durable(path: Path, audit: Audit) -> None:
    """One before anything is sent, one after; both say the same about the call."""
    async with audit.record(call_id="c1", phase=Phase.EXECUTE) as entry:
        told_everything(entry)
        await entry.before_upstream(durable=True)
        assert [found["status"] for found in records(path)] == ["opened"]
        entry.upstream(status=201, debug_id="f00", request_id="k1")
        entry.finished(Status.EXECUTED)
    opened, closed = records(path)

    assert closed == {
        "v": 1,
        "call_id": "c1",
        "transaction_id": "tx-1",
        "phase": "execute",
        "time": "2026-11-21T01:20:00.000Z",
        "caller": {"issuer": "https://idp.example", "subject": "agent-1", "client_id": "desktop"},
        "server": "paypal",
        "tool": "create_refund",
        "era": "modern",
        "data_class": 1,
        "tier": "restricted",
        "outcome": "allow",
        "reasons": ["money.within_limit"],
        "decision": {"decision_id": "id-1", "revision": "r1", "engine": "opa"},
        "would_be": "deny",
        "definition_hash": "d" * 64,
        "arguments_hash": "a" * 64,
        "status": "executed",
        "error": None,
        "upstream": {"status": 201, "debug_id": "f00", "request_id": "k1"},
        "duration_us": 0,
        "service_version": "0.1.0",
        "environment": "sandbox",
        "note": None,
    }
    assert opened == closed | {"status": "opened", "upstream": None}


async def test_a_harmless_call_leaves_one_line(path: Path, audit: Audit) -> None:
    """Classes 4 and 5 do not pay for durability."""
    async with audit.record(call_id="c1", phase=Phase.CALL) as entry:
        await entry.before_upstream(durable=False)
        entry.finished(Status.EXECUTED)

    assert [found["status"] for found in records(path)] == ["executed"]


async def test_a_refusal_is_recorded(path: Path, audit: Audit) -> None:
    """C13: refusals are records too."""
    async with audit.record(call_id="c1", phase=Phase.CALL) as entry:
        entry.decided("deny", reasons=["catalog.unknown_tool", "free text with a secret"])
        entry.finished(Status.REFUSED)
    (found,) = records(path)

    assert (found["status"], found["outcome"]) == ("refused", "deny")
    assert found["reasons"] == ["catalog.unknown_tool", "audit.not_a_code"]


async def test_an_exception_is_recorded_by_its_code(path: Path, audit: Audit) -> None:
    """Nothing was sent, so it failed; the message, which may quote anything, is not recorded."""
    with pytest.raises(StoreUnavailable):
        async with audit.record(call_id="c1", phase=Phase.CALL):
            raise StoreUnavailable("sesame")
    with pytest.raises(ZeroDivisionError):
        async with audit.record(call_id="c2", phase=Phase.CALL):
            raise ZeroDivisionError("sesame")

    assert [(found["status"], found["error"]) for found in records(path)] == [
        ("failed", "state.unavailable"),
        ("failed", "internal"),
    ]
    assert b"sesame" not in content(path)


@pytest.mark.parametrize("durable", [False, True])
async def test_what_nobody_knows_is_unknown_not_failed(path: Path, audit: Audit, durable: bool) -> None:  # noqa: FBT001
    """Invariant 4: something may have been sent, so an exception does not prove that nothing happened."""

    async def call() -> None:
        async with audit.record(call_id="c1", phase=Phase.CALL) as entry:
            await entry.before_upstream(durable=durable)
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await call()

    assert records(path)[-1]["status"] == "unknown"


async def test_a_block_that_says_nothing_is_recorded_as_unfinished(path: Path, audit: Audit) -> None:
    """A forgotten `finished` never looks like success."""
    async with audit.record(call_id="c1", phase=Phase.CALL):
        pass

    assert [(found["status"], found["error"]) for found in records(path)] == [("failed", "audit.unfinished")]


async def test_executed_stays_executed_when_the_answer_cannot_be_delivered(path: Path, audit: Audit) -> None:
    """The money moved; what broke afterwards is the error, not the status."""

    async def call() -> None:
        async with audit.record(call_id="c1", phase=Phase.CALL) as entry:
            await entry.before_upstream(durable=True)
            entry.finished(Status.EXECUTED)
            raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        await call()

    assert (records(path)[-1]["status"], records(path)[-1]["error"]) == ("executed", "internal")


@pytest.mark.parametrize("durable", [False, True])
async def test_a_client_that_hangs_up_cannot_lose_the_record(path: Path, audit: Audit, durable: bool) -> None:  # noqa: FBT001
    """Cancelled while the upstream is being asked, and again while the record is being written."""
    sent = asyncio.Event()

    async def call() -> None:
        async with audit.record(call_id="c1", phase=Phase.CALL) as entry:
            await entry.before_upstream(durable=durable)
            sent.set()
            await asyncio.Event().wait()

    task = asyncio.ensure_future(call())
    await sent.wait()
    task.cancel()
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await audit.aclose()

    assert (records(path)[-1]["status"], records(path)[-1]["error"]) == ("unknown", "cancelled")
    assert verify_file(path).open_calls == ()


async def test_a_cancellation_before_anything_was_sent_is_a_failure(path: Path, audit: Audit) -> None:
    """Also when it comes while the opened line is being synced: nothing was sent."""

    async def call() -> None:
        async with audit.record(call_id="c1", phase=Phase.CALL) as entry:
            await entry.before_upstream(durable=True)
            raise AssertionError("sent")

    task = asyncio.ensure_future(call())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await audit.aclose()

    assert [found["status"] for found in records(path)] == ["opened", "failed"]


async def test_no_record_means_no_upstream_call() -> None:
    """Invariant 5: the exception comes before anything is sent."""
    audit = an_audit(FileSink(Path("/dev/full"), retry_after_s=0))
    sent = []

    async def call() -> None:
        async with audit.record(call_id="c1", phase=Phase.CALL) as entry:
            await entry.before_upstream(durable=True)
            sent.append("money")

    with pytest.raises(AuditUnavailable):
        await call()
    assert sent == []
    assert not audit.healthy
    assert audit.lost == 1
    await audit.aclose()


async def test_a_record_lost_at_the_end_is_loud_and_raises_nothing(
    path: Path, audit: Audit, caplog: pytest.LogCaptureFixture
) -> None:
    """The disk fills between the opened line and the closing one: the money has moved, so the answer is
    delivered."""
    async with audit.record(call_id="c1", phase=Phase.CALL) as entry:
        entry.transaction("tx-1")
        await entry.before_upstream(durable=True)
        entry.finished(Status.EXECUTED)
        size = len(content(path))
        full = no_file_longer_than(size)
        full.__enter__()
    full.__exit__(None, None, None)

    assert audit.lost == 1
    (lost,) = [found for found in caplog.records if "LOST" in found.message]
    assert lost.levelno == logging.ERROR
    assert "c1" in lost.message
    assert "executed" in lost.message
    assert "tx-1" in lost.message
    async with audit.record(call_id="c2", phase=Phase.CALL) as entry:
        entry.finished(Status.REFUSED)
    assert verify_file(path).open_calls == ("c1",)


class _BrokenSink:
    """A sink with a bug."""

    healthy = True

    async def append(self, record: AuditRecord, *, durable: bool) -> None:
        raise KeyError("a bug")

    async def aclose(self) -> None:
        """Nothing to close."""


async def test_a_bug_in_a_sink_never_hides_what_the_call_raised() -> None:
    """The walk's own exception comes out, and the loss is counted."""
    audit = an_audit(_BrokenSink())
    with pytest.raises(StoreUnavailable):
        async with audit.record(call_id="c1", phase=Phase.CALL):
            raise StoreUnavailable("The state store did not answer.")

    assert audit.lost == 1


async def test_no_secret_has_a_place_in_a_record(path: Path, audit: Audit) -> None:
    """R042: a whole handshake with a token, a card and a secret in every place that the code sees: none is
    recorded."""
    token, card, bearer = secrets.token_hex(32), "4111111111111111", "eyJhbGciOiJFZERTQSJ9.e30.c2ln"
    arguments = {"card": card, "note": bearer}
    for phase in Phase:
        try:
            async with audit.record(call_id="c1", phase=phase) as entry:
                told_everything(entry)
                entry.decided("deny", reasons=[f"refused {token}", card, bearer], revision="r1")
                await entry.before_upstream(durable=False)
                entry.finished(Status.FAILED, error=f"token {token}")
                raise ValueError(token, arguments, bearer)
        except ValueError:
            pass
    written = content(path)

    assert len(records(path)) == len(Phase)
    for secret in (token, card, bearer):
        assert secret.encode() not in written
    free = {"arguments", "result", "token", "authorization", "headers", "message", "body", "text"}
    assert not free & set(AuditRecord.__struct_fields__)


async def test_hostile_names_are_recorded_safely(path: Path, audit: Audit) -> None:
    """Lone surrogates, line ends and a megabyte neither stop the record nor break the line."""
    async with audit.record(call_id="\ud800", phase=Phase.CALL) as entry:
        entry.caller(issuer="i\n", subject="\udfff" * 300, client_id="\0")
        entry.tool(server="s", name='x"}\n{"seq":0' + "y" * 1_000_000)
        await entry.before_upstream(durable=True)
        entry.finished(Status.EXECUTED)

    found = verify_file(path)
    assert (found.ok, found.records) == (True, 2)
    assert audit.lost == 0


async def test_a_record_of_every_fact_is_read_back(path: Path, audit: Audit) -> None:
    """The verifier knows every member that the ledger writes."""
    async with audit.record(call_id="c1", phase=Phase.CALL) as entry:
        told_everything(entry)
        entry.approval(version="1", provider="p", requested=["a"], approved=[], expires=None, via="cli")
        entry.upstream(status=200, debug_id="d", request_id="r")
        entry.finished(Status.EXECUTED)

    assert verify_file(path).ok
    assert set(records(path)[0]) == set(AuditRecord.__struct_fields__)
    assert set(AuditRecord.__struct_fields__) == set(a_record().__struct_fields__)

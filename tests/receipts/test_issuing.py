"""Receipts on the walk: who gets one, what it says, and that it never stands in the way of an answer."""

import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.audit.record import Status
from gateway.errors import TokenRefused
from gateway.outcome.answer import Again, Answer, Executed, Refused, Unknown
from gateway.receipts.issuing import Receipts
from gateway.receipts.keeping import REFUSALS_KEPT_S, Keeping
from gateway.receipts.receipt import MAX_HASHED_BYTES, Receipt, result_hash
from gateway.receipts.verify import verify
from gateway.upstream.target import Effect, Reply
from gateway.walk import walk
from tests.support.faults import no_file_longer_than
from tests.support.receipts import ISSUER, KEYS, PUBLISHED
from tests.support.walking import (
    MAKE,
    PAY,
    READ,
    Rooms,
    a_call,
    a_definition,
    an_answer,
    by_class,
    done,
    rooms,
)


class Signed:
    """Rooms that issue receipts."""

    def __init__(self, rooms: Rooms, keeping: Keeping) -> None:
        self.rooms = rooms
        self.keeping = keeping
        receipts = Receipts(KEYS, keeping, issuer=ISSUER, now=rooms.clock)
        self.house = dataclasses.replace(rooms.house, receipts=receipts)

    async def call(self, tool: str, **how: Any) -> Answer:
        """One call, both phases where there are two."""
        answer = await walk(a_call(tool, {"n": 1}, **how), self.house)
        if isinstance(answer, Again) and answer.status == "handshake_required":
            answer = await walk(a_call(tool, {"n": 1}, token=answer.token, **how), self.house)
        return answer

    def checked(self, answer: Answer) -> Receipt:
        """Its receipt, which is true by its signature and by the audit file."""
        assert answer.about.receipt is not None
        verdict = verify(answer.about.receipt, PUBLISHED, audit=self.rooms.audit_path)
        assert verdict.problems == ()
        assert verdict.receipt is not None
        return verdict.receipt


def with_receipt(question: dict[str, Any]) -> dict[str, Any]:
    """The usual policy; the classes 1 to 3 have receipts."""
    answer = by_class(question)
    if answer["outcome"] in ("allow", "deny") and (answer["data_class"] or 0) <= 3:
        answer["obligations"] = {**answer["obligations"], "receipt": True}
    return answer


@pytest.fixture
async def signed(tmp_path: Path) -> AsyncIterator[Signed]:
    """Three tools, of the classes 4, 3 and 2."""
    async with rooms(tmp_path) as running:
        running.engine.answering = with_receipt
        keeping = Keeping(running.store, keep_s=86400)
        yield Signed(running, keeping)
        await keeping.aclose()


async def test_an_executed_call_has_a_receipt(signed: Signed) -> None:
    """Who, what, why, how it ended, and where the audit says the same."""
    signed.rooms.upstream.reply = done(debug_id="f00", request_id="r1")
    answer = await signed.call(MAKE)
    assert isinstance(answer, Executed)
    receipt = signed.checked(answer)
    (record,) = [one for one in signed.rooms.records() if one["status"] == "executed"]
    assert receipt.jti == record["call_id"]
    assert receipt.txn == record["transaction_id"] == answer.about.transaction_id
    assert receipt.caller is not None
    assert (receipt.caller.subject, receipt.tool, receipt.outcome) == ("agent-one", MAKE, "executed")
    assert receipt.upstream is not None
    assert (receipt.upstream.debug_id, receipt.upstream.request_id) == ("f00", "r1")
    assert answer.result is not None
    assert receipt.result_hash == result_hash(answer.result)


async def test_a_read_pays_nothing(signed: Signed) -> None:
    """Class 4: no receipt, nothing kept."""
    answer = await signed.call(READ)
    assert isinstance(answer, Executed)
    assert answer.about.receipt is None
    assert await signed.keeping.find(answer.about.call_id) is None


async def test_what_waits_has_no_receipt(signed: Signed) -> None:
    """It has not ended."""
    answer = await signed.call(PAY)
    assert isinstance(answer, Again)
    assert answer.about.receipt is None


async def test_a_refusal_has_a_receipt(signed: Signed) -> None:
    """By the policy; the target saw nothing."""
    signed.rooms.engine.answering = lambda _: an_answer("deny", data_class=2, obligations={"receipt": True})
    answer = await signed.call(PAY)
    assert isinstance(answer, Refused)
    receipt = signed.checked(answer)
    assert (receipt.outcome, receipt.judged, receipt.reasons) == ("refused", "deny", ("test.reason",))
    assert (receipt.result_hash, receipt.upstream) == (None, None)
    assert signed.rooms.upstream.calls == []


async def test_a_wall_of_the_gateways_own_gives_one_too(signed: Signed) -> None:
    """What the policy would have let through without one."""
    signed.rooms.engine.answering = lambda _: an_answer("allow")
    signed.rooms.upstream.wires = [a_definition(READ, description="Now it reads more.")]
    answer = await signed.call(READ)
    assert isinstance(answer, Refused)
    assert signed.checked(answer).reasons == ("catalog.definition_changed",)
    assert signed.rooms.upstream.calls == []


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (Reply(effect=Effect.UNKNOWN), "unknown"),
        (done({"content": [], "isError": True}, is_error=True), "failed"),
    ],
)
async def test_every_end_is_told_as_it_is(signed: Signed, reply: Reply, outcome: str) -> None:
    """Unknown is never called failed."""
    signed.rooms.upstream.reply = reply
    answer = await signed.call(MAKE)
    assert isinstance(answer, Executed | Unknown)
    assert signed.checked(answer).outcome == outcome


async def test_a_wall_that_raises_leaves_a_receipt_in_the_error(signed: Signed) -> None:
    """A token that nobody handed out, for a sensitive tool: signed as refused; for a read: nothing is."""
    with pytest.raises(TokenRefused) as caught:
        await walk(a_call(MAKE, {"n": 1}, token="f" * 64), signed.house)
    receipt = caught.value.data["dev.countersign/receipt"]
    verdict = verify(receipt, PUBLISHED, audit=signed.rooms.audit_path)
    assert verdict.problems == ()
    assert verdict.receipt is not None
    assert (verdict.receipt.outcome, verdict.receipt.tool) == ("refused", MAKE)
    kept = await signed.keeping.find(verdict.receipt.jti)
    assert kept is not None
    with pytest.raises(TokenRefused) as read:
        await walk(a_call(READ, {"n": 1}, token="f" * 64), signed.house)
    assert "dev.countersign/receipt" not in read.value.data
    assert signed.rooms.upstream.calls == []


async def test_a_lost_record_leaves_the_receipt_as_the_only_witness(signed: Signed) -> None:
    """The disk is full when the call has come back: the answer goes out, and its receipt says that it stands alone."""
    full = no_file_longer_than(
        signed.rooms.audit_path.stat().st_size if signed.rooms.audit_path.exists() else 0
    )
    signed.rooms.engine.answering = lambda _: an_answer("allow", obligations={"receipt": True})
    await signed.house.catalog.all("bank")
    with full:
        answer = await signed.call(READ)
    assert isinstance(answer, Executed)
    assert answer.about.receipt is not None
    verdict = verify(answer.about.receipt, PUBLISHED)
    assert verdict.valid
    assert verdict.receipt is not None
    assert verdict.receipt.audit is None


async def test_a_receipt_can_be_asked_for_again(signed: Signed) -> None:
    """By its id and by its transaction's; a later refusal of the same transaction does not hide it."""
    answer = await signed.call(MAKE)
    receipt = signed.checked(answer)
    assert receipt.txn is not None
    for name in (receipt.jti, receipt.txn):
        kept = await signed.keeping.find(name)
        assert kept is not None
        assert (kept.subject, kept.receipt) == ("agent-one", answer.about.receipt)
    later = msgspec.structs.replace(receipt, jti="later", outcome=Status.REFUSED)
    signed.keeping.keep(later, "later")
    kept = await signed.keeping.find(receipt.txn)
    assert kept is not None
    assert kept.receipt == answer.about.receipt
    signed.rooms.clock.advance(REFUSALS_KEPT_S)
    assert await signed.keeping.find("later") is None
    assert await signed.keeping.find(receipt.jti) is not None


async def test_without_a_store_the_answer_has_its_receipt_all_the_same(signed: Signed) -> None:
    """The money has moved; what cannot be kept is logged."""

    async def gone(*_: Any) -> Reply:
        await signed.rooms.store.aclose()
        return done()

    signed.rooms.upstream.reply = gone
    answer = await signed.call(MAKE)
    assert isinstance(answer, Executed)
    assert answer.about.receipt is not None


def test_a_result_is_hashed_by_what_it_means() -> None:
    """Not by its spelling, and not by what the gateway writes into it."""
    plain = result_hash(b'{"content":[],"isError":false}')
    assert plain is not None
    assert result_hash(b'{ "isError":false, "content":[], "_meta":{"x":1}, "resultType":"complete"}') == plain
    assert result_hash(b'{"content":[],"isError":true}') != plain
    assert result_hash(b'{"n":9007199254740993}') is None
    assert result_hash(b" " * MAX_HASHED_BYTES + b"{}") is None
    for broken in (b"", b"\xff", b"[1]", b"[" * 100_000):
        assert result_hash(broken) is None

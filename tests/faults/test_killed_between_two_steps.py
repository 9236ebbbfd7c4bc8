"""SIGKILL of the gateway that holds a call, at every point between the token's end and the answer.

Nothing is lost: afterwards the journal says how the call ended, or that nobody can know; or it has no such transaction,
and then nothing left. Nothing is doubled: PayPal saw one effect at most, also where the request arrives after its
sender has died.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import msgspec

from gateway.console.login import mint_login
from gateway.demo.approver import ScriptedHuman
from gateway.transactions.book import TransactionBook
from gateway.transactions.transaction import How, State, Transaction
from gateway.upstream.target import Effect
from tests.support.answers import approve_url_of, codes_of, said, status_of, token_of
from tests.support.calls import PAY, invoice
from tests.support.gate import Gate, Side, Stop, gate_to_port, gate_to_redis
from tests.support.gateways import GatewayProcess, Gateways, gateways
from tests.support.until import until, until_answered

LEASE_S = 3
SENT = '"note":"{name}"'
"""In the body, the last part of a request: what is held here is whole once it goes on."""


@dataclass(frozen=True, kw_only=True)
class Point:
    """Where the gateway is killed, and what must be so afterwards. ``{id}`` stands for the transaction's, ``{name}``
    for the point's."""

    at: str
    side: Side
    pattern: str
    effects: int
    outcome: Effect | None
    late: bool = False


POINTS = {
    "the token is consumed": Point(
        at="state", side="answered", pattern="countersign:handshake:", effects=0, outcome=None
    ),
    "about to be written down": Point(
        at="state", side="asked", pattern="countersign:transaction:{id}", effects=0, outcome=None
    ),
    "written down, not sent": Point(
        at="state", side="answered", pattern="countersign:transaction:{id}", effects=0, outcome=Effect.UNKNOWN
    ),
    "sent, and it never arrives": Point(
        at="paypal", side="asked", pattern=SENT, effects=0, outcome=Effect.UNKNOWN
    ),
    "sent, and it arrives after the kill": Point(
        at="paypal", side="asked", pattern=SENT, effects=1, outcome=Effect.UNKNOWN, late=True
    ),
    "carried out, not answered": Point(
        at="paypal", side="answered", pattern=SENT, effects=1, outcome=Effect.UNKNOWN
    ),
    "answered, not settled": Point(
        at="state",
        side="asked",
        pattern="EVALSHA.*countersign:transaction:{id}",
        effects=1,
        outcome=Effect.UNKNOWN,
    ),
    "settled, the host not told": Point(
        at="state",
        side="answered",
        pattern="EVALSHA.*countersign:transaction:{id}",
        effects=1,
        outcome=Effect.EXECUTED,
    ),
}


@dataclass(kw_only=True)
class Victim:
    """One gateway with a gate on each of its ways."""

    gateway: GatewayProcess
    state: Gate
    paypal: Gate

    def stop(self, name: str, point: Point, transaction_id: str) -> Stop:
        """Stop there."""
        gate = self.state if point.at == "state" else self.paypal
        return gate.stop(point.side, point.pattern.format(id=transaction_id, name=name).encode())


@asynccontextmanager
async def victims(running: Gateways, redis_url: str | None, count: int) -> AsyncIterator[list[Victim]]:
    """So many more gateways over the same store, all of them ready. Without a Redis there is no gate to the store."""
    async with AsyncExitStack() as stack:
        found = []
        for _ in range(count):
            paypal = await stack.enter_async_context(gate_to_port(running.paypal_port))
            if redis_url is None:
                state, gateway = paypal, running.start(paypal=paypal.port)
            else:
                state = await stack.enter_async_context(gate_to_redis(redis_url))
                gateway = running.start(state=f"redis://127.0.0.1:{state.port}/0", paypal=paypal.port)
            found.append(Victim(gateway=gateway, state=state, paypal=paypal))
        for one in found:
            await until_answered(one.gateway.ready)
        yield found


async def killed(victim: Victim, name: str, point: Point) -> tuple[str, str]:
    """Drive a call to the point, and kill. The transaction's id and the token."""
    first = await victim.gateway.call("create_invoice", invoice(name))
    transaction_id, token = said(first)["transaction_id"], token_of(first)
    stop = victim.stop(name, point, transaction_id)
    call = asyncio.ensure_future(victim.gateway.call("create_invoice", invoice(name), state=token))
    await stop.reached.wait()
    victim.gateway.kill()
    with suppress(httpx.TransportError):
        await call
    if point.late:
        stop.released.set()
    return transaction_id, token


def effects(running: Gateways, transaction_id: str) -> int:
    """How often PayPal carried this out."""
    done = [call for call in running.simulator.calls if call.request_id == transaction_id]
    return len([call for call in done if call.status is not None and call.status < 300])


def recoveries(folder: Path) -> dict[str, str]:
    """What the audit says was found out, by transaction."""
    files = folder.glob("audit*.jsonl")  # each process writes one of its own
    lines = [msgspec.json.decode(line) for path in files for line in path.read_bytes().splitlines()]
    records: list[dict[str, Any]] = [line.get("record", line) for line in lines]
    return {
        one["transaction_id"]: one["status"]
        for one in records
        if one.get("phase") == "upstream" and one["status"] != "opened"
    }


def logs(folder: Path) -> list[str]:
    """What each gateway wrote."""
    return [path.read_text() for path in folder.glob("gateway-*.log")]


def told(folder: Path, transaction_id: str) -> bool:
    """Whether the last word on a recovery is out: it is in the store first, then in the audit, then in the log."""
    said_so = f"transaction {transaction_id}: "
    return transaction_id in recoveries(folder) and any(said_so in log for log in logs(folder))


async def test_killed_at_every_point(tmp_path: Path, redis_url: str) -> None:
    """Eight gateways die; those that live look up what they left, each once, and leave alone what one of them holds."""
    sections = {"transactions": {"lease_seconds": LEASE_S}}
    async with (
        gateways(tmp_path, redis_url, 1, **sections) as running,
        victims(running, redis_url, len(POINTS) + 1) as (living, *others),
    ):
        (survivor,) = running.all
        book = TransactionBook(running.store)
        # The store knows its scripts from here on: EVALSHA at a point below is the write itself.
        warm = await survivor.call("create_invoice", invoice("warm"))
        await survivor.call("create_invoice", invoice("warm"), state=token_of(warm))

        held_first = await living.gateway.call("create_invoice", invoice("living"))
        held = living.paypal.stop("answered", SENT.format(name="living").encode())
        held_call = asyncio.ensure_future(
            living.gateway.call("create_invoice", invoice("living"), state=token_of(held_first))
        )
        await held.reached.wait()

        died = {
            name: (*(await killed(victim, name, point)), point)
            for victim, (name, point) in zip(others, POINTS.items(), strict=True)
        }

        async def recovered() -> bool:
            found = {one.transaction_id: one async for one in book.all()}
            expected = [one for one, _, point in died.values() if point.outcome is not None]
            unknown = [one for one, _, point in died.values() if point.outcome is Effect.UNKNOWN]
            return all(found[one].state is State.SETTLED for one in expected) and all(
                told(tmp_path, one) for one in unknown
            )

        await until_answered(recovered)
        late = next(one for one, _, point in died.values() if point.late)
        await until(lambda: effects(running, late))
        for name, (transaction_id, token, point) in died.items():
            again = await survivor.call("create_invoice", invoice(name), state=token)
            assert codes_of(again) == ["handshake.token_unknown"], name
            assert effects(running, transaction_id) == point.effects, name
            kept = await book.find(transaction_id)
            assert (None if kept is None else kept.outcome) == point.outcome, name
            audited = recoveries(tmp_path).get(transaction_id)
            assert audited == ("unknown" if point.outcome is Effect.UNKNOWN else None), name
            said_so = f"transaction {transaction_id}: create_invoice at paypal"
            assert sum(said_so in log for log in logs(tmp_path)) == (audited is not None), name

        other = await book.find(said(held_first)["transaction_id"])
        assert other is not None
        assert other.state is State.OPEN
        held.released.set()
        assert status_of(await held_call) == "executed"
        assert (await only(book, said(held_first)["transaction_id"])).how is How.ANSWER


async def test_killed_over_one_sqlite_file(tmp_path: Path) -> None:
    """A process dies with the file open, before and after the effect; the one that is started next finds both."""
    points = {name: one for name, one in POINTS.items() if one.at == "paypal" and not one.late}
    sections = {"transactions": {"lease_seconds": LEASE_S}}
    state_url = f"sqlite:///{tmp_path / 'state.sqlite3'}"
    async with (
        gateways(tmp_path, state_url, 0, **sections) as running,
        victims(running, None, len(points)) as others,
    ):
        died = [
            (*(await killed(victim, name, point)), point)
            for victim, (name, point) in zip(others, points.items(), strict=True)
        ]
        restarted = running.start()
        await until_answered(restarted.ready)
        book = TransactionBook(running.store)

        async def settled() -> bool:
            settled = [(await only(book, one)).state is State.SETTLED for one, _, _ in died]
            return all(settled) and all(told(tmp_path, one) for one, _, _ in died)

        await until_answered(settled)
        for transaction_id, token, point in died:
            assert (await only(book, transaction_id)).outcome is Effect.UNKNOWN
            assert effects(running, transaction_id) == point.effects
            again = await restarted.call("create_invoice", invoice("again"), state=token)
            assert codes_of(again) == ["handshake.token_unknown"]
            assert recoveries(tmp_path)[transaction_id] == "unknown"


async def only(book: TransactionBook, transaction_id: str) -> Transaction:
    """The transaction, which must be there."""
    found = await book.find(transaction_id)
    assert found is not None
    return found


async def test_a_capture_whose_answer_died_with_the_gateway_is_found_at_paypal(
    tmp_path: Path, redis_url: str
) -> None:
    """The money has moved, and after the restart the journal says so, by PayPal's own order."""
    sections = {"transactions": {"lease_seconds": LEASE_S}}
    async with (
        gateways(tmp_path, redis_url, 0, **sections) as running,
        victims(running, redis_url, 1) as (victim,),
    ):
        token = token_of(await victim.gateway.call("pay_order", PAY))
        waiting = await victim.gateway.call("pay_order", PAY, state=token)
        link = await mint_login(running.store, subject="approver-one", roles=("approver",))
        human = ScriptedHuman(f"{victim.gateway.url}/console/login/{link}")
        try:
            await human.approve(approve_url_of(waiting))
        finally:
            await human.aclose()
        stop = victim.paypal.stop("answered", b"/capture")
        call = asyncio.ensure_future(victim.gateway.call("pay_order", PAY, state=token_of(waiting)))
        await stop.reached.wait()
        victim.gateway.kill()
        with suppress(httpx.TransportError):
            await call

        transaction_id = said(waiting)["transaction_id"]
        book = TransactionBook(running.store)
        assert (await only(book, transaction_id)).state is State.OPEN
        restarted = running.start()
        await until_answered(restarted.ready)

        async def settled() -> bool:
            there = (await only(book, transaction_id)).state is State.SETTLED
            return there and told(tmp_path, transaction_id)

        await until_answered(settled)
        found = await only(book, transaction_id)
        assert (found.outcome, found.how, found.resource_id) == (Effect.EXECUTED, How.LOOKUP, PAY["id"])
        assert effects(running, transaction_id) == 1
        assert recoveries(tmp_path) == {transaction_id: "executed"}

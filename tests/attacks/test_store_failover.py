"""Store failover: the primary dies, and a replica that had not heard of everything takes over. What it does not know
is that a token was spent; a thief who waited for that moment presents it again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.support.answers import Answer, approve_url_of, codes_of, status_of, token_of
from tests.support.calls import confirmed, first_phase, invoice, refund, until_confirmation
from tests.support.console import signed_in
from tests.support.gate import gate_to
from tests.support.house import House, running_house
from tests.support.redis_process import redis_on_port
from tests.support.traces import Trace
from tests.support.until import until


class Pair:
    """A primary and its replica, at one address: whoever connects reaches the one that serves."""

    def __init__(self, primary: int, replica: int, ends: ExitStack) -> None:
        self._ports = [primary, replica]
        self._ends = ends
        self._replica = redis.Redis(port=replica)
        self._replica.replicaof("127.0.0.1", primary)

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """To the one that serves now."""
        return await asyncio.open_connection("127.0.0.1", self._ports[0])

    async def caught_up(self) -> None:
        """The replica has all that the primary had when this was asked."""
        with redis.Redis(port=self._ports[0]) as primary:
            wanted = int(primary.info("replication")["master_repl_offset"])
        await until(lambda: self._offset() >= wanted)

    def cut_off(self) -> None:
        """The replica hears nothing any more, and does not know it: from here on it is behind."""
        self._replica.replicaof("NO", "ONE")

    def fail_over(self) -> None:
        """The primary is killed, the replica serves."""
        self._ends.close()
        del self._ports[0]

    def _offset(self) -> int:
        told = self._replica.info("replication")
        up = told.get("master_link_status") == "up"
        return int(told.get("slave_repl_offset", -1)) if up else -1


@pytest.fixture
def pair() -> Iterator[Pair]:
    """Two real Redis processes."""
    with ExitStack() as stack, ExitStack() as primary:
        first = primary.enter_context(redis_on_port([]))
        second = stack.enter_context(redis_on_port([]))
        yield Pair(first, second, primary)


@asynccontextmanager
async def behind(pair: Pair, folder: Path, **how: Any) -> AsyncIterator[House]:
    """A gateway that knows one address, as behind Sentinel or a managed service."""
    async with (
        gate_to(pair.connect) as gate,
        running_house(folder, state_url=f"redis://127.0.0.1:{gate.port}/0", **how) as house,
    ):
        yield house


async def presented(house: House, tool: str, arguments: dict[str, Any], token: str) -> Answer:
    """The answer of whatever serves: connections to the one that died are noticed one after another."""
    while True:
        answer = await house.call(tool, arguments, state=token)
        if codes_of(answer) != ["state.unavailable"]:
            return answer


async def test_a_token_that_was_spent_before(pair: Pair, tmp_path: Path) -> None:
    """The replica still has it; the gateway that took it remembers. Nothing is sent again, and there is one invoice."""
    async with behind(pair, tmp_path) as house:
        token = await first_phase(house, "create_invoice", invoice("failover"))
        await pair.caught_up()
        pair.cut_off()
        assert status_of(await house.call("create_invoice", invoice("failover"), state=token)) == "executed"
        pair.fail_over()
        trace = Trace(house)
        again = await presented(house, "create_invoice", invoice("failover"), token)
        assert codes_of(again) == ["handshake.token_unknown"]
        assert trace.paypal == []


async def test_a_payment_that_was_made_before(pair: Pair, tmp_path: Path) -> None:
    """Presented at another gateway, which cannot know: the same transaction, so the same PayPal-Request-Id, for which
    PayPal has its answer already. The money moves once."""
    folders = tmp_path / "one", tmp_path / "two"
    for folder in folders:
        folder.mkdir()
    async with behind(pair, folders[0]) as one:
        paypal = one.settings.paypal
        async with behind(pair, folders[1], public_url=one.url, paypal=paypal) as other:
            other.http.base_url = f"http://127.0.0.1:{other.settings.port}"
            async with signed_in(one) as person:
                token = await confirmed(one, person, "create_refund", refund("8.10"))
            await pair.caught_up()
            pair.cut_off()
            assert status_of(await one.call("create_refund", refund("8.10"), state=token)) == "executed"
            pair.fail_over()
            await presented(other, "create_refund", refund("8.10"), token)
            asked = [call for call in one.simulator.calls if call.method == "POST"]
            assert len({call.request_id for call in asked}) == 1
            assert len(one.simulator.ledger.refunds) == 1


async def test_a_token_that_nobody_heard_of(pair: Pair, tmp_path: Path) -> None:
    """The replica never got it: the second phase is refused, nothing is sent, and a new first phase works."""
    async with behind(pair, tmp_path) as house:
        await house.call("list_invoices", {"page": 1})
        await pair.caught_up()
        pair.cut_off()
        token = await first_phase(house, "create_invoice", invoice("unheard"))
        pair.fail_over()
        trace = Trace(house)
        answer = await presented(house, "create_invoice", invoice("unheard"), token)
        assert codes_of(answer) == ["handshake.token_unknown"]
        assert trace.paypal == []
        token = await first_phase(house, "create_invoice", invoice("unheard"))
        assert status_of(await house.call("create_invoice", invoice("unheard"), state=token)) == "executed"


async def test_a_signature_that_was_lost(pair: Pair, tmp_path: Path) -> None:
    """A person approved, and the replica does not know it: the call waits again, and no money moves."""
    async with behind(pair, tmp_path) as house:
        waiting = await until_confirmation(house, "create_refund", refund("8.00"))
        async with signed_in(house) as person:
            url = approve_url_of(waiting)
            await person.open(url)
            await pair.caught_up()
            pair.cut_off()
            assert (await person.approve(url)).status_code == 200
        pair.fail_over()
        trace = Trace(house)
        answer = await presented(house, "create_refund", refund("8.00"), token_of(waiting))
        assert status_of(answer) in ("confirmation_required", "error")
        assert trace.writes == []

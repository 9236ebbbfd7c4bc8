"""The state store goes away between the token's end and the call: nothing is sent, and the caller is told."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.support import parts
from tests.support.answers import codes_of, said, status_of, token_of
from tests.support.calls import invoice
from tests.support.gate import gate_to_redis
from tests.support.house import running_house
from tests.support.redis import RedisServer


async def test_a_store_that_dies_before_the_call_is_written_down(tmp_path: Path) -> None:
    """Killed exactly there, and replaced by one that knows nothing, as a replica that was behind."""
    with RedisServer(parts.require(parts.REDIS)) as redis:
        async with (
            gate_to_redis(redis.url) as gate,
            running_house(tmp_path, state_url=f"redis://127.0.0.1:{gate.port}/0") as house,
        ):
            first = await house.call("create_invoice", invoice("lost"))
            stop = gate.stop("asked", b"SET.*countersign:transaction:")
            call = asyncio.ensure_future(house.call("create_invoice", invoice("lost"), state=token_of(first)))
            await stop.reached.wait()
            redis.stop()
            stop.released.set()
            assert codes_of(await call) == ["state.unavailable"]
            assert house.paypal_calls == 0
            assert house.records()[-1]["error"] == "state.unavailable"

            redis.start()
            again = await house.call("create_invoice", invoice("lost"), state=token_of(first))
            assert codes_of(again) == ["handshake.token_unknown"]
            assert house.paypal_calls == 0


async def test_a_store_that_dies_after_the_call_was_made(tmp_path: Path) -> None:
    """The invoice is there and the caller is told so: an error would invite a second one."""
    with RedisServer(parts.require(parts.REDIS)) as redis:
        async with (
            gate_to_redis(redis.url) as gate,
            running_house(tmp_path, state_url=f"redis://127.0.0.1:{gate.port}/0") as house,
        ):
            first = await house.call("create_invoice", invoice("made"))
            stop = gate.stop("asked", b"EVALSHA.*countersign:transaction:")
            call = asyncio.ensure_future(house.call("create_invoice", invoice("made"), state=token_of(first)))
            await stop.reached.wait()
            redis.stop()
            stop.released.set()
            assert status_of(await call) == "executed"
            assert [one.request_id for one in house.paypal_seen] == [said(first)["transaction_id"]]
            assert house.records()[-1]["status"] == "executed"

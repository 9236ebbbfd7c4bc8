"""Redis is killed between and before the phases of the REST handshake: 503, and the target hears nothing."""

from __future__ import annotations

from pathlib import Path

from tests.support import parts
from tests.support.calls import invoice
from tests.support.house import running_house
from tests.support.redis import RedisServer
from tests.support.rest import INVALID_TOKEN, answer_of, authorize, execute, token_for


async def test_while_redis_is_dead_neither_phase_passes(tmp_path: Path) -> None:
    """Fail closed, with a stable code and a record each; afterwards it works again, with a new token (R031)."""
    with RedisServer(parts.require(parts.REDIS)) as redis:
        async with running_house(tmp_path, state_url=redis.url) as house:
            token = await token_for(house, "create_invoice", invoice("away"))
            redis.stop()
            first = await authorize(house, "create_invoice", invoice("away"))
            second = await execute(house, token, "create_invoice", invoice("away"))
            for answer in (first, second):
                assert (answer.status_code, answer.json()["code"]) == (503, "state.unavailable")
            assert house.paypal_writes == []
            assert [record["error"] for record in house.records()[-2:]] == ["state.unavailable"] * 2
            stranger = await execute(
                house, token, "create_invoice", invoice("away"), session="unsafe-nobody-01"
            )
            assert answer_of(stranger) == (401, {"error": "Invalid session"})

            redis.start()
            lost = await execute(house, token, "create_invoice", invoice("away"))
            assert answer_of(lost) == (403, INVALID_TOKEN)
            token = await token_for(house, "create_invoice", invoice("away"))
            assert (await execute(house, token, "create_invoice", invoice("away"))).status_code == 200
            assert len(house.paypal_writes) == 1

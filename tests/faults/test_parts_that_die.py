"""OPA and Redis are killed and stalled while a gateway runs: nothing passes meanwhile, and it recovers by itself."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.demo.story import INVOICE
from gateway.places import policies_folder
from gateway.settings.model import PolicySettings
from tests.support import parts
from tests.support.house import House, running_house
from tests.support.opa_process import OpaProcess
from tests.support.redis import RedisServer

READ = {"page": 1, "page_size": 5}


@pytest.fixture
def opa(tmp_path: Path, opa_binary: Path) -> OpaProcess:
    """OPA with the policies as shipped, not started; a bundle folder holds the tree and nothing else."""
    bundle = tmp_path / "bundle"
    shutil.copytree(policies_folder(), bundle / "gateway", ignore=shutil.ignore_patterns("*_test.rego"))
    return OpaProcess(opa_binary, bundle)


@pytest.fixture
async def house(tmp_path: Path, opa: OpaProcess) -> AsyncIterator[House]:
    """A gateway that asks that OPA."""
    with opa:
        policy = PolicySettings(engine="opa", opa_url=opa.url, timeout_s=2)
        async with running_house(tmp_path, policy=policy) as running:
            yield running


async def test_while_opa_is_dead_every_call_is_denied_and_then_allowed_again(
    house: House, opa: OpaProcess
) -> None:
    """SIGKILL of the sidecar: deny with a policy reason, nothing sent, one record; a new OPA is asked at once."""
    assert (await house.call("list_invoices", READ))["result"]["isError"] is False
    before = house.paypal_calls

    opa.kill()
    refused = (await house.call("list_invoices", READ))["result"]
    assert refused["isError"] is True
    [reason] = refused["_meta"]["dev.countersign/decision"]["reasons"]
    assert reason["code"].startswith("policy.")
    assert house.paypal_calls == before
    last = house.records()[-1]
    assert (last["outcome"], last["status"], last["reasons"]) == ("deny", "refused", [reason["code"]])
    ready = await house.http.get("/readyz")
    assert (ready.status_code, ready.json()) == (503, {"ready": False})

    opa.start()
    # The breaker may have opened; it lets a probe through by itself.
    while (again := (await house.call("list_invoices", READ))["result"]).get("isError"):
        assert again["_meta"]["dev.countersign/decision"]["reasons"][0]["code"].startswith("policy.")
    assert house.paypal_calls == before + 1


async def test_a_handshake_begun_before_opa_died_is_not_finished_without_it(
    house: House, opa: OpaProcess
) -> None:
    """The second phase is judged too: with no engine it is denied, and the token is spent."""
    state = (await house.call("create_invoice", INVOICE))["result"]["requestState"]
    opa.kill()
    denied = (await house.call("create_invoice", INVOICE, state=state))["result"]
    assert denied["isError"] is True
    opa.start()
    spent = await house.call("create_invoice", INVOICE, state=state)
    assert spent["error"]["data"]["code"] == "handshake.token_unknown"
    assert house.paypal_writes == []


async def test_while_redis_is_dead_nothing_that_needs_a_token_passes(tmp_path: Path) -> None:
    """No store, no handshake: the call ends in 503 with a stable code, and works again when Redis is back."""
    with RedisServer(parts.require(parts.REDIS)) as redis:
        async with running_house(tmp_path, state_url=redis.url) as house:
            state = (await house.call("create_invoice", INVOICE))["result"]["requestState"]
            redis.stop()
            broken = await house.rpc("tools/call", {"name": "create_invoice", "arguments": INVOICE})
            assert broken.status_code == 503
            assert broken.json()["error"]["data"]["code"] == "state.unavailable"
            assert house.paypal_writes == []
            assert house.records()[-1]["error"] == "state.unavailable"

            redis.start()
            lost = await house.call("create_invoice", INVOICE, state=state)
            assert lost["error"]["data"]["code"] == "handshake.token_unknown"
            state = (await house.call("create_invoice", INVOICE))["result"]["requestState"]
            done = (await house.call("create_invoice", INVOICE, state=state))["result"]
            assert done["isError"] is False
            assert len(house.paypal_writes) == 1

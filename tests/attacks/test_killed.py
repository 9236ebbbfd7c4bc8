"""What the operator has stopped tries to go on: with a token in its hand, with a signature, at another gateway."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
import yaml

from gateway.kill.order import KillOrder
from tests.support.answers import approve_url_of, codes_of, status_of, token_of
from tests.support.calls import READ, first_phase, invoice, refund, until_confirmation
from tests.support.console import Person, signed_in
from tests.support.house import AGENT_TOKEN, OTHER_TOKEN, House, running_house
from tests.support.traces import Trace


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A gateway of its own: what is stopped here would be stopped for other tests."""
    async with running_house(tmp_path) as running:
        yield running


@pytest.fixture
async def person(house: House) -> AsyncIterator[Person]:
    """An honest approver."""
    async with signed_in(house) as somebody:
        yield somebody


async def command(house: House, folder: Path, *arguments: str) -> bytes:
    """``countersign kill ...`` in a process of its own, over the gateway's store."""
    config = folder / "operator.yaml"
    token = {"sha256": "a" * 64, "subject": "nobody"}
    config.write_text(
        yaml.safe_dump(
            {
                "state": {"url": house.settings.state.url},
                "audit": {"path": str(folder / "operator.jsonl")},
                "identity": {"tokens": [token]},
            }
        )
    )
    running = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "from gateway.cli import main; main()", "kill", *arguments),
        *("--by", "operator-one", "--reason", "Odd.", "--config", str(config), "--json"),
        stdout=asyncio.subprocess.PIPE,
        env={"PATH": os.defpath},
    )
    out, _ = await running.communicate()
    assert running.returncode == 0
    return out


class Stopped(msgspec.Struct):
    """What ``kill add`` says."""

    order: KillOrder
    voided: int


async def stop(house: House, folder: Path, *arguments: str) -> Stopped:
    """``countersign kill add``."""
    return msgspec.json.decode(await command(house, folder, "add", *arguments), type=Stopped)


async def test_a_killed_caller_with_an_outstanding_token(house: House, tmp_path: Path) -> None:
    """Killed from another process between the two phases; others go on; a lift does not revive the token."""
    token = await first_phase(house, "create_invoice", invoice("killed"))
    order = (await stop(house, tmp_path, "--caller", "agent-one")).order
    trace = Trace(house)
    answer = await house.call("create_invoice", invoice("killed"), state=token)
    assert codes_of(answer) == ["kill.caller"]
    assert order.id in answer["result"]["content"][0]["text"]
    trace.refused_unseen("kill.caller")
    assert await first_phase(house, "create_invoice", invoice("other"), token=OTHER_TOKEN)
    await command(house, tmp_path, "lift", order.id)
    await house.gateway.house.kills.refresh()  # type: ignore[union-attr]
    trace = Trace(house)
    assert codes_of(await house.call("create_invoice", invoice("killed"), state=token)) == [
        "handshake.token_unknown"
    ]
    trace.refused_unseen("handshake.token_unknown")
    assert await first_phase(house, "create_invoice", invoice("killed"))
    (added, *_) = [
        msgspec.json.decode(line) for line in (tmp_path / "operator.jsonl").read_bytes().splitlines()[1:]
    ]
    assert added["record"]["reasons"] == ["admin.kill_add"]
    assert added["record"]["caller"]["subject"] == "operator-one"


async def test_a_killed_definition_while_a_confirmation_waits(
    house: House, person: Person, tmp_path: Path
) -> None:
    """Signed by a person, then stopped: it is not carried out, and a lift does not bring the signature back."""
    waiting = await until_confirmation(house, "create_refund", refund("7.10"))
    assert (await person.approve(approve_url_of(waiting))).status_code == 200
    entry = await house.gateway.house.catalog.current("paypal", "create_refund", sensitive=True)
    stopped = await stop(house, tmp_path, "--definition", entry.tool.definition_hash)
    assert stopped.voided == 1
    trace = Trace(house)
    answer = await house.call("create_refund", refund("7.10"), state=token_of(waiting))
    assert codes_of(answer) == ["kill.definition"]
    assert trace.writes == []
    assert trace.record["status"] == "refused"
    await command(house, tmp_path, "lift", stopped.order.id)
    await house.gateway.house.kills.refresh()  # type: ignore[union-attr]
    again = await house.call("create_refund", refund("7.10"))
    assert status_of(again) == "handshake_required"
    answer = await house.call("create_refund", refund("7.10"), state=token_of(again))
    assert status_of(answer) == "confirmation_required"
    assert trace.writes == []


async def test_a_person_cannot_sign_what_was_stopped(house: House, person: Person, tmp_path: Path) -> None:
    """It waits no longer; the calls of others do."""
    mine = await until_confirmation(house, "create_refund", refund("7.11"))
    others = await until_confirmation(house, "create_refund", refund("7.12"), token=OTHER_TOKEN)
    assert (await stop(house, tmp_path, "--caller", "agent-one")).voided == 1
    assert await person.fields(approve_url_of(mine)) == {}
    assert (await person.approve(approve_url_of(others))).status_code == 200
    answer = await house.call("create_refund", refund("7.12"), state=token_of(others), token=OTHER_TOKEN)
    assert status_of(answer) == "executed"
    assert len(house.paypal_writes) == 1


async def test_a_killed_revision(house: House, tmp_path: Path) -> None:
    """Whatever a policy with that name allows is refused, under its own token."""
    token = await first_phase(house, "create_invoice", invoice("revision"))
    revision = Trace.closed(house)[-1]["decision"]["revision"]
    await stop(house, tmp_path, "--revision", revision)
    trace = Trace(house)
    assert codes_of(await house.call("create_invoice", invoice("revision"), state=token)) == ["kill.revision"]
    trace.refused_unseen("kill.revision")


async def test_a_kill_holds_at_every_gateway_of_the_store(house: House, tmp_path: Path) -> None:
    """The token was handed out at one gateway, and is shown at another."""
    (tmp_path / "second").mkdir()
    async with running_house(tmp_path / "second", state_url=house.settings.state.url) as second:
        token = await first_phase(house, "create_invoice", invoice("two"))
        await stop(house, tmp_path, "--tool", "paypal/create_invoice")
        for gateway, state in ((second, token), (house, None)):
            trace = Trace(gateway)
            answer = await gateway.call("create_invoice", invoice("two"), state=state)
            assert codes_of(answer) == ["kill.tool"], answer
            trace.refused_unseen("kill.tool")


async def test_a_killed_caller_reads_no_resources(house: House, tmp_path: Path) -> None:
    """Requests that are no calls end too, once the copy knows: a second at most."""
    await stop(house, tmp_path, "--caller", "agent-one")
    await house.gateway.house.kills.refresh()  # type: ignore[union-attr]
    trace = Trace(house)
    assert codes_of(await house.call("list_invoices", READ)) == ["kill.caller"]
    trace.refused_unseen("kill.caller")
    answer = (await house.rpc("resources/list", token=AGENT_TOKEN)).json()
    assert "kill.caller" in str(answer["error"])
    listing = await house.rpc("tools/list", token=AGENT_TOKEN)
    assert (listing.status_code, listing.json()["error"]["data"]["code"]) == (403, "kill.caller")
    assert status_of(await house.call("list_invoices", READ, token=OTHER_TOKEN)) == "executed"

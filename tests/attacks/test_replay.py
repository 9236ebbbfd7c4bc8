"""Replay: what was captured is sent again. A token, a whole request, a confirmation; also after a restart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from tests.support.answers import codes_of, status_of
from tests.support.calls import confirmed, first_phase, invoice, refund, until_confirmation
from tests.support.console import Person, signed_in
from tests.support.house import AGENT_TOKEN, MODERN, MODERN_META, House, running_house
from tests.support.traces import Trace


async def test_the_very_bytes_of_an_executed_call(house: House) -> None:
    """Sent once more, byte for byte with all headers: refused, and PayPal hears nothing."""
    token = await first_phase(house, "create_invoice", invoice("bytes"))
    params = {
        "name": "create_invoice",
        "arguments": invoice("bytes"),
        "requestState": token,
        "_meta": MODERN_META,
    }
    captured: dict[str, Any] = {
        "content": msgspec.json.encode({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params}),
        "headers": {
            "authorization": f"Bearer {AGENT_TOKEN}",
            "content-type": "application/json",
            "mcp-protocol-version": MODERN,
            "mcp-method": "tools/call",
            "mcp-name": "create_invoice",
        },
    }
    assert status_of((await house.http.post("/mcp", **captured)).json()) == "executed"
    for _ in range(3):
        trace = Trace(house)
        assert codes_of((await house.http.post("/mcp", **captured)).json()) == ["handshake.token_unknown"]
        trace.refused_unseen("handshake.token_unknown")


async def test_a_confirmation_is_not_good_for_the_next_equal_call(house: House, person: Person) -> None:
    """The refund was signed and carried out; the same refund again starts from nothing, in both eras."""
    token = await confirmed(house, person, "create_refund", refund("1.20"))
    assert status_of(await house.call("create_refund", refund("1.20"), state=token)) == "executed"
    for era in ("modern", "legacy"):
        trace = Trace(house)
        answer = await house.call("create_refund", refund("1.20"), era=era)
        assert status_of(answer) == "handshake_required"
        assert trace.paypal == []


async def test_the_token_of_phase_one_after_phase_two(house: House) -> None:
    """Each round has a token of its own; an older one of the same transaction is worth nothing."""
    token = await first_phase(house, "create_refund", refund("1.21"))
    waiting = await house.call("create_refund", refund("1.21"), state=token)
    assert status_of(waiting) == "confirmation_required"
    trace = Trace(house)
    assert codes_of(await house.call("create_refund", refund("1.21"), state=token)) == [
        "handshake.token_unknown"
    ]
    trace.refused_unseen("handshake.token_unknown")


async def test_a_restart_forgets_no_use(tmp_path: Path) -> None:
    """What was used before the gateway stopped is used when it is back; what waited still waits, once."""
    async with running_house(tmp_path) as house:
        used = await first_phase(house, "create_invoice", invoice("restart"))
        assert status_of(await house.call("create_invoice", invoice("restart"), state=used)) == "executed"
        unused = await first_phase(house, "create_invoice", invoice("later"))
        await until_confirmation(house, "create_refund", refund("1.22"))
    async with running_house(tmp_path) as house:
        trace = Trace(house)
        answer = await house.call("create_invoice", invoice("restart"), state=used)
        assert codes_of(answer) == ["handshake.token_unknown"]
        trace.refused_unseen("handshake.token_unknown")
        assert status_of(await house.call("create_invoice", invoice("later"), state=unused)) == "executed"
        waiting = await house.call("create_refund", refund("1.22"))
        assert status_of(waiting) == "confirmation_required"
        async with signed_in(house) as person:
            url = waiting["result"]["_meta"]["dev.countersign/decision"]["approve_url"]
            assert (await person.approve(url)).status_code == 200
        assert status_of(await house.call("create_refund", refund("1.22"))) == "executed"
        assert len(house.paypal_writes) == 2

"""Forged receipts: altered, of another caller, by another key, under another algorithm. None passes for a true one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.receipts.jws import TYPE, Signer, read
from gateway.receipts.keys import ReceiptKeys, read_published
from gateway.receipts.verify import Verdict, verify
from tests.support.answers import status_of
from tests.support.calls import READ, confirmed, first_phase, invoice, refund
from tests.support.console import Person, signed_in
from tests.support.house import AGENT_TOKEN, OTHER_TOKEN, House
from tests.support.receipts import OTHER_KEY, RECEIPT_KEY, altered, claims_of, segment
from tests.support.traces import Trace


async def receipt_of(answer: dict[str, Any]) -> str:
    """The receipt in a tool result."""
    receipt = answer["result"]["_meta"][RECEIPT_KEY]
    assert isinstance(receipt, str)
    return receipt


async def a_true_one(house: House, note: str) -> str:
    """The receipt of an invoice that was made."""
    token = await first_phase(house, "create_invoice", invoice(note))
    answer = await house.call("create_invoice", invoice(note), state=token)
    assert status_of(answer) == "executed"
    return await receipt_of(answer)


async def checked(house: House, receipt: str, audit: Path | None = None) -> Verdict:
    """By the keys that the gateway publishes."""
    published = await house.http.get("/.well-known/countersign-receipts.json")
    return verify(receipt, read_published(published.content), audit=audit)


async def problems(house: House, receipt: str) -> list[str]:
    """The parts that are not right."""
    return [one.what for one in (await checked(house, receipt)).problems]


async def asked(house: House, name: str, token: str | None) -> tuple[int, dict[str, Any]]:
    """``GET /receipts/{name}``."""
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    answer = await house.http.get(f"/receipts/{name}", headers=headers)
    return answer.status_code, answer.json()


async def test_a_true_receipt_is_true(house: House, person: Person) -> None:
    """Of a refund that a person signed: signature, audit record, and who confirmed which picture."""
    token = await confirmed(house, person, "create_refund", refund("3.20"))
    trace = Trace(house)
    answer = await house.call("create_refund", refund("3.20"), state=token)
    verdict = await checked(house, await receipt_of(answer), house.audit_path)
    assert verdict.problems == ()
    said = verdict.receipt
    assert said is not None
    assert (said.tool, said.outcome, said.data_class) == ("create_refund", "executed", 2)
    assert [(one.by, one.who) for one in said.confirmations] == [("human", "approver-one")]
    assert len(said.confirmations[0].view_hash) == 64
    assert said.upstream is not None
    assert said.upstream.debug_id == trace.record["upstream"]["debug_id"] is not None


async def test_a_refused_call_has_one_and_paypal_saw_nothing(house: House) -> None:
    """Arguments that do not fit: refused, and signed."""
    trace = Trace(house)
    answer = await house.call("create_refund", {**refund("3.21"), "unheard": 1})
    assert status_of(answer) == "refused"
    verdict = await checked(house, await receipt_of(answer), house.audit_path)
    assert verdict.problems == ()
    assert verdict.receipt is not None
    assert verdict.receipt.outcome == "refused"
    assert trace.paypal == []


async def test_a_read_has_none(house: House) -> None:
    """And its answer passes as it came."""
    answer = await house.call("list_invoices", READ)
    assert status_of(answer) == "executed"
    assert RECEIPT_KEY not in answer["result"].get("_meta", {})


@pytest.mark.parametrize("era", ["modern", "legacy"])
async def test_both_eras_carry_it(house: House, era: str) -> None:
    """In ``_meta`` of the result."""
    arguments = invoice(f"era-{era}")
    if era == "modern":
        token = await first_phase(house, "create_invoice", arguments)
        answer = await house.call("create_invoice", arguments, state=token)
    else:
        await house.call("create_invoice", arguments, era=era)
        answer = await house.call("create_invoice", arguments, era=era)
    assert await problems(house, await receipt_of(answer)) == []


async def test_an_altered_receipt(house: House) -> None:
    """An agent that would rather have been refused, or have paid somebody else."""
    true = await a_true_one(house, "altered")
    for members in ({"outcome": "refused"}, {"tool": "list_invoices"}, {"arguments_hash": "0" * 64}):
        assert await problems(house, altered(true, **members)) == ["signature"]


async def test_another_key(house: House) -> None:
    """Signed by somebody who is not the gateway, under their own name and under the gateway's."""
    true = await a_true_one(house, "key")
    said = read(true)
    own = next(iter(ReceiptKeys(OTHER_KEY).public))
    for kid, what in ((own, "key"), (said.kid, "signature")):
        assert await problems(house, Signer(OTHER_KEY, kid).sign(said.receipt)) == [what]


async def test_no_algorithm(house: House) -> None:
    """``alg: none``."""
    true = await a_true_one(house, "none")
    kid = read(true).kid
    head = segment(msgspec.json.encode({"alg": "none", "kid": kid, "typ": TYPE}))
    assert await problems(house, f"{head}.{true.split('.')[1]}.") == ["algorithm"]


async def test_the_receipt_of_another_caller(house: House, person: Person) -> None:
    """It is not shown, and not distinguished from one that never was; its own caller and an auditor see it."""
    true = await a_true_one(house, "other")
    said = claims_of(true)
    for name in (said["jti"], said["txn"]):
        assert await asked(house, name, AGENT_TOKEN) == (200, {"receipt": true})
        stranger = await asked(house, name, OTHER_TOKEN)
        assert stranger == await asked(house, "never-was", OTHER_TOKEN)
        assert stranger[0] == 404
        assert (await asked(house, name, None))[0] == 401
        assert (await asked(house, name, "unsafe-token-that-nobody-has-000"))[0] == 401
    url = f"{house.url}/console/receipts/{said['jti']}"
    assert (await person.open(url)).json() == {"receipt": true}
    assert (await house.http.get(url)).status_code == 401
    async with signed_in(house, "somebody", ("nothing",)) as nobody:
        assert (await nobody.open(url)).status_code == 403


async def test_an_upstream_cannot_forge_one(house: House) -> None:
    """A server's own ``_meta`` under the gateway's name is dropped; see ``test_forged_meta.py`` for how."""
    answer = await house.call("list_invoices", READ, more={"_meta": {RECEIPT_KEY: "forged"}})
    assert RECEIPT_KEY not in answer["result"].get("_meta", {})

"""Forged receipts: altered, of another caller, by another key, under another algorithm. None passes for a true one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from gateway.receipts.jws import TYPE, Signer, read
from gateway.receipts.keys import ReceiptKeys, read_published
from gateway.receipts.verify import Verdict, receipt_in, verify
from gateway.settings.model import DpopSettings, Hidden
from tests.support.answers import status_of
from tests.support.calls import READ, confirmed, first_phase, invoice, refund
from tests.support.console import Person, signed_in
from tests.support.house import AGENT_TOKEN, OTHER_TOKEN, House, running_house
from tests.support.oauth import THIEFS_KEY, challenges, proof_for, shown, token_for, trusting
from tests.support.receipts import OTHER_KEY, RECEIPT_KEY, altered, claims_of, segment
from tests.support.rest import INVALID_TOKEN, MISMATCH, answer_of, execute
from tests.support.rest import token_for as token_of_rest
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


async def test_refusals_that_are_errors_have_one_too(house: House) -> None:
    """A spent token ends in a JSON-RPC error: the receipt stands in its ``data``, true by key and audit; PayPal saw
    nothing of that call."""
    token = await first_phase(house, "create_invoice", invoice("twice"))
    assert status_of(await house.call("create_invoice", invoice("twice"), state=token)) == "executed"
    trace = Trace(house)
    answer = await house.call("create_invoice", invoice("twice"), state=token)
    assert answer["error"]["data"]["code"] == "handshake.token_unknown"
    receipt = answer["error"]["data"][RECEIPT_KEY]
    assert receipt_in(msgspec.json.encode(answer)) == receipt
    assert receipt_in(msgspec.json.encode(answer["error"])) == receipt
    verdict = await checked(house, receipt, house.audit_path)
    assert verdict.problems == ()
    assert verdict.receipt is not None
    assert (verdict.receipt.outcome, verdict.receipt.tool) == ("refused", "create_invoice")
    assert verdict.receipt.jti == answer["error"]["data"]["call_id"]
    assert await asked(house, verdict.receipt.jti, AGENT_TOKEN) == (200, {"receipt": receipt})
    assert (await asked(house, verdict.receipt.jti, OTHER_TOKEN))[0] == 404
    assert trace.paypal == []


async def test_who_is_not_known_and_who_reads_have_none(house: House) -> None:
    """Nobody signs for a stranger, or for a refused read."""
    for tool, arguments, how in (
        ("create_refund", refund("3.40"), {"token": "unsafe-token-that-nobody-has-000"}),
        ("list_invoices", READ, {"state": "f" * 64}),
        ("no_such_tool", {}, {}),
    ):
        trace = Trace(house)
        answer = await house.call(tool, arguments, **how)
        assert RECEIPT_KEY not in answer["error"]["data"]
        assert trace.paypal == []


async def test_a_bound_token_and_its_receipt(tmp_path: Path) -> None:
    """``GET /receipts/{id}`` takes a proof for that very path; one for another path, another method, of another key or
    used before is refused, and so is the token without one."""
    dpop = DpopSettings(nonce_secret=Hidden("unsafe-secret-of-nonces-for-tests-01"))
    async with running_house(tmp_path, identity=trusting(tmp_path, dpop=dpop)) as house:
        token = token_for(house)

        async def get(name: str, **claims: Any) -> httpx.Response:
            url = f"{house.settings.public_url}/receipts/{name}"
            proof = proof_for(house, token, **{"htm": "GET", "htu": url, "nonce": nonce, **claims})
            return await house.http.get(f"/receipts/{name}", headers=shown(token, proof))

        nonce = "an old one"
        told = await get("never-was")
        assert told.status_code == 401
        assert any("use_dpop_nonce" in one for one in challenges(told))
        nonce = told.headers["dpop-nonce"]
        params = {"name": "create_refund", "arguments": {**refund("3.50"), "unheard": 1}}
        refused = await house.rpc(
            "tools/call", params, token=None, headers=shown(token, proof_for(house, token, nonce=nonce))
        )
        receipt = await receipt_of(refused.json())
        name = claims_of(receipt)["jti"]
        assert (await get(name)).json() == {"receipt": receipt}
        assert (await get("never-was")).status_code == 404
        base = house.settings.public_url
        for forged in (
            {"htu": f"{base}/receipts/other"},
            {"htu": f"{base}/mcp"},
            {"htu": f"{base}/authorize"},
            {"htm": "POST"},
            {"key": THIEFS_KEY},
        ):
            answer = await get(name, **forged)
            assert (answer.status_code, "receipt" in answer.json()) == (401, False), forged
        once = {"jti": "once"}
        assert (await get(name, **once)).status_code == 200
        assert (await get(name, **once)).json()["error"] == "identity.proof_replayed"
        assert (await asked(house, name, token))[0] == 401
        assert house.paypal_calls == 0


async def test_a_refusal_in_the_guides_words_has_it_in_a_header(house: House) -> None:
    """The body is the guide's and nothing more; the receipt is true, by key and audit, and PayPal saw nothing."""
    arguments = invoice("words")
    token = await token_of_rest(house, "create_invoice", arguments)
    trace = Trace(house)
    changed = await execute(house, token, "create_invoice", {**arguments, "note": "more"})
    spent = await execute(house, token, "create_invoice", arguments)
    for answer, body in ((changed, MISMATCH), (spent, INVALID_TOKEN)):
        assert answer_of(answer) == (403, body)
        verdict = await checked(house, answer.headers["countersign-receipt"], house.audit_path)
        assert verdict.problems == ()
        assert verdict.receipt is not None
        assert verdict.receipt.outcome == "refused"
    assert trace.paypal == []
    stranger = await execute(house, token, "create_invoice", arguments, session="of-nobody")
    assert "countersign-receipt" not in stranger.headers

"""``countersign transactions retry``, from the command line to the simulated PayPal."""

from __future__ import annotations

import time
from pathlib import Path

import httpx
import msgspec

from gateway.canonical import canonical_hash
from gateway.catalog.pins import read_pins
from gateway.policy.money import Money
from gateway.transactions.sent import Sent
from gateway.upstream.paypal.simulator.orders import PAYEE, PAYER
from gateway.upstream.paypal.simulator.seeds import CAPTURE
from tests.cli.conftest import Run, audit_lines
from tests.cli.test_check import Config, at, paypal_url
from tests.cli.test_transactions import UNKNOWN, written

__all__ = ["paypal_url"]
ARGUMENTS = {
    "capture_id": CAPTURE,
    "amount": {"currency_code": "USD", "value": "1.25"},
    "note_to_payer": "Sorry",
}
MONEY = Money(
    amount="1.25",
    currency="USD",
    payee=PAYER["payer_id"],
    payees=(PAYER["payer_id"],),
    payers=(PAYEE["merchant_id"],),
    source="arguments",
)


def test_one_refund_under_its_own_key(run: Run, config: Config, tmp_path: Path, paypal_url: str) -> None:
    """Two hours later, and once: in the audit under who ordered it, and gone from the journal afterwards."""
    config(paypal=at(paypal_url))
    doubtful = msgspec.structs.replace(
        UNKNOWN,
        started_at=time.time() - 7200,
        arguments_hash=canonical_hash(ARGUMENTS),
        definition_hash=read_pins()["paypal", "create_refund"].definition_hash,
        sent=Sent(arguments=ARGUMENTS),
        money=MONEY,
    )
    written(doubtful)
    done = run("transactions", "retry", "t-unknown", "--by", "ann")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("t-unknown: executed (")
    calls = httpx.get(f"{paypal_url}/_simulator/calls").json()["calls"]
    refunds = [one for one in calls if one["path"].endswith("/refund")]
    assert [(one["request_id"], one["body"]["note_to_payer"]) for one in refunds] == [("t-unknown", "Sorry")]
    shown = run("transactions", "show", "t-unknown", "--json").document
    assert (shown["outcome"], shown["how"], shown["settled_by"]) == ("executed", "replay", "ann")
    assert "sent" not in shown
    orders = [one for one in audit_lines(tmp_path) if one["phase"] == "admin"]
    assert [(one["reasons"], one["caller"]["subject"]) for one in orders] == [
        (["admin.transaction_retry"], "ann")
    ]
    again = run("transactions", "retry", "t-unknown", "--by", "ann")
    assert again.code == 1
    assert "it is not unknown" in again.err
    calls = httpx.get(f"{paypal_url}/_simulator/calls").json()["calls"]
    assert len([one for one in calls if one["path"].endswith("/refund")]) == 1

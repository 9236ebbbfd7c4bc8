"""Stale view: what was shown is no longer what would be sent; the old picture's signature is none for the new one."""

from __future__ import annotations

from pathlib import Path

import msgspec

from gateway.console.decide import Changed, Decisions, Recorded, Shown, Verdict
from gateway.outcome.answer import Again
from gateway.walk import walk
from tests.attacks.test_revoked_signature import BOB, Everything
from tests.outcome.test_in_band import BILL, FORM, YES, by_host, call_of
from tests.support.recording_host import RecordingHost
from tests.support.walking import MONEY, PAY, StaticMoney, a_call, rooms


async def test_the_amount_moves_under_an_open_page(tmp_path: Path) -> None:
    """The approver pressed at 12.00, the target would be asked for 9000.00: not recorded, and nothing runs."""
    money = StaticMoney()
    async with rooms(tmp_path, rules=money) as house:
        call = a_call(PAY, BILL, legacy=True)
        await walk(call, house.house)
        assert isinstance(await walk(call, house.house), Again)
        [shown] = await house.waiting.waiting()
        money.money = msgspec.structs.replace(MONEY, amount="9000.00")
        assert isinstance(await walk(call, house.house), Again)
        decisions = Decisions(house.waiting, Everything(), house.house.books, now=house.clock)
        old = Shown(transaction_id=shown.transaction_id, view_hash=shown.view.view_hash)
        assert isinstance(await decisions.decide(BOB, shown.key, Verdict.APPROVE, old), Changed)
        assert isinstance(await walk(call, house.house), Again)
        assert house.upstream.calls == []
        assert house.records("confirm")[-1]["reasons"] == ["console.approve", "console.changed"]


async def test_the_amount_moves_after_the_signature(tmp_path: Path) -> None:
    """Signed at 12.00, and repeated when it costs 9000.00: the signature does not count."""
    money = StaticMoney()
    async with rooms(tmp_path, rules=money) as house:
        call = a_call(PAY, BILL, legacy=True)
        await walk(call, house.house)
        await walk(call, house.house)
        [shown] = await house.waiting.waiting()
        decisions = Decisions(house.waiting, Everything(), house.house.books, now=house.clock)
        signing = Shown(transaction_id=shown.transaction_id, view_hash=shown.view.view_hash)
        assert isinstance(await decisions.decide(BOB, shown.key, Verdict.APPROVE, signing), Recorded)
        money.money = msgspec.structs.replace(MONEY, payee="somebody else")
        assert isinstance(await walk(call, house.house), Again)
        assert house.upstream.calls == []


async def test_a_payee_in_look_alike_letters_is_marked_in_the_host_too(tmp_path: Path) -> None:
    """The form names the letter; its user says no; nothing is sent."""
    spoofed = msgspec.structs.replace(MONEY, payee="p\u0430ypal@example.com")
    async with rooms(tmp_path, rules=StaticMoney(spoofed)) as house:
        house.engine.answering = by_host
        host = RecordingHost(capabilities=FORM, answer={**YES, "content": {"approve": False}})
        await walk(call_of(("form",)), house.house, host)
        assert isinstance(await walk(call_of(("form",)), house.house, host), Again)
        [(_, asked)] = host.asked
        assert "look twice: lookalike: CYRILLIC SMALL LETTER A" in asked["message"]
        assert house.upstream.calls == []

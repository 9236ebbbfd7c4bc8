"""How much: from the arguments, or looked up where they do not say, and only there."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import pytest

from gateway.door.host import Host, HostCannot
from gateway.errors import UpstreamUnavailable
from gateway.identity.credentials import Credentials, Secret
from gateway.policy.amounts import KNOWN_S, LOOKUP_SUFFIX, MAX_KNOWN, Amounts
from gateway.policy.money import Money
from gateway.upstream.paypal import money as paypal_money
from gateway.upstream.target import Effect, Reply
from tests.support.clock import ManualClock
from tests.support.walking import SERVER, KeepingUpstream, a_call, done

TOLD = Money(amount="5.00", currency="EUR", source="arguments")
LOOKED_UP = Money(amount="7.00", currency="EUR", payee="shop", source="lookup")


class Rules:
    """``pay`` has to be looked up with ``get``, ``give`` says itself, ``guess`` cannot be known, ``read`` is free."""

    def money_of(self, tool: str, arguments: Mapping[str, Any]) -> Money | None:
        """See ``MoneyRules.money_of``."""
        return {"give": TOLD, "pay": Money(), "guess": Money()}.get(tool)

    def lookup_for(
        self, tool: str, arguments: Mapping[str, Any], answers: Sequence[Mapping[str, Any]] = ()
    ) -> tuple[str, dict[str, Any]] | None:
        """See ``MoneyRules.lookup_for``."""
        return ("get", {"id": arguments["id"]}) if tool == "pay" and not answers else None

    def money_from(
        self, tool: str, arguments: Mapping[str, Any], answers: Sequence[Mapping[str, Any]]
    ) -> Money:
        """See ``MoneyRules.money_from``."""
        return LOOKED_UP if answers[0].get("total") == 7 else Money()


@pytest.fixture
def upstream() -> KeepingUpstream:
    """A target whose record says seven."""
    upstream = KeepingUpstream()
    upstream.reply = done({"content": [], "structuredContent": {"total": 7}})
    return upstream


@pytest.fixture
def amounts(upstream: KeepingUpstream) -> Amounts:
    """Money facts over it."""
    return Amounts({SERVER: Rules()}, {SERVER: upstream, "other": upstream})


@pytest.mark.parametrize(
    ("server", "tool", "money"),
    [(SERVER, "give", TOLD), (SERVER, "read", None), (SERVER, "guess", Money()), ("other", "pay", None)],
)
async def test_nothing_is_looked_up_that_need_not_be(
    amounts: Amounts, upstream: KeepingUpstream, server: str, tool: str, money: Money | None
) -> None:
    """The arguments say it, it moves none, no read would tell, or nobody knows that server's tools."""
    assert await amounts.of(a_call(tool, {"id": "1"}, server=server)) == money
    assert upstream.calls == []


async def test_what_the_arguments_do_not_say_is_looked_up_once(
    amounts: Amounts, upstream: KeepingUpstream
) -> None:
    """By a read, without anything of the host's, under an id of its own."""
    call = a_call("pay", {"id": "1"}, meta={"host": "x"})
    assert await amounts.of(call) == LOOKED_UP
    ((tool, arguments, transaction_id, meta),) = upstream.calls
    assert (tool, arguments, meta) == ("get", {"id": "1"}, {})
    assert transaction_id != call.call_id
    assert transaction_id.endswith(LOOKUP_SUFFIX)
    assert len(transaction_id) <= 38


@pytest.mark.parametrize(
    "reply",
    [
        UpstreamUnavailable("down"),
        Reply(effect=Effect.UNKNOWN),
        Reply(effect=Effect.REFUSED, error={"code": -32602, "message": "no"}, is_error=True),
        done({"content": [], "structuredContent": {"total": 7}}, is_error=True),
        done({"content": []}),
        done({"content": [], "structuredContent": None}),
        done({"content": [], "structuredContent": [7]}),
        done({"content": [], "structuredContent": {"total": 8}}),
        Reply(effect=Effect.UNKNOWN, result=msgspec.Raw(b'{"structuredContent":{"total":7}}')),
        Reply(effect=Effect.EXECUTED, result=msgspec.Raw(b"[]")),
        Reply(effect=Effect.EXECUTED, result=msgspec.Raw(b'{"structuredContent":{"a":"\xff"}}')),
        Reply(effect=Effect.EXECUTED, result=msgspec.Raw(b'{"structuredContent":{"a":' + b"[" * 9999)),
    ],
    ids=lambda reply: repr(reply)[:60],
)
async def test_what_cannot_be_learned_is_unknown(
    amounts: Amounts, upstream: KeepingUpstream, reply: Reply | BaseException
) -> None:
    """No amount, which a policy takes for more than any limit; and no second try."""
    upstream.reply = reply
    assert await amounts.of(a_call("pay", {"id": "1"})) == Money()
    assert len(upstream.calls) == 1


class Naming(Rules):
    """``give`` says how much, and has to look up to whom."""

    def lookup_for(
        self, tool: str, arguments: Mapping[str, Any], answers: Sequence[Mapping[str, Any]] = ()
    ) -> tuple[str, dict[str, Any]] | None:
        """See ``MoneyRules.lookup_for``."""
        return None if answers else ("get", {})

    def money_from(
        self, tool: str, arguments: Mapping[str, Any], answers: Sequence[Mapping[str, Any]]
    ) -> Money:
        """See ``MoneyRules.money_from``."""
        payees = tuple(answers[0].get("payees", ()))
        return msgspec.structs.replace(TOLD if tool == "give" else LOOKED_UP, payees=payees)


SHOP = done({"content": [], "structuredContent": {"payees": ["shop"]}})


def naming(upstream: KeepingUpstream) -> tuple[Amounts, ManualClock]:
    """Money facts whose clock the test moves."""
    clock = ManualClock()
    upstream.reply = SHOP
    return Amounts({SERVER: Naming()}, {SERVER: upstream}, monotonic=clock), clock


async def test_who_gets_an_amount_of_the_arguments_is_asked_once(upstream: KeepingUpstream) -> None:
    """At the handshake, not again at the confirmation and before it leaves; but again for other arguments, for another
    caller, and after some minutes."""
    amounts, clock = naming(upstream)
    call = a_call("give", {"id": "1"})
    for _ in range(3):
        money = await amounts.of(call)
        assert money is not None
        assert money.payees == ("shop",)
    assert len(upstream.calls) == 1
    await amounts.of(a_call("give", {"id": "2"}))
    await amounts.of(msgspec.structs.replace(call, credentials=Credentials(bearer=Secret(b"other"))))
    assert len(upstream.calls) == 3
    clock.advance(KNOWN_S + 1)
    await amounts.of(call)
    assert len(upstream.calls) == 4


async def test_an_amount_that_the_target_told_is_asked_for_every_time(upstream: KeepingUpstream) -> None:
    """It may have changed while a person thought."""
    amounts, _ = naming(upstream)
    for _ in range(3):
        await amounts.of(a_call("pay", {"id": "1"}))
    assert len(upstream.calls) == 3


async def test_what_was_not_learned_is_not_remembered(upstream: KeepingUpstream) -> None:
    """The target was away for a moment: the next phase asks again."""
    amounts, _ = naming(upstream)
    upstream.reply = UpstreamUnavailable("down")
    call = a_call("give", {"id": "1"})
    assert await amounts.of(call) == TOLD
    upstream.reply = done({"content": [], "structuredContent": {}})
    assert await amounts.of(call) == TOLD
    upstream.reply = SHOP
    money = await amounts.of(call)
    assert money is not None
    assert money.payees == ("shop",)


async def test_what_is_remembered_is_bounded(upstream: KeepingUpstream) -> None:
    """Attack: a caller fills the memory with calls that nobody will see again."""
    amounts, _ = naming(upstream)
    for number in range(MAX_KNOWN + 1):
        await amounts.of(a_call("give", {"id": str(number)}))
    await amounts.of(a_call("give", {"id": str(MAX_KNOWN)}))
    assert len(upstream.calls) == MAX_KNOWN + 1
    await amounts.of(a_call("give", {"id": "0"}))
    assert len(upstream.calls) == MAX_KNOWN + 2


async def test_a_lookup_is_for_its_caller_and_asks_nobody(upstream: KeepingUpstream) -> None:
    """Its host is the caller's token and nothing else: no session, no capability, no way to ask."""
    amounts, _ = naming(upstream)
    hosts: list[Host] = []

    async def look(host: Host) -> Reply:
        hosts.append(host)
        return SHOP

    upstream.asking = look
    await amounts.of(a_call("give", {}, credentials=Credentials(bearer=Secret(b"ann"))))
    (host,) = hosts
    assert host.subject_token is not None
    assert host.subject_token.expose() == b"ann"
    assert (host.key, dict(host.capabilities), host.asks_in_band) == (None, {}, False)
    with pytest.raises(HostCannot):
        await host.ask("elicitation/create", msgspec.Raw(b"{}"))


@pytest.mark.parametrize("tool", ["pay_order", "send_invoice", "accept_dispute_claim", "create_subscription"])
async def test_paypals_lookups_are_reads(upstream: KeepingUpstream, tool: str) -> None:
    """What is sent before the policy has spoken must not change anything."""
    amounts = Amounts({SERVER: paypal_money}, {SERVER: upstream})
    arguments = {"id": "1", "invoice_id": "1", "dispute_id": "1", "plan_id": "1"}
    assert await amounts.of(a_call(tool, arguments)) == Money()
    ((read, *_),) = upstream.calls
    assert read.startswith(("get_", "show_"))

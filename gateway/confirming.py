"""Who hears of calls that wait, built from settings: second agents, and the notices for people."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Any

from gateway.agents.asking import Asking
from gateway.agents.chat import ChatAgent
from gateway.agents.countersigning import AgentAudit, Countersigning
from gateway.agents.delivery import Delivery
from gateway.agents.exchange import Exchange
from gateway.agents.orphans import Orphans
from gateway.agents.outbox import Outbox
from gateway.agents.said import Agent
from gateway.agents.signature import key_of
from gateway.agents.watch import Watch
from gateway.agents.webhook import WebhookAgent
from gateway.outcome.confirm import Opened
from gateway.outcome.deadlines import TimedOut
from gateway.outcome.pending import Pending, Waiting
from gateway.policy.money import Money
from gateway.settings import Settings
from gateway.settings.model import AgentSettings
from gateway.state.store import Store
from gateway.stopping import stopped


class Told:
    """All who hear of it, in order; ``timed_out`` are those who want to hear of its end by time as well."""

    def __init__(self, hearers: Sequence[Opened], *, timed_out: Sequence[TimedOut] = ()) -> None:
        self._hearers = tuple(hearers)
        self.timed_out = tuple(timed_out)

    def opened(self, pending: Pending, arguments: Mapping[str, Any], money: Money | None) -> None:
        """See :class:`gateway.outcome.confirm.Opened`."""
        for hearer in self._hearers:
            hearer.opened(pending, arguments, money)


def told_of(
    settings: Settings,
    waiting: Waiting,
    audit: AgentAudit,
    stack: AsyncExitStack,
    store: Store,
    *,
    now: Callable[[], float],
) -> Told:
    """The agents (also where there are none: what only they may confirm is then refused, and says so), and the
    watch where notices go somewhere. Nothing is contacted yet."""
    agents = [agent_of(name, one, now=now) for name, one in settings.confirm.agents.items()]
    signing = Countersigning(waiting, audit, now=now)
    asking = Asking(agents, signing)
    stack.push_async_callback(asking.aclose)
    stack.push_async_callback(stopped, asyncio.ensure_future(Orphans(waiting, signing).run()))
    notify = settings.confirm.notify
    if notify is None:
        return Told([asking])
    exchange = Exchange(notify.url, timeout_s=notify.timeout_s)
    line = Delivery(exchange, key_of(notify.secret), now=now, outbox=Outbox(store, now=now))
    stack.push_async_callback(line.aclose)
    stack.push_async_callback(stopped, asyncio.ensure_future(line.run()))
    watch = Watch(waiting, line, console_url=settings.public_url, now=now)
    stack.push_async_callback(watch.aclose)
    stack.push_async_callback(stopped, asyncio.ensure_future(watch.recall(waiting)))
    return Told([asking, watch], timed_out=[watch.timed_out])


def agent_of(name: str, one: AgentSettings, *, now: Callable[[], float]) -> Agent:
    """One agent of the settings, which were checked."""
    exchange = Exchange(one.url, timeout_s=one.timeout_s)
    if one.kind == "chat":
        assert one.model is not None
        return ChatAgent(name, exchange, model=one.model, api_key=one.api_key)
    assert one.secret is not None
    return WebhookAgent(name, exchange, key_of(one.secret), now=now)

"""People are told when a call starts to wait for them, and how it ended if that was no execution."""

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest

from gateway.agents.notice import Event, Notice
from gateway.agents.watch import MAX_WATCHED, Watch
from gateway.errors import StoreUnavailable
from gateway.outcome.pending import Pending, Status
from tests.agents.conftest import ANYBODY, ONE_AGENT, Desk
from tests.support.until import until
from tests.support.waiting import ONE_HUMAN, a_binding, a_pending


class Line:
    """Keeps what was put into it."""

    def __init__(self) -> None:
        self.notices: list[Notice] = []

    def put(self, notice: Notice) -> None:
        """See ``watch.Line``."""
        self.notices.append(notice)

    @property
    def events(self) -> list[Event]:
        """What was told, in order."""
        return [one.event for one in self.notices]


class Looks:
    """A pause that ends when the test says so; how often it was begun."""

    def __init__(self) -> None:
        self.begun = 0
        self._turns = asyncio.Semaphore(0)

    async def __call__(self, seconds: float) -> None:
        """See ``asyncio.sleep``."""
        self.begun += 1
        await self._turns.acquire()

    def release(self) -> None:
        """End the pause."""
        self._turns.release()

    async def once(self) -> None:
        """One look, to its end: the next pause begins, or there is nothing left to look at."""
        before = self.begun
        self.release()
        await until(lambda: self.begun > before)


class Setting:
    """A watch over a real store."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.line = Line()
        self.looks = Looks()
        self.watch = Watch(
            desk.waiting, self.line, console_url="https://gate.example", now=desk.clock, sleep=self.looks
        )

    def opened(self, pending: Pending) -> None:
        """As the walk does."""
        self.watch.opened(pending, {}, None)

    async def beside(self) -> Pending:
        """Another call that waits on, so that the looking goes on."""
        other = await self.desk.opened(
            obligation=ONE_HUMAN, binding=a_binding(tool="other"), expires_at=self.desk.clock.now + 10_000
        )
        self.opened(other)
        self.line.notices.clear()
        await until(lambda: self.looks.begun)
        return other


@pytest.fixture
async def setting(desk: Desk) -> AsyncIterator[Setting]:
    """One that looks at nothing yet."""
    made = Setting(desk)
    yield made
    await made.watch.aclose()


async def test_people_are_told_when_it_starts(setting: Setting) -> None:
    """Only of what waits for people."""
    setting.opened(a_pending(obligation=ONE_HUMAN))
    setting.opened(a_pending(obligation=ONE_AGENT))
    setting.opened(a_pending(obligation=ANYBODY))
    assert setting.line.events == [Event.WAITING, Event.WAITING]


async def test_a_refusal_is_told_once(setting: Setting) -> None:
    """Wherever it was said."""
    await setting.beside()
    pending = await setting.desk.opened(obligation=ONE_HUMAN)
    setting.opened(pending)
    await setting.looks.once()
    refused = msgspec.structs.replace(pending, status=Status.REFUSED, refused_by="bob")
    assert await setting.desk.waiting.replace(pending, refused)
    await setting.looks.once()
    await setting.looks.once()
    assert setting.line.events == [Event.WAITING, Event.REFUSED]
    assert "bob" in setting.line.notices[1].body


async def test_an_expiry_is_told_once(setting: Setting) -> None:
    """The store has forgotten it by then."""
    await setting.beside()
    setting.opened(await setting.desk.opened(obligation=ONE_HUMAN))
    setting.desk.clock.advance(600)
    await setting.looks.once()
    await setting.looks.once()
    assert setting.line.events == [Event.WAITING, Event.EXPIRED]


async def test_what_was_carried_out_is_not_told(setting: Setting) -> None:
    """It is gone before its time."""
    await setting.beside()
    pending = await setting.desk.opened(obligation=ONE_HUMAN)
    setting.opened(pending)
    assert await setting.desk.waiting.claim(pending)
    await setting.looks.once()
    setting.desk.clock.advance(600)
    await setting.looks.once()
    assert setting.line.events == [Event.WAITING]


async def test_a_renewed_call_is_told_anew_and_watched_on(setting: Setting) -> None:
    """With its new picture and its new end."""
    await setting.beside()
    pending = await setting.desk.opened(obligation=ONE_HUMAN)
    setting.opened(pending)
    renewed = msgspec.structs.replace(pending, obligation=ANYBODY, expires_at=pending.expires_at + 600)
    assert await setting.desk.waiting.replace(pending, renewed)
    setting.opened(renewed)
    setting.desk.clock.advance(601)
    await setting.looks.once()
    assert setting.line.events == [Event.WAITING, Event.WAITING]
    setting.desk.clock.advance(600)
    await setting.looks.once()
    assert setting.line.events[2:] == [Event.EXPIRED]


async def test_a_store_that_is_away_is_asked_again(setting: Setting) -> None:
    """Nobody is told what nobody knows."""

    class Away:
        """A store that is not there at first."""

        def __init__(self) -> None:
            self.asked = 0

        async def find(self, key: str) -> Pending | None:
            """See ``Waiting.find``."""
            self.asked += 1
            if self.asked == 1:
                raise StoreUnavailable("away")
            return await setting.desk.waiting.find(key)

    away, looks, line = Away(), Looks(), Line()
    watch = Watch(away, line, console_url="https://gate.example", now=setting.desk.clock, sleep=looks)
    pending = await setting.desk.opened(obligation=ONE_HUMAN)
    watch.opened(pending, {}, None)
    await until(lambda: looks.begun)
    await looks.once()
    refused = msgspec.structs.replace(pending, status=Status.REFUSED, refused_by="bob")
    assert await setting.desk.waiting.replace(pending, refused)
    looks.release()
    await until(lambda: len(line.events) == 2)
    assert line.events == [Event.WAITING, Event.REFUSED]
    await watch.aclose()


async def test_a_flood_is_told_but_not_watched(setting: Setting) -> None:
    """The looking is bounded."""
    for number in range(MAX_WATCHED + 5):
        setting.opened(a_pending(obligation=ONE_HUMAN, binding=a_binding(tool=f"t{number}")))
    assert len(setting.line.events) == MAX_WATCHED + 5

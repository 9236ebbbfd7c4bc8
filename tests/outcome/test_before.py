"""What is at the target is looked up once, under a deadline, and stays with whoever decides."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from gateway.errors import UpstreamUnavailable
from gateway.outcome.before import MAX_CHANGES, NO_ANSWER, NOT_READABLE, NOT_THERE, SUFFIX, Row, Standing
from gateway.outcome.view import Before, Change, View, render, with_before
from gateway.upstream.target import Effect, Reply
from tests.support.clock import ManualClock
from tests.support.walking import PAY, SERVER, KeepingUpstream, a_call, an_asked, done


class Bills:
    """The read shows a price; what the call makes of it is in its arguments."""

    def lookup_for(self, tool: str, arguments: Mapping[str, Any]) -> tuple[str, dict[str, Any]] | None:
        """See ``StandingRules``."""
        return ("show_bill", {"bill": arguments["bill"]}) if tool == PAY else None

    def rows(
        self, tool: str, arguments: Mapping[str, Any], structured: Mapping[str, Any]
    ) -> Sequence[Row] | None:
        """See ``StandingRules``."""
        del tool, arguments
        if "price" not in structured:
            return None
        return [("Price", structured["price"], "12.00 USD"), *[("More", 1, None)] * structured.get("more", 0)]


def standing(upstream: KeepingUpstream, *, deadline_s: float = 5.0) -> Standing:
    """Looks at that target."""
    return Standing({SERVER: Bills()}, {SERVER: upstream}, now=ManualClock(), deadline_s=deadline_s)


def a_view() -> View:
    """The picture of the usual call."""
    return render(
        server=SERVER, tool=PAY, arguments={"bill": "b1"}, money=None, asked_by="agent", reasons=("why",)
    )


async def test_now_and_then_stand_beside_each_other() -> None:
    """One read, under a key that is not the call's; texts are made visible, and flagged."""
    upstream = KeepingUpstream()
    upstream.reply = done({"structuredContent": {"price": "9.00\u202e USD"}})
    found = await standing(upstream).of(an_asked())
    assert found is not None
    assert found.changes == (
        Change(name="Price", now="9.00<U+202E> USD", becomes="12.00 USD", flags=("invisible", "not_ascii")),
    )
    [(tool, arguments, transaction_id, _)] = upstream.calls
    assert (tool, arguments) == ("show_bill", {"bill": "b1"})
    assert transaction_id.endswith(SUFFIX)
    assert len(transaction_id) <= 38


async def test_what_moves_comes_first_and_what_nobody_told_is_left_out() -> None:
    """A person reads from the top."""

    class Mixed(Bills):
        """A row of each kind."""

        def rows(
            self, tool: str, arguments: Mapping[str, Any], structured: Mapping[str, Any]
        ) -> Sequence[Row] | None:
            """See ``StandingRules``."""
            del tool, arguments, structured
            return [("Payee", "shop", None), ("Due", None, None), ("Same", "1", "1"), ("Price", "9", "12")]

    upstream = KeepingUpstream()
    upstream.reply = done({"structuredContent": {"price": "9"}})
    found = await Standing({SERVER: Mixed()}, {SERVER: upstream}, now=ManualClock()).of(an_asked())
    assert found is not None
    assert [one.name for one in found.changes] == ["Price", "Payee", "Same"]


async def test_what_changes_nothing_is_not_looked_at() -> None:
    """Nor is what nobody wrote rules for."""
    upstream = KeepingUpstream()
    assert await standing(upstream).of(an_asked(a_call("make_invoice", {"bill": "b1"}))) is None
    assert await Standing({}, {SERVER: upstream}, now=ManualClock()).of(an_asked()) is None
    assert upstream.calls == []


async def test_a_target_that_is_slow_or_gone_holds_nobody_up() -> None:
    """The picture says that it could not be read."""

    async def for_ever(tool: str, arguments: Mapping[str, Any]) -> Reply:
        del tool, arguments
        await asyncio.Event().wait()
        raise AssertionError

    slow, gone = KeepingUpstream(), KeepingUpstream()
    slow.reply, gone.reply = for_ever, UpstreamUnavailable("Not there.")
    for one in (standing(slow, deadline_s=0.01), standing(gone)):
        found = await one.of(an_asked())
        assert found is not None
        assert (found.unreadable, found.changes) == (NO_ANSWER, ())


async def test_an_answer_that_says_nothing_is_said_to_be_unreadable() -> None:
    """An error, another shape, nothing of that id, something that breaks: no row is made up."""
    error = msgspec.structs.replace(done(), is_error=True)
    unknown = Reply(effect=Effect.UNKNOWN)
    missing = Reply(effect=Effect.REFUSED, status=404, is_error=True)
    broken = msgspec.structs.replace(done(), result=msgspec.Raw(b"[[["))
    other = done({"structuredContent": {"cost": 1}})
    for reply, said in (
        (error, NOT_READABLE),
        (unknown, NOT_READABLE),
        (broken, NOT_READABLE),
        (done(), NOT_READABLE),
        (other, NOT_READABLE),
        (RuntimeError("a bug"), NOT_READABLE),
        (missing, NOT_THERE),
    ):
        upstream = KeepingUpstream()
        upstream.reply = reply
        found = await standing(upstream).of(an_asked())
        assert found is not None
        assert (found.unreadable, found.changes) == (said, ())


async def test_a_long_answer_is_cut() -> None:
    """No target fills the page, or the store."""
    upstream = KeepingUpstream()
    upstream.reply = done({"structuredContent": {"price": "1", "more": 5000}})
    found = await standing(upstream).of(an_asked())
    assert found is not None
    assert len(found.changes) == MAX_CHANGES


def test_the_hash_covers_what_was_found() -> None:
    """Another value, another time, not readable: another picture. None: the picture alone."""
    view = a_view()
    row = Change(name="Price", now="9.00", becomes="12.00")
    pictures = [
        with_before(view, Before(at=1, changes=(row,))),
        with_before(view, Before(at=2, changes=(row,))),
        with_before(view, Before(at=1, changes=(msgspec.structs.replace(row, now="8.00"),))),
        with_before(view, Before(at=1, unreadable=NO_ANSWER)),
        view,
    ]
    assert len({one.view_hash for one in pictures}) == len(pictures)
    assert with_before(view, None) == view

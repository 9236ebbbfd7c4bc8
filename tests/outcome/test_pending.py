"""Tokens and pending calls: once, briefly, and for exactly what they were given for."""

import asyncio
import re
from pathlib import Path

import msgspec
import pytest

from gateway.errors import TokenRefused
from gateway.outcome.pending import Pending, Status, Waiting
from gateway.state.sqlite import SqliteStore
from gateway.state.store import Space, Store
from tests.support.clock import ManualClock
from tests.support.waiting import a_binding, a_pending, a_signature

HOSTILE_TOKENS = [
    "",
    "0" * 63,
    "0" * 65,
    "A" * 64,
    "0" * 63 + "\n",
    "\u0660" * 64,
    "\ud800" * 64,
    "0" * 63 + "\x00",
    "repeat:" + "0" * 57,
    "x" * 100_000,
]


async def grant(waiting: Waiting, ttl_s: int = 30) -> str:
    """A token for the usual call."""
    token, _ = await waiting.grant(a_binding(), transaction_id="t1", revision="r1", ttl_s=ttl_s)
    return token


async def test_a_token_is_64_hex_digits_and_never_the_same(waiting: Waiting) -> None:
    """256 bits of the system's generator, so no two agree."""
    tokens = [await grant(waiting) for _ in range(200)]
    assert all(re.fullmatch(r"[0-9a-f]{64}", token) for token in tokens)
    assert len(set(tokens)) == len(tokens)


async def test_the_store_never_sees_a_token(waiting: Waiting, store_path: Path, store: Store) -> None:
    """Whoever copies the state file can execute nothing with it."""
    tokens = [await grant(waiting) for _ in range(3)]
    await waiting.present(tokens[0])
    assert len(await store.entries(Space.HANDSHAKE, limit=10)) == 2
    kept = b"".join(path.read_bytes() for path in store_path.parent.iterdir())
    assert b"transaction_id" in kept
    for token in tokens:
        assert token.encode() not in kept
        assert bytes.fromhex(token) not in kept


async def test_a_token_stands_for_what_it_was_granted_for(waiting: Waiting, clock: ManualClock) -> None:
    """Everything that was said at the grant comes back when it is presented."""
    token, life = await waiting.grant(
        a_binding(), transaction_id="t1", revision="r1", ttl_s=30, view_hash="e" * 64
    )
    granted = await waiting.present(token)
    assert granted is not None
    assert (granted.transaction_id, granted.binding, granted.revision) == ("t1", a_binding(), "r1")
    assert (granted.granted_at, granted.expires_at, life) == (clock.now, clock.now + 30, 30)
    assert granted.view_hash == "e" * 64


async def test_of_200_presenters_one_gets_it(waiting: Waiting, store_path: Path, clock: ManualClock) -> None:
    """Also when half of them come through another connection to the same file."""
    token = await grant(waiting)
    second = SqliteStore(store_path, now=clock)
    try:
        other = Waiting(second, now=clock)
        presenters = [(waiting if i % 2 else other).present(token) for i in range(200)]
        found = await asyncio.gather(*presenters)
    finally:
        await second.aclose()
    assert sum(one is not None for one in found) == 1


@pytest.mark.parametrize("token", HOSTILE_TOKENS)
async def test_what_is_no_token_is_nothing(waiting: Waiting, token: str) -> None:
    """It never reaches the store, so it can neither break it nor name another kind of entry."""
    await waiting.grant_repeat(a_binding(), transaction_id="t1", revision="r1", ttl_s=30)
    assert await waiting.present(token) is None


@pytest.mark.parametrize(("after", "good"), [(0, True), (29.999, True), (30, False), (31, False)])
async def test_a_token_ends_by_its_record(
    wall_store: Store, clock: ManualClock, after: float, *, good: bool
) -> None:
    """A store that forgets nothing does not lengthen a token's life, and a token that is over is gone too."""
    waiting = Waiting(wall_store, now=clock)
    token = await grant(waiting)
    clock.advance(after)
    assert (await waiting.present(token) is not None) is good
    clock.advance(-after)
    assert await waiting.present(token) is None


@pytest.mark.parametrize(("after", "good"), [(29.9, True), (30, False)])
async def test_a_token_ends_by_the_store(
    store: Store, clock: ManualClock, after: float, *, good: bool
) -> None:
    """A gateway whose clock stands still does not lengthen it either."""
    waiting = Waiting(store, now=ManualClock())
    token = await grant(waiting)
    clock.advance(after)
    assert (await waiting.present(token) is not None) is good


@pytest.mark.parametrize(
    ("asked", "life"), [(30, 30), (60, 60), (61, 60), (86_400, 60), (1, 1), (0, 1), (-5, 1)]
)
async def test_no_token_lives_longer_than_a_minute(
    wall_store: Store, clock: ManualClock, asked: int, life: int
) -> None:
    """Whatever the policy asks for; the settings can only shorten it."""
    waiting = Waiting(wall_store, now=clock, token_ttl_cap_s=10_000)
    token, told = await waiting.grant(a_binding(), transaction_id="t1", revision="r1", ttl_s=asked)
    assert told == life
    clock.advance(life)
    assert await waiting.present(token) is None
    shorter = Waiting(wall_store, now=clock, token_ttl_cap_s=5)
    _, told = await shorter.grant(a_binding(), transaction_id="t1", revision="r1", ttl_s=asked)
    assert told == min(5, life)


async def test_a_record_that_cannot_be_read_is_no_grant(waiting: Waiting, store: Store) -> None:
    """Whatever stands in the store under a token's digest: not a grant, not an error."""
    token = await grant(waiting)
    ((key, _),) = await store.entries(Space.HANDSHAKE, limit=2)
    for damaged in (b"", b"null", b"{}", b"\xff", b'{"transaction_id":"t1"}'):
        await store.put(Space.HANDSHAKE, key, damaged, ttl_s=30)
        assert await waiting.present(token) is None


@pytest.mark.parametrize("member", ["principal", "server", "tool", "definition_hash", "arguments_hash"])
async def test_a_repeat_is_for_exactly_the_same_call(waiting: Waiting, member: str) -> None:
    """Where the dialect carries no token, one different member finds nothing, and the right one finds it once."""
    await waiting.grant_repeat(a_binding(), transaction_id="t1", revision="r1", ttl_s=30)
    assert await waiting.present_repeat(a_binding(**{member: "other"})) is None
    assert await waiting.present_repeat(a_binding()) is not None
    assert await waiting.present_repeat(a_binding()) is None


async def test_no_two_bindings_share_a_key() -> None:
    """Also where one member's end could be read as the next one's beginning."""
    one = a_binding(server="bank", tool='pay","x')
    other = a_binding(server='bank","tool":"pay', tool="x")
    assert len({one.key(), other.key(), a_binding().key()}) == 3


async def test_the_first_to_open_waits(waiting: Waiting, clock: ManualClock) -> None:
    """A second opening of the same call changes nothing and is told what waits already."""
    first = a_pending()
    assert await waiting.open(first) == first
    assert await waiting.open(a_pending(transaction_id="another")) == first
    assert await waiting.waiting() == [first]


async def test_what_waits_ends_by_its_record(wall_store: Store, clock: ManualClock) -> None:
    """The store may still have it: it waits no longer, is not listed, and nobody executes it."""
    waiting = Waiting(wall_store, now=clock)
    pending = await waiting.open(a_pending())
    clock.now = pending.expires_at
    assert await waiting.current(pending.key) is None
    assert await waiting.waiting() == []
    assert not await waiting.claim(pending)
    assert await waiting.find(pending.key) == pending


async def test_what_waits_ends_by_the_store(store: Store, clock: ManualClock) -> None:
    """A gateway whose clock stands still executes nothing that is over."""
    waiting = Waiting(store, now=ManualClock())
    pending = await waiting.open(a_pending())
    clock.advance(600)
    assert await waiting.find(pending.key) is None
    assert not await waiting.claim(pending)


async def test_of_two_changes_one_is_written(waiting: Waiting) -> None:
    """Compare-and-set: whoever saw an older state has to look again."""
    pending = await waiting.open(a_pending())
    signed = msgspec.structs.replace(pending, confirmations=(a_signature(pending),))
    refused = msgspec.structs.replace(pending, status=Status.REFUSED, refused_by="bob")
    changes = await asyncio.gather(waiting.replace(pending, signed), waiting.replace(pending, refused))
    assert sorted(changes) == [False, True]
    assert await waiting.current(pending.key) in (signed, refused)


async def test_nothing_is_changed_that_is_over(waiting: Waiting, clock: ManualClock) -> None:
    """A signature that comes too late is not written."""
    pending = await waiting.open(a_pending())
    clock.now = pending.expires_at
    assert not await waiting.replace(pending, msgspec.structs.replace(pending, refused_by="bob"))


async def test_of_200_claimants_one_executes(waiting: Waiting, store_path: Path, clock: ManualClock) -> None:
    """One set of signatures, one execution, across processes."""
    pending = await waiting.open(a_pending())
    second = SqliteStore(store_path, now=clock)
    try:
        other = Waiting(second, now=clock)
        claims = await asyncio.gather(*((waiting if i % 2 else other).claim(pending) for i in range(200)))
    finally:
        await second.aclose()
    assert sum(claims) == 1
    assert await waiting.find(pending.key) is None


async def test_a_refusal_that_came_first_blocks_the_execution_and_stays(waiting: Waiting) -> None:
    """Between the judgement and the claim somebody says no: nothing runs, and the no is not lost with the try."""
    judged = await waiting.open(a_pending())
    refused = msgspec.structs.replace(judged, status=Status.REFUSED, refused_by="bob")
    assert await waiting.replace(judged, refused)
    assert not await waiting.claim(judged)
    assert await waiting.current(judged.key) == refused
    assert await waiting.open(a_pending(transaction_id="again")) == refused


async def test_what_was_refused_is_never_executed(waiting: Waiting) -> None:
    """Not even by whoever holds the refused record itself."""
    refused = await waiting.open(a_pending(status=Status.REFUSED, refused_by="bob"))
    assert not await waiting.claim(refused)


async def test_another_picture_is_not_executed(waiting: Waiting) -> None:
    """What is claimed must be what was judged, to the last member."""
    judged = await waiting.open(a_pending())
    moved = msgspec.structs.replace(judged, confirmations=(a_signature(judged),))
    assert await waiting.replace(judged, moved)
    assert not await waiting.claim(judged)
    assert await waiting.claim(moved)


async def test_after_an_execution_the_same_call_waits_anew(waiting: Waiting) -> None:
    """Paying the same bill twice takes two confirmations."""
    pending = await waiting.open(a_pending())
    assert await waiting.claim(pending)
    fresh = a_pending(transaction_id="another")
    assert await waiting.open(fresh) == fresh


async def test_nothing_waits_in_the_middle_of_an_execution(waiting: Waiting, store: Store) -> None:
    """Between claim and end the call neither waits nor can be opened beside."""
    pending = a_pending()
    await store.put(Space.PENDING, pending.key, b"claimed", ttl_s=60)
    assert await waiting.find(pending.key) is None
    assert await waiting.waiting() == []
    with pytest.raises(TokenRefused) as refused:
        await waiting.open(pending)
    assert refused.value.code == "confirm.in_progress"


async def test_what_waits_is_listed_oldest_first(waiting: Waiting) -> None:
    """A refused call is listed too: it would still wait."""
    made: list[Pending] = [
        a_pending(
            binding=a_binding(arguments_hash=str(i) * 64),
            created_at=1_795_224_000.0 - i,
            status=Status.REFUSED if i == 2 else Status.WAITING,
        )
        for i in (1, 3, 2)
    ]
    for one in made:
        await waiting.open(one)
    assert [one.created_at for one in await waiting.waiting()] == sorted(one.created_at for one in made)

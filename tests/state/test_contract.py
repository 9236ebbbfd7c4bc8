"""What every store promises, asked of SQLite and of a real Redis."""

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.errors import StoreUnavailable
from gateway.state.store import (
    COUNTER_MAX,
    MAX_ENTRIES,
    MAX_KEY_BYTES,
    MAX_TTL_S,
    MAX_VALUE_BYTES,
    Space,
    Store,
)
from tests.support.stores import Stores

HOSTILE_KEYS = {
    "a NUL": "a\0b",
    "a prefix of it": "a",
    "a glob": "*",
    "a class": "[a-z]?",
    "a colon": "pending:a",
    "a newline": "a\r\nDEL a\r\n",
    "SQL": "'; DROP TABLE entry; --",
    "a lone surrogate": "\ud800",
    "beyond the BMP": "\U0001f4a3",
    "composed": "\u00e9",
    "decomposed": "e\u0301",
    "blanks": "  ",
    "the longest": "k" * MAX_KEY_BYTES,
}


async def test_put_replaces_and_get_reads(store: Store) -> None:
    """The last value put is the one that is read, also through another store."""
    await store.put(Space.PENDING, "k", b"one", ttl_s=None)
    await store.put(Space.PENDING, "k", b"two", ttl_s=30)

    assert await store.get(Space.PENDING, "k") == b"two"
    assert await store.get(Space.PENDING, "other") is None


async def test_what_one_store_wrote_another_reads(stores: Stores) -> None:
    """State belongs to the file or the server, not to the process that wrote it."""
    await stores.another().put(Space.APPROVAL, "k", b"v", ttl_s=None)

    assert await stores.another().get(Space.APPROVAL, "k") == b"v"


async def test_add_is_told_true_once(store: Store) -> None:
    """A second add changes nothing, neither the value nor its expiry."""
    assert await store.add(Space.LOGIN, "k", b"one", ttl_s=None)
    assert not await store.add(Space.LOGIN, "k", b"two", ttl_s=1)
    assert await store.get(Space.LOGIN, "k") == b"one"


async def test_add_succeeds_over_an_expired_value(stores: Stores, store: Store) -> None:
    """What is expired does not stand in the way, purged or not."""
    await store.add(Space.LOGIN, "k", b"one", ttl_s=30)
    stores.advance(30)

    assert await store.add(Space.LOGIN, "k", b"two", ttl_s=30)
    assert await store.get(Space.LOGIN, "k") == b"two"


async def test_take_gives_the_value_once(store: Store) -> None:
    """After a take nothing is left, for anybody."""
    await store.put(Space.HANDSHAKE, "k", b"v", ttl_s=30)

    assert await store.take(Space.HANDSHAKE, "k") == b"v"
    assert await store.take(Space.HANDSHAKE, "k") is None
    assert await store.get(Space.HANDSHAKE, "k") is None


async def test_spaces_are_apart(store: Store) -> None:
    """A login link can never be presented as a handshake token."""
    for space in Space:
        await store.put(space, "k", space.value.encode(), ttl_s=None)
    await store.take(Space.LOGIN, "k")

    left = {space: await store.get(space, "k") for space in Space}
    assert left == {space: None if space is Space.LOGIN else space.value.encode() for space in Space}


async def test_one_of_200_concurrent_takes_wins(stores: Stores) -> None:
    """R025: 200 executes of one token, over four stores; one gets it."""
    four = [stores.another() for _ in range(4)]
    await four[0].put(Space.HANDSHAKE, "token", b"v", ttl_s=30)

    taken = await asyncio.gather(*(four[n % 4].take(Space.HANDSHAKE, "token") for n in range(200)))
    assert sorted(taken, key=bool) == [None] * 199 + [b"v"]


async def test_one_of_50_concurrent_adds_wins(stores: Stores) -> None:
    """Insert-only is decided by the store, not by a look before the write."""
    two = [stores.another(), stores.another()]

    won = await asyncio.gather(
        *(two[n % 2].add(Space.FIRST_SEEN, "k", b"%d" % n, ttl_s=None) for n in range(50))
    )
    assert won.count(True) == 1
    assert await two[0].get(Space.FIRST_SEEN, "k") == b"%d" % won.index(True)


async def test_one_of_50_concurrent_swaps_wins(stores: Stores) -> None:
    """Two approvers who saw the same pending call: one of them decides it."""
    two = [stores.another(), stores.another()]
    await two[0].put(Space.PENDING, "k", b"waiting", ttl_s=None)

    won = await asyncio.gather(
        *(
            two[n % 2].swap(Space.PENDING, "k", expected=b"waiting", value=b"%d" % n, ttl_s=60)
            for n in range(50)
        )
    )
    assert won.count(True) == 1
    assert await two[0].get(Space.PENDING, "k") == b"%d" % won.index(True)


async def test_swap_needs_the_expected_value(stores: Stores, store: Store) -> None:
    """No value, another value, an expired value: false, and nothing changes."""
    assert not await store.swap(Space.PENDING, "k", expected=b"", value=b"x", ttl_s=None)
    await store.put(Space.PENDING, "k", b"a\0b", ttl_s=30)
    assert not await store.swap(Space.PENDING, "k", expected=b"a", value=b"x", ttl_s=None)
    assert await store.swap(Space.PENDING, "k", expected=b"a\0b", value=b"c", ttl_s=30)
    stores.advance(30)
    assert not await store.swap(Space.PENDING, "k", expected=b"c", value=b"x", ttl_s=None)
    assert await store.get(Space.PENDING, "k") is None


@pytest.mark.parametrize(("ttl_s", "left"), [(None, b"new"), (100.0, b"new"), (10.0, None)])
async def test_swap_sets_the_expiry_anew(
    stores: Stores, store: Store, ttl_s: float | None, left: bytes | None
) -> None:
    """The expiry after a swap is the swap's, longer, shorter or none."""
    await store.put(Space.PENDING, "k", b"old", ttl_s=30)
    await store.swap(Space.PENDING, "k", expected=b"old", value=b"new", ttl_s=ttl_s)
    stores.advance(50)

    assert await store.get(Space.PENDING, "k") == left


async def test_expiry_is_exact(stores: Stores, store: Store) -> None:
    """A second before its time a value is there; at its time it is not, for no method."""
    for key in ("get", "take", "entries"):
        await store.put(Space.HANDSHAKE, key, b"v", ttl_s=30)
    stores.advance(29)
    assert await store.get(Space.HANDSHAKE, "get") == b"v"
    assert len(await store.entries(Space.HANDSHAKE, limit=10)) == 3
    stores.advance(1)

    assert await store.get(Space.HANDSHAKE, "get") is None
    assert await store.take(Space.HANDSHAKE, "take") is None
    assert await store.entries(Space.HANDSHAKE, limit=10) == []


async def test_no_expiry_means_none(stores: Stores, store: Store) -> None:
    """An approval without a time to live is there years later."""
    await store.put(Space.APPROVAL, "k", b"v", ttl_s=30)
    await store.put(Space.APPROVAL, "k", b"v", ttl_s=None)
    stores.advance(MAX_TTL_S)

    assert await store.get(Space.APPROVAL, "k") == b"v"


async def test_values_are_bytes_untouched(store: Store) -> None:
    """NUL, every byte value, nothing at all, and the largest allowed."""
    for n, value in enumerate([b"", b"\0", b"a\0b\0", bytes(range(256)), b"\0" * MAX_VALUE_BYTES]):
        await store.put(Space.PENDING, f"k{n}", value, ttl_s=30)
        assert await store.get(Space.PENDING, f"k{n}") == value
        assert await store.take(Space.PENDING, f"k{n}") == value


async def test_hostile_keys_stay_apart(store: Store) -> None:
    """No key reaches another key, another space, or the language of the store."""
    for why, key in HOSTILE_KEYS.items():
        assert await store.add(Space.SESSION, key, why.encode(), ttl_s=None), why
    await store.put(Space.PENDING, "a", b"other space", ttl_s=None)

    found = await store.entries(Space.SESSION, limit=100)
    by_bytes = sorted(HOSTILE_KEYS.items(), key=lambda item: item[1].encode("utf-8", "surrogatepass"))
    assert found == [(key, why.encode()) for why, key in by_bytes]
    for why, key in HOSTILE_KEYS.items():
        assert await store.take(Space.SESSION, key) == why.encode(), why
    assert await store.get(Space.PENDING, "a") == b"other space"


async def test_entries_are_limited_and_in_order(store: Store) -> None:
    """The first by key, whatever the order of insertion."""
    for n in range(30, 0, -1):
        await store.put(Space.PENDING, f"{n:02}", b"%d" % n, ttl_s=None)

    assert await store.entries(Space.PENDING, limit=3) == [("01", b"1"), ("02", b"2"), ("03", b"3")]
    assert len(await store.entries(Space.PENDING, limit=MAX_ENTRIES)) == 30
    assert await store.entries(Space.LOGIN, limit=3) == []


async def test_entries_are_read_page_by_page(store: Store) -> None:
    """Beyond a key, whether it is still there or not; each entry once, none of another space."""
    for n in range(1, 8):
        await store.put(Space.PENDING, f"{n:02}", b"%d" % n, ttl_s=None)
    await store.put(Space.SESSION, "05", b"other", ttl_s=None)
    assert [key for key, _ in await store.entries(Space.PENDING, limit=3, after="02")] == ["03", "04", "05"]
    await store.take(Space.PENDING, "05")
    assert [key for key, _ in await store.entries(Space.PENDING, limit=3, after="05")] == ["06", "07"]
    assert await store.entries(Space.PENDING, limit=3, after="07") == []


async def test_counters_count(stores: Stores, store: Store) -> None:
    """Up and down; the time to live is the first one's; expired counters begin again."""
    assert await store.increment(Space.COUNTER, "k", 5, ttl_s=60) == 5
    stores.advance(59)
    assert await store.increment(Space.COUNTER, "k", -7, ttl_s=600) == -2
    assert await store.get(Space.COUNTER, "k") == b"-2"
    stores.advance(1)
    assert await store.get(Space.COUNTER, "k") is None
    assert await store.increment(Space.COUNTER, "k", 1, ttl_s=60) == 1


async def test_concurrent_increments_lose_nothing(stores: Stores) -> None:
    """100 increments through two stores are 100, and every caller sees another number."""
    two = [stores.another(), stores.another()]

    seen = await asyncio.gather(*(two[n % 2].increment(Space.COUNTER, "k", 1, ttl_s=60) for n in range(100)))
    assert sorted(seen) == list(range(1, 101))


async def test_counters_are_exact_64_bit_integers(store: Store) -> None:
    """Above 2**53 too; past 63 bits it is refused and the counter stays."""
    assert await store.increment(Space.COUNTER, "k", 2**53 + 1, ttl_s=60) == 2**53 + 1
    assert await store.increment(Space.COUNTER, "max", COUNTER_MAX, ttl_s=60) == COUNTER_MAX
    for by in (1, 2**63):
        with pytest.raises(ValueError, match="64 bits"):
            await store.increment(Space.COUNTER, "max", by, ttl_s=60)
    assert await store.get(Space.COUNTER, "max") == str(COUNTER_MAX).encode()


async def test_incrementing_what_is_no_counter_is_refused(store: Store) -> None:
    """A value of another kind is not overwritten."""
    await store.put(Space.COUNTER, "k", b"\xff", ttl_s=None)

    with pytest.raises(ValueError, match="not a counter"):
        await store.increment(Space.COUNTER, "k", 1, ttl_s=60)
    assert await store.get(Space.COUNTER, "k") == b"\xff"


@pytest.mark.parametrize("ttl_s", [0, -1, float("nan"), float("inf"), MAX_TTL_S * 2])
async def test_a_time_to_live_out_of_bounds_is_refused(store: Store, ttl_s: float) -> None:
    """Nothing is stored, and nothing that should expire lives for ever."""
    for write in (
        store.put(Space.LOGIN, "k", b"v", ttl_s=ttl_s),
        store.add(Space.LOGIN, "k", b"v", ttl_s=ttl_s),
        store.swap(Space.LOGIN, "k", expected=b"", value=b"v", ttl_s=ttl_s),
        store.increment(Space.LOGIN, "k", 1, ttl_s=ttl_s),
    ):
        with pytest.raises(ValueError, match="time to live"):
            await write
    assert await store.get(Space.LOGIN, "k") is None


@pytest.mark.parametrize("key", ["", "k" * (MAX_KEY_BYTES + 1), "é" * MAX_KEY_BYTES])
async def test_keys_out_of_bounds_are_refused(store: Store, key: str) -> None:
    """Empty keys and keys that are too long in bytes."""
    with pytest.raises(ValueError, match="a key has"):
        await store.get(Space.LOGIN, key)


async def test_values_and_limits_out_of_bounds_are_refused(store: Store) -> None:
    """One byte too many, no entry, too many entries."""
    with pytest.raises(ValueError, match="a value has"):
        await store.put(Space.LOGIN, "k", b"v" * (MAX_VALUE_BYTES + 1), ttl_s=None)
    for limit in (0, -1, MAX_ENTRIES + 1):
        with pytest.raises(ValueError, match="a limit is"):
            await store.entries(Space.LOGIN, limit=limit)


async def test_a_closed_store_is_unavailable(store: Store) -> None:
    """Closing twice is harmless, using it afterwards is an error of the tree."""
    await store.ping()
    await store.aclose()
    await store.aclose()

    with pytest.raises(StoreUnavailable):
        await store.ping()
    with pytest.raises(StoreUnavailable):
        await store.take(Space.LOGIN, "k")


async def test_a_cancelled_caller_does_not_disturb_the_next(store: Store) -> None:
    """Callers that hang up at any moment never make another caller read their answer."""
    for n in range(20):
        await store.put(Space.SESSION, f"k{n}", b"%d" % n, ttl_s=None)
    for n in range(20):
        task = asyncio.ensure_future(store.get(Space.SESSION, f"k{n}"))
        for _ in range(n % 5):
            await asyncio.sleep(0)
        task.cancel()

    assert [await store.get(Space.SESSION, f"k{n}") for n in range(20)] == [b"%d" % n for n in range(20)]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(key=st.text(min_size=1, max_size=200), value=st.binary(max_size=500))
async def test_anything_put_is_taken_unchanged(store: Store, key: str, value: bytes) -> None:
    """Whatever the key and the value, what comes out is what went in."""
    await store.put(Space.SESSION, key, value, ttl_s=60)

    assert await store.entries(Space.SESSION, limit=2) == [(key, value)]
    assert await store.take(Space.SESSION, key) == value

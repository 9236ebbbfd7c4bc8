"""The registry of signing keys: one store, several processes, one truth."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from gateway.errors import StoreUnavailable
from gateway.idp.errors import IdpRefused, KeyMissing
from gateway.idp.key import GRACE_S
from gateway.idp.key_book import RING, KeyBook
from gateway.idp.key_files import KeyFiles
from gateway.state.open import open_store
from gateway.state.store import Space, Store

PROPAGATION_S = 900


class Clock:
    """Unix seconds that a test moves."""

    def __init__(self) -> None:
        self.seconds = time.time()

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture(params=["sqlite", "redis"])
async def opened(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Callable[[], Store]]:
    """Opens stores over one state."""
    url = (
        f"sqlite:///{tmp_path / 'state.sqlite3'}"
        if request.param == "sqlite"
        else request.getfixturevalue("redis_url")
    )
    stores: list[Store] = []

    def another() -> Store:
        stores.append(open_store(url))
        return stores[-1]

    yield another
    for one in stores:
        await one.aclose()


def book(store: Store, folder: Path, clock: Clock) -> KeyBook:
    """One process's view."""
    return KeyBook(store, KeyFiles(folder), algorithm="ES256", propagation_s=PROPAGATION_S, now=clock)


async def test_processes_that_start_at_once_make_one_key(opened: Callable[[], Store], tmp_path: Path) -> None:
    """Whoever loses the race takes the winner's, and leaves no file behind."""
    clock = Clock()
    books = [book(opened(), tmp_path / "keys", clock) for _ in range(4)]
    rings = await asyncio.gather(*(one.ensure() for one in books))
    assert len({one.keys[0].kid for one in rings}) == 1
    assert len(rings[0].keys) == 1
    signers = await asyncio.gather(*(one.signer() for one in books))
    assert len({key.kid for key, _ in signers}) == 1
    assert [path.stem for path in (tmp_path / "keys").iterdir()] == [rings[0].keys[0].kid]


async def test_a_rotation_is_seen_by_all_and_comes_into_force_at_one_time(
    opened: Callable[[], Store], tmp_path: Path
) -> None:
    """Another process signs with the new key as soon as it is due, without being told."""
    clock = Clock()
    mine, other = (book(opened(), tmp_path / "keys", clock) for _ in range(2))
    old, _ = await mine.signer()
    await mine.rotate(by="ops")
    assert (await other.signer())[0].kid == old.kid
    clock.seconds += PROPAGATION_S
    new, private = await other.signer()
    assert new.kid != old.kid
    assert private is (await other.signer())[1], "read once"
    assert {one.kid for one in (await mine.read()).vouching(clock())} == {old.kid, new.kid}


async def test_two_rotations_at_once_are_one(opened: Callable[[], Store], tmp_path: Path) -> None:
    """The other one is refused, and its key is nowhere."""
    clock = Clock()
    mine, other = (book(opened(), tmp_path / "keys", clock) for _ in range(2))
    await mine.ensure()
    done = await asyncio.gather(mine.rotate(by="a"), other.rotate(by="b"), return_exceptions=True)
    assert sorted(type(one).__name__ for one in done) == ["IdpRefused", "KeyRing"]
    ring = await mine.read()
    assert len(ring.keys) == 2
    assert {path.stem for path in (tmp_path / "keys").iterdir()} == {one.kid for one in ring.keys}


async def test_a_revoked_key_signs_nothing_anywhere_from_now_on(
    opened: Callable[[], Store], tmp_path: Path
) -> None:
    """Its private half is deleted; a process that had it loaded uses it no more."""
    clock = Clock()
    mine, other = (book(opened(), tmp_path / "keys", clock) for _ in range(2))
    bad, _ = await other.signer()
    ring = await mine.revoke(bad.kid, by="ops", reason="stolen")
    assert bad.kid not in {one.kid for one in ring.vouching(clock())}
    assert (await other.signer())[0].kid != bad.kid
    assert bad.kid not in {path.stem for path in (tmp_path / "keys").iterdir()}


async def test_the_private_half_of_a_retired_key_goes_with_the_next_change(tmp_path: Path) -> None:
    """What signs no more need not lie around; its public half vouches on."""
    clock, store = Clock(), open_store(f"sqlite:///{tmp_path / 'state.sqlite3'}")
    mine = book(store, tmp_path / "keys", clock)
    old, _ = await mine.signer()
    await mine.rotate(by="ops", at_once=True)
    await mine.rotate(by="ops")
    assert old.kid not in {path.stem for path in (tmp_path / "keys").iterdir()}
    assert old.kid in {one.kid for one in (await mine.read()).vouching(clock())}
    clock.seconds += GRACE_S
    assert old.kid not in {one.kid for one in (await mine.read()).vouching(clock())}
    await store.aclose()


async def test_a_rotation_can_be_hastened(tmp_path: Path) -> None:
    """The waiting key, not yet another one."""
    clock, store = Clock(), open_store(f"sqlite:///{tmp_path / 'state.sqlite3'}")
    mine = book(store, tmp_path / "keys", clock)
    await mine.ensure()
    waiting = (await mine.rotate(by="ops")).keys[-1]
    with pytest.raises(IdpRefused):
        await mine.rotate(by="ops")
    await mine.rotate(by="ops", at_once=True)
    assert (await mine.signer())[0].kid == waiting.kid
    assert len((await mine.read()).keys) == 2
    await store.aclose()


async def test_without_its_file_a_machine_signs_nothing(tmp_path: Path) -> None:
    """It says so; it does not make another key that nobody asked for."""
    clock, store = Clock(), open_store(f"sqlite:///{tmp_path / 'state.sqlite3'}")
    await book(store, tmp_path / "keys", clock).ensure()
    elsewhere = book(store, tmp_path / "another-machine", clock)
    with pytest.raises(KeyMissing) as missing:
        await elsewhere.signer()
    assert missing.value.code == "idp.key_missing"
    assert len((await elsewhere.read()).keys) == 1
    await store.aclose()


async def test_a_registry_that_cannot_be_read_is_no_empty_one(tmp_path: Path) -> None:
    """Else a broken document would be answered by new keys."""
    store = open_store(f"sqlite:///{tmp_path / 'state.sqlite3'}")
    await store.put(Space.IDP, RING, b"{", ttl_s=None)
    mine = book(store, tmp_path / "keys", Clock())
    with pytest.raises(StoreUnavailable) as broken:
        await mine.ensure()
    assert broken.value.code == "idp.unreadable"
    await store.aclose()


async def test_uses_are_counted(opened: Callable[[], Store], tmp_path: Path) -> None:
    """For all processes (R122)."""
    clock = Clock()
    mine, other = (book(opened(), tmp_path / "keys", clock) for _ in range(2))
    kid = (await mine.ensure()).keys[0].kid
    assert await mine.uses(kid) == 0
    await asyncio.gather(mine.count_use(kid), other.count_use(kid))
    assert await mine.uses(kid) == 2

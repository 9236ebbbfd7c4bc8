"""What every store promises of reservations, asked of SQLite and of a real Redis."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.errors import StoreUnavailable
from gateway.state.ledger import AMOUNT_MAX, MAX_LINES, Extent, Ledger, Line, Mode, Standing
from gateway.state.open import open_store
from gateway.state.store import Store
from tests.support.stores import Stores

ROOT = Path(__file__).parents[2]


def line(amount: int, *, account: str = "a", bound: int = 100, ttl_s: float = 60) -> Line:
    """One account of a reservation."""
    return Line(account=account, amount=amount, bound=bound, ttl_s=ttl_s)


async def hold(ledger: Ledger, name: str, *lines: Line, mode: Mode = Mode.HOLD) -> bool:
    """Whether it fitted."""
    return (await ledger.reserve(name, lines, mode=mode)).fits


async def standing(ledger: Ledger, account: str = "a") -> Standing:
    """What the account stands at; nothing, where there is no such account."""
    return dict(await ledger.accounts(limit=100)).get(account, Standing())


async def test_what_fits_is_reserved_and_no_more(store: Store) -> None:
    """Up to the bound itself; what does not fit changes nothing and is told what the others have."""
    assert await hold(store, "one", line(60))
    assert await hold(store, "two", line(40), mode=Mode.COMMIT)
    refused = await store.reserve("three", [line(1)], mode=Mode.HOLD)
    assert (refused.fits, refused.others) == (False, (Standing(60, 40),))
    assert await hold(store, "nothing", line(0))
    assert await standing(store) == Standing(60, 40)


async def test_all_lines_or_none(store: Store) -> None:
    """One account that is full keeps the others as they were."""
    assert await hold(store, "one", line(90, account="full"))
    refused = await store.reserve("two", [line(5), line(20, account="full")], mode=Mode.COMMIT)
    assert (refused.fits, refused.others) == (False, (Standing(), Standing(90)))
    assert await standing(store) == Standing()
    assert await hold(store, "two", line(5), line(10, account="full"))


async def test_one_name_counts_once(store: Store) -> None:
    """A transaction that is reserved again, in its next phase, is not in its own way, and not counted twice."""
    assert await hold(store, "one", line(80))
    again = await store.reserve("one", [line(90)], mode=Mode.HOLD)
    assert (again.fits, again.others) == (True, (Standing(),))
    assert await hold(store, "one", line(90), mode=Mode.COMMIT)
    assert await standing(store) == Standing(0, 90)
    assert await hold(store, "one", line(10))
    assert await standing(store) == Standing(0, 90), "what is committed neither shrinks nor is held again"


async def test_a_hold_lapses_by_itself(stores: Stores, store: Store) -> None:
    """With its time, to the instant, without anybody sweeping; a committed one with its own."""
    assert await hold(store, "one", line(100, ttl_s=30))
    stores.advance(29)
    assert not await hold(store, "two", line(1))
    stores.advance(1)
    assert await hold(store, "two", line(100, ttl_s=3600), mode=Mode.COMMIT)
    stores.advance(3599)
    assert not await hold(store, "three", line(1))
    stores.advance(1)
    assert await standing(store) == Standing()
    assert await store.accounts(limit=10) == []
    assert await hold(store, "three", line(100))


async def test_no_entry_ends_sooner_than_it_did(stores: Stores, store: Store) -> None:
    """A later phase with a shorter life does not free what an earlier one keeps."""
    assert await hold(store, "one", line(100, ttl_s=600))
    assert await hold(store, "one", line(100, ttl_s=10))
    stores.advance(599)
    assert not await hold(store, "two", line(1))


async def test_the_window_slides(stores: Stores, store: Store) -> None:
    """Attack: the limit just before an edge, and again just after it. There is no edge."""
    spent = []
    for second in range(0, 200, 10):
        if await hold(store, f"t{second}", line(25, ttl_s=60), mode=Mode.COMMIT):
            spent.append(second)
        stores.advance(10)
    for start in range(200):
        assert sum(start <= second < start + 60 for second in spent) <= 4
    assert len(spent) == 14


@pytest.mark.parametrize("extent", Extent)
async def test_what_is_given_back(store: Store, extent: Extent) -> None:
    """On every account of the name, and of no other name; a committed share by share."""
    lines = (line(10), line(20, account="b"))
    for name in ("held", "committed", "twice", "other"):
        assert await hold(store, name, *lines)
    assert await hold(store, "committed", *lines, mode=Mode.COMMIT)
    for mode in (Mode.COMMIT, Mode.COMMIT, Mode.RESUME):
        assert await hold(store, "twice", *lines, mode=mode)
    for name in ("held", "committed", "twice", "nobody"):
        await store.release(name, extent=extent)
    left = {Extent.HELD: Standing(10, 20), Extent.ONE: Standing(10, 10), Extent.ALL: Standing(10, 0)}
    assert await standing(store) == left[extent]
    assert await standing(store, "b") == Standing(*(2 * one for one in pair_of(left[extent])))
    await store.release("twice", extent=Extent.ONE)
    expected = {Extent.HELD: Standing(10, 20), Extent.ONE: Standing(10), Extent.ALL: Standing(10)}
    assert await standing(store) == expected[extent]


def pair_of(one: Standing) -> tuple[int, int]:
    """As a pair."""
    return one.held, one.committed


async def test_who_resumes_is_counted_once(store: Store) -> None:
    """The second round of one call has no share of its own; without a first round it has one."""
    assert await hold(store, "one", line(10), mode=Mode.COMMIT)
    assert await hold(store, "one", line(10), mode=Mode.RESUME)
    await store.release("one", extent=Extent.ONE)
    assert await standing(store) == Standing()
    assert await hold(store, "one", line(10), mode=Mode.RESUME)
    assert await standing(store) == Standing(0, 10)


async def test_of_many_at_once_only_as_many_fit(stores: Stores) -> None:
    """100 through two stores at once, each a tenth of the bound: ten."""
    two = [stores.another(), stores.another()]
    done = await asyncio.gather(*(hold(two[n % 2], f"t{n}", line(10), mode=Mode.COMMIT) for n in range(100)))
    assert sum(done) == 10
    assert await standing(two[0]) == Standing(0, 100)


def a_worker(url: str, name: str) -> subprocess.Popen[str]:
    """A process that will reserve 40 times."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.state.reserve_worker", url, name, "40", "100"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("kind", ["sqlite", "redis"])
async def test_of_four_processes_only_as_many_fit(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """160 reservations of 3 on two accounts by four operating system processes: 33 fit in 100, on both."""
    url = f"sqlite:///{tmp_path}/state.db" if kind == "sqlite" else request.getfixturevalue("redis_url")
    store = open_store(url)
    await store.ping()
    workers = [a_worker(url, f"w{seed}") for seed in range(4)]
    for worker in workers:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    won = [line for worker in workers for line in worker.communicate()[0].splitlines()]

    assert [worker.returncode for worker in workers] == [0] * 4
    assert len(set(won)) == len(won) == 33
    assert await store.accounts(limit=9) == [("one", Standing(0, 99)), ("other", Standing(0, 99))]
    await store.aclose()


async def test_sums_are_exact_up_to_the_largest_amount(store: Store) -> None:
    """Where doubles are still whole numbers, and %.14g is not: one too many is one too many."""
    most = line(AMOUNT_MAX - 1, bound=AMOUNT_MAX)
    assert await hold(store, "most", most, mode=Mode.COMMIT)
    refused = await store.reserve("two", [line(2, bound=AMOUNT_MAX)], mode=Mode.HOLD)
    assert (refused.fits, refused.others) == (False, (Standing(0, AMOUNT_MAX - 1),))
    assert await hold(store, "one", line(1, bound=AMOUNT_MAX))
    assert await standing(store) == Standing(1, AMOUNT_MAX - 1)
    await store.release("most", extent=Extent.ALL)
    assert await standing(store) == Standing(1)


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [line(1), line(1)],
        [line(-1)],
        [line(AMOUNT_MAX + 1)],
        [line(1, bound=-1)],
        [line(1, bound=AMOUNT_MAX + 1)],
        [line(1, ttl_s=0)],
        [line(1, account="")],
        [line(1, account=str(n)) for n in range(MAX_LINES + 1)],
    ],
)
async def test_what_is_out_of_bounds_is_refused(store: Store, lines: list[Line]) -> None:
    """A mistake of the calling code; nothing is reserved."""
    with pytest.raises(ValueError, match=r"reservation|amount|time to live|key"):
        await store.reserve("one", lines, mode=Mode.HOLD)
    assert await store.accounts(limit=9) == []


async def test_hostile_names_name_one_account_each(store: Store) -> None:
    """Prefixes, globs, colons, NULs and what is not UTF-8."""
    names = ["a", "a:b", "a\0b", "*", "row:a", "\ud800", "é", "k" * 1000]
    for n, name in enumerate(names):
        assert await hold(store, name, line(n, account=name))
    expected = {name: Standing(n) for n, name in enumerate(names)}
    assert dict(await store.accounts(limit=100)) == expected
    in_order = sorted(names, key=lambda name: name.encode("utf-8", "surrogatepass"))
    first = await store.accounts(limit=2)
    assert [name for name, _ in first] == in_order[:2]
    assert [name for name, _ in await store.accounts(limit=100, after=first[1][0])] == in_order[2:]
    for name in names:
        await store.release(name, extent=Extent.HELD)
    assert await store.accounts(limit=100) == []


async def test_a_closed_store_reserves_nothing(store: Store) -> None:
    """It is unavailable, as for everything else."""
    await store.aclose()
    with pytest.raises(StoreUnavailable):
        await store.reserve("one", [line(1)], mode=Mode.HOLD)
    with pytest.raises(StoreUnavailable):
        await store.release("one", extent=Extent.ALL)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["hold", "commit", "resume", "held", "one", "all"]),
        st.sampled_from(["x", "y", "z"]),
        st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 60)), min_size=1, max_size=2),
    ),
    max_size=20,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
async def test_any_sequence_is_as_the_plain_sums_say(
    store: Store, steps: list[tuple[str, str, list[tuple[str, int]]]]
) -> None:
    """Against a model of a few lines: entries by account and name, each with an amount and its shares."""
    model: dict[tuple[str, str], tuple[int, int]] = {}
    for action, name, wanted in steps:
        if action in set(Extent):
            await store.release(name, extent=Extent(action))
            for key in [key for key in model if key[1] == name]:
                amount, refs = model[key]
                if action == "one" and refs > 1:
                    model[key] = (amount, refs - 1)
                elif action != "held" or refs == 0:
                    del model[key]
            continue
        lines = [line(amount, account=account) for account, amount in dict(wanted).items()]
        entered = {}
        for one in lines:
            amount, refs = model.get((one.account, name), (0, 0))
            shares = {"hold": refs, "commit": refs + 1, "resume": max(refs, 1)}[action]
            entered[one.account, name] = (max(amount, one.amount) if refs else one.amount, shares)
        fits = all(
            sum(
                amount for (account, _), (amount, _) in {**model, **entered}.items() if account == one.account
            )
            <= one.bound
            for one in lines
        )
        assert await hold(store, name, *lines, mode=Mode(action)) == fits
        if fits:
            model |= entered
    expected: dict[str, Standing] = {}
    for (account, _), (amount, refs) in model.items():
        was = expected.get(account, Standing())
        expected[account] = Standing(
            was.held + (0 if refs else amount), was.committed + (amount if refs else 0)
        )
    assert dict(await store.accounts(limit=100)) == expected
    for name in "xyz":
        await store.release(name, extent=Extent.ALL)

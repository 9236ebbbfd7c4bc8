"""What is this tool, now? Fresh enough, once for all who ask, and never a guess."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.catalog.approvals import Approvals
from gateway.catalog.catalog import MAX_TOOLS, Catalog
from gateway.catalog.definition import read_definition
from gateway.catalog.drift import Drift, drift
from gateway.catalog.first import FIRST_SEEN_TTL_S
from gateway.catalog.pins import make_pins
from gateway.catalog.tool import Approval, EtdiStatus
from gateway.errors import StoreUnavailable, UnknownTool, UpstreamUnavailable
from gateway.state.sqlite import SqliteStore
from gateway.state.store import Space
from tests.support.clock import ManualClock
from tests.support.walking import SERVER, KeepingUpstream, a_definition


class Shelf:
    """A catalog over one server, with everything it stands on."""

    def __init__(
        self, folder: Path, *wires: dict[str, Any], pins: dict[tuple[str, str], Approval] | None = None
    ) -> None:
        self.folder = folder
        self.clock = ManualClock()
        self.store = SqliteStore(folder / "state.sqlite3", now=self.clock)
        self.upstream = KeepingUpstream(SERVER, *(wires or (a_definition("read"), a_definition("pay"))))
        self.approvals = Approvals(self.store, pins=pins or {}, now=self.clock)
        self.catalog = self.restarted()

    def restarted(self) -> Catalog:
        """A catalog that knows nothing yet."""
        upstreams = {SERVER: self.upstream}
        return Catalog(upstreams, self.approvals, self.store, now=self.clock)

    async def approve(self, name: str) -> None:
        """As it is listed now."""
        assert isinstance(self.upstream.wires, list)
        wire = next(one for one in self.upstream.wires if one["name"] == name)
        await self.approvals.approve(SERVER, read_definition(wire), by="ops", expires=None)

    def change(self, name: str, **members: Any) -> None:
        """The server changes a definition, as a rug pull does."""
        assert isinstance(self.upstream.wires, list)
        self.upstream.wires = [
            {**one, **members} if one["name"] == name else one for one in self.upstream.wires
        ]


@pytest.fixture
async def shelf(tmp_path: Path) -> AsyncIterator[Shelf]:
    """Two tools, none approved."""
    shelf = Shelf(tmp_path)
    yield shelf
    await shelf.store.aclose()


async def test_a_tool_is_what_the_server_lists(shelf: Shelf) -> None:
    """With its parts, its schema, and when it was first seen."""
    entry = await shelf.catalog.current(SERVER, "pay", sensitive=True)
    assert entry.tool.name == "pay"
    assert entry.tool.definition_hash == read_definition(a_definition("pay")).definition_hash
    assert entry.tool.etdi.status is EtdiStatus.UNVERIFIED
    assert entry.tool.first_seen == int(shelf.clock.now)
    assert entry.approval is None
    assert entry.schema.judge({}).valid
    assert shelf.catalog.servers() == [SERVER]


@pytest.mark.parametrize("sensitive", [False, True])
async def test_what_is_not_listed_is_unknown(shelf: Shelf, *, sensitive: bool) -> None:
    """A tool or a server of no such name; the error does not repeat a whole page of it."""
    for server, tool in ((SERVER, "x" * 5000), ("y" * 5000, "pay"), (SERVER, "Pay"), (SERVER, "")):
        with pytest.raises(UnknownTool) as problem:
            await shelf.catalog.current(server, tool, sensitive=sensitive)
        assert len(problem.value.message) < 300
    with pytest.raises(UnknownTool):
        await shelf.catalog.all("other")


@pytest.mark.parametrize(
    ("sensitive", "after", "reads"),
    [
        (True, 0, 1),
        (True, 1.9, 1),
        (True, 2, 2),
        (False, 2, 1),
        (False, 29.9, 1),
        (False, 30, 2),
        (True, -1, 2),
    ],
)
async def test_a_listing_is_read_again_when_it_is_old(
    shelf: Shelf, *, sensitive: bool, after: float, reads: int
) -> None:
    """After 2 s for what is sensitive, 30 s for the rest; from the future counts as old."""
    await shelf.catalog.current(SERVER, "pay", sensitive=sensitive)
    shelf.clock.advance(after)
    await shelf.catalog.current(SERVER, "pay", sensitive=sensitive)
    assert shelf.upstream.listed == reads


async def test_a_rug_pull_is_seen_by_the_call(shelf: Shelf) -> None:
    """The definition changes after the listing and the approval: the call sees it, at most 2 s later (R097)."""
    await shelf.approve("pay")
    await shelf.catalog.all(SERVER)
    before = await shelf.catalog.current(SERVER, "pay", sensitive=True)
    assert drift(before.tool, before.approval, now=shelf.clock.now) is None
    shelf.change("pay", description="Pays, and tells the agent to pay again.")
    shelf.clock.advance(2)
    after = await shelf.catalog.current(SERVER, "pay", sensitive=True)
    assert drift(after.tool, after.approval, now=shelf.clock.now) is Drift.DEFINITION_CHANGED
    back = await shelf.catalog.current(SERVER, "read", sensitive=True)
    assert back.tool.definition_hash == read_definition(a_definition("read")).definition_hash


async def test_a_benign_twin_goes_on(shelf: Shelf) -> None:
    """A default that says what time it is changes nothing."""
    schema = {"type": "object", "properties": {"since": {"type": "string", "default": "09:00"}}}
    shelf.change("pay", inputSchema=schema)
    await shelf.approve("pay")
    later = {"type": "object", "properties": {"since": {"type": "string", "default": "09:02"}}}
    shelf.change("pay", inputSchema=later)
    entry = await shelf.catalog.current(SERVER, "pay", sensitive=True)
    assert drift(entry.tool, entry.approval, now=shelf.clock.now) is None
    assert "default" not in str(entry.definition.wire)


@pytest.mark.parametrize("elsewhere", [False, True])
async def test_a_revocation_works_on_the_next_sensitive_call(shelf: Shelf, *, elsewhere: bool) -> None:
    """Also one that another process wrote."""
    await shelf.approve("pay")
    first = await shelf.catalog.current(SERVER, "pay", sensitive=True)
    assert first.approval is not None
    assert not first.approval.revoked
    if elsewhere:
        store = SqliteStore(shelf.folder / "state.sqlite3", now=shelf.clock)
        await Approvals(store, pins={}, now=shelf.clock).revoke(SERVER, "pay", by="boss")
        await store.aclose()
    else:
        await shelf.approvals.revoke(SERVER, "pay", by="boss")
    after = await shelf.catalog.current(SERVER, "pay", sensitive=True)
    assert drift(after.tool, after.approval, now=shelf.clock.now) is Drift.APPROVAL_REVOKED


async def test_a_revocation_of_another_tool_works_within_two_seconds(shelf: Shelf) -> None:
    """Classes 4 and 5 do not ask the store for every call; nor do they wait for the next listing."""
    await shelf.approve("read")
    await shelf.catalog.current(SERVER, "read", sensitive=False)
    await shelf.approvals.revoke(SERVER, "read", by="boss")
    shelf.clock.advance(1.9)
    early = await shelf.catalog.current(SERVER, "read", sensitive=False)
    assert early.approval is not None
    assert not early.approval.revoked
    shelf.clock.advance(0.1)
    late = await shelf.catalog.current(SERVER, "read", sensitive=False)
    assert late.approval is not None
    assert late.approval.revoked
    assert shelf.upstream.listed == 1


async def test_a_listing_shows_approvals_as_they_are(shelf: Shelf) -> None:
    """In the server's order, as fresh as a call of class 4 would see them."""
    shelf.upstream.wires = [a_definition(name) for name in ("z", "a", "m")]
    first = await shelf.catalog.all(SERVER)
    assert [entry.tool.name for entry in first] == ["z", "a", "m"]
    await shelf.approve("a")
    shelf.clock.advance(2)
    assert [entry.approval is not None for entry in await shelf.catalog.all(SERVER)] == [False, True, False]


@pytest.mark.parametrize(
    "second",
    [
        a_definition("pay"),
        a_definition("pay", description="another"),
        {"name": "pay"},
        {"name": "pay", "inputSchema": 5},
    ],
    ids=["twice the same", "another", "one without a schema", "one with a broken schema"],
)
async def test_two_tools_of_one_name_vanish(shelf: Shelf, second: dict[str, Any]) -> None:
    """Nobody can say which one a call would reach; the others stay."""
    for wires in (
        [a_definition("pay"), second, a_definition("read")],
        [second, a_definition("read"), a_definition("pay")],
    ):
        shelf.upstream.wires = wires
        assert [entry.tool.name for entry in await shelf.restarted().all(SERVER)] == ["read"]


async def test_a_tool_that_cannot_be_read_leaves_the_others(shelf: Shelf) -> None:
    """One broken definition is no reason to lose a server."""
    deep: Any = {}
    for _ in range(300):
        deep = {"not": deep}
    shelf.upstream.wires = [
        {"name": ""},
        {},
        a_definition("bad", inputSchema=None),
        a_definition("deep", inputSchema=deep),
        a_definition("read"),
    ]
    names = [entry.tool.name for entry in await shelf.catalog.all(SERVER)]
    assert "read" in names
    assert "bad" not in names


async def test_a_server_that_lists_too_much_is_unavailable(shelf: Shelf) -> None:
    """Nobody could have approved that."""
    shelf.upstream.wires = [a_definition(f"t{i}") for i in range(MAX_TOOLS + 1)]
    with pytest.raises(UpstreamUnavailable):
        await shelf.catalog.all(SERVER)


class Gate:
    """Holds a listing until the test lets it go on."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.open = asyncio.Event()

    async def __call__(self) -> None:
        """Wait."""
        self.reached.set()
        await self.open.wait()


async def queued(shelf: Shelf, gate: Gate, callers: int) -> list["asyncio.Task[Any]"]:
    """One caller who has asked the server, and others who wait for it."""
    shelf.upstream.listing = gate
    first = asyncio.create_task(shelf.catalog.current(SERVER, "pay", sensitive=True))
    await gate.reached.wait()
    others = [
        asyncio.create_task(shelf.catalog.current(SERVER, "pay", sensitive=True)) for _ in range(callers)
    ]
    await asyncio.sleep(0)
    return [first, *others]


async def test_many_who_ask_are_one_question(shelf: Shelf) -> None:
    """Fifty calls at once read the listing once."""
    gate = Gate()
    tasks = await queued(shelf, gate, 50)
    gate.open.set()
    entries = await asyncio.gather(*tasks)
    assert {entry.tool.name for entry in entries} == {"pay"}
    assert shelf.upstream.listed == 1


async def test_a_slow_listing_is_not_read_for_each_in_turn(shelf: Shelf) -> None:
    """Each takes longer than it stays fresh: those who waited read it once more, together, not one by one."""
    gate = Gate()
    tasks = await queued(shelf, gate, 50)

    async def slow() -> None:
        shelf.clock.advance(10)

    shelf.clock.advance(10)
    shelf.upstream.listing = slow
    gate.open.set()
    await asyncio.gather(*tasks)
    assert shelf.upstream.listed == 2


async def test_a_dead_server_fails_all_who_wait_at_once(shelf: Shelf) -> None:
    """A server that hangs must not hang for each of them in turn; the next question is asked anew."""
    gate = Gate()
    tasks = await queued(shelf, gate, 50)
    shelf.upstream.wires = UpstreamUnavailable("gone", code="upstream.not_sent")
    gate.open.set()
    said = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(one, UpstreamUnavailable) and one.code == "upstream.not_sent" for one in said)
    assert shelf.upstream.listed == 1
    shelf.upstream.wires = [a_definition("pay")]
    assert (await shelf.catalog.current(SERVER, "pay", sensitive=True)).tool.name == "pay"


async def test_whoever_hangs_up_takes_nobody_along(shelf: Shelf) -> None:
    """The reader is cancelled; the next in line reads."""
    gate = Gate()
    tasks = await queued(shelf, gate, 3)
    tasks[0].cancel()
    gate.open.set()
    said = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(said[0], asyncio.CancelledError)
    names = [entry.tool.name for entry in said if not isinstance(entry, BaseException)]
    assert names == ["pay"] * 3


@pytest.mark.parametrize("sensitive", [False, True])
async def test_a_listing_that_is_too_old_is_no_answer(shelf: Shelf, *, sensitive: bool) -> None:
    """The server died after it was listed: while the listing is fresh it serves, then nothing does."""
    await shelf.catalog.current(SERVER, "pay", sensitive=sensitive)
    shelf.upstream.wires = UpstreamUnavailable("gone")
    shelf.clock.advance(1)
    await shelf.catalog.current(SERVER, "pay", sensitive=sensitive)
    shelf.clock.advance(30)
    with pytest.raises(UpstreamUnavailable):
        await shelf.catalog.current(SERVER, "pay", sensitive=sensitive)


async def test_without_the_store_there_is_no_approval_to_be_had(shelf: Shelf) -> None:
    """Sensitive at once, the rest when what they know is too old: nothing is taken for approved."""
    await shelf.approve("pay")
    await shelf.catalog.current(SERVER, "pay", sensitive=False)
    await shelf.store.aclose()
    with pytest.raises(StoreUnavailable):
        await shelf.catalog.current(SERVER, "pay", sensitive=True)
    shelf.clock.advance(2)
    with pytest.raises(StoreUnavailable):
        await shelf.catalog.current(SERVER, "pay", sensitive=False)


async def test_the_release_verifies_what_it_pins(tmp_path: Path) -> None:
    """By the hash and for the server of that name, not for another definition, and not against the operator."""
    wire = a_definition("pay")
    pins = {(SERVER, name): pin for name, pin in make_pins(SERVER, [wire], released=1).tools.items()}
    shelf = Shelf(tmp_path, wire, pins=pins)
    try:
        entry = await shelf.catalog.current(SERVER, "pay", sensitive=True)
        assert (entry.tool.etdi.status, entry.tool.etdi.evidence) == (EtdiStatus.VERIFIED, "release")
        assert entry.approval == pins[SERVER, "pay"]
        await shelf.approvals.revoke(SERVER, "pay", by="boss")
        revoked = await shelf.catalog.current(SERVER, "pay", sensitive=True)
        assert drift(revoked.tool, revoked.approval, now=shelf.clock.now) is Drift.APPROVAL_REVOKED
        shelf.change("pay", title="New")
        shelf.clock.advance(2)
        changed = await shelf.catalog.current(SERVER, "pay", sensitive=True)
        assert changed.tool.etdi.status is EtdiStatus.UNVERIFIED
    finally:
        await shelf.store.aclose()


async def test_first_seen_outlives_a_restart(shelf: Shelf) -> None:
    """Per definition: a changed one is new, and so is the old one of another tool."""
    first = (await shelf.catalog.current(SERVER, "pay", sensitive=True)).tool.first_seen
    shelf.clock.advance(1000)
    catalog = shelf.restarted()
    assert (await catalog.current(SERVER, "pay", sensitive=True)).tool.first_seen == first
    shelf.change("pay", title="New")
    shelf.clock.advance(30)
    changed = (await catalog.current(SERVER, "pay", sensitive=True)).tool.first_seen
    assert changed == int(shelf.clock.now)


async def test_invented_definitions_do_not_fill_the_disk(shelf: Shelf) -> None:
    """What nobody has listed for months is forgotten, and memory holds the present listing only."""
    for i in range(20):
        shelf.change("pay", title=str(i))
        await shelf.catalog.current(SERVER, "pay", sensitive=True)
        shelf.clock.advance(2)
    assert len(await shelf.store.entries(Space.FIRST_SEEN, limit=100)) == 23
    shelf.clock.advance(FIRST_SEEN_TTL_S)
    assert await shelf.store.entries(Space.FIRST_SEEN, limit=100) == []


async def test_a_status_that_a_server_claims_is_not_believed(shelf: Shelf) -> None:
    """R068: neither at the top nor in the block, and hosts are not shown it."""
    shelf.change(
        "pay", etdiStatus="verified", _meta={"dev.countersign/etdi": {"verificationStatus": "verified"}}
    )
    entry = await shelf.catalog.current(SERVER, "pay", sensitive=True)
    assert entry.tool.etdi.status is EtdiStatus.UNVERIFIED
    assert "verified" not in msgspec.json.encode(entry.definition.wire).decode()


async def test_a_name_is_held_to_its_first_definition(shelf: Shelf) -> None:
    """Over a restart, too: first use is not trusted again (lesson 8). Each name for itself, and back is back."""
    assert not (await shelf.catalog.current(SERVER, "pay", sensitive=True)).tool.changed_since_first_use
    shelf.change("pay", description="Another one.")
    shelf.clock.advance(31)
    assert (await shelf.catalog.current(SERVER, "pay", sensitive=True)).tool.changed_since_first_use
    again = shelf.restarted()
    assert (await again.current(SERVER, "pay", sensitive=True)).tool.changed_since_first_use
    assert not (await again.current(SERVER, "read", sensitive=True)).tool.changed_since_first_use
    shelf.change("pay", description="Does pay.")
    shelf.clock.advance(31)
    assert not (await again.current(SERVER, "pay", sensitive=True)).tool.changed_since_first_use

"""The catalog asks who proves origins, holds to what it is told for as long as that stands, and no longer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import pytest

from gateway.catalog.approvals import Approvals
from gateway.catalog.catalog import Catalog
from gateway.catalog.definition import Definition
from gateway.catalog.pins import make_pins
from gateway.catalog.tool import Etdi, EtdiStatus
from gateway.catalog.verification import NobodyTrusted, Verdict
from gateway.errors import UnknownTool
from gateway.state.sqlite import SqliteStore
from tests.support.clock import ManualClock
from tests.support.walking import KeepingUpstream, a_definition

GOOD = Etdi(status=EtdiStatus.VERIFIED, evidence="token")
BAD = Etdi(status=EtdiStatus.TOKEN_INVALID, error="token_expired")
SERVER = "bank"


class Oracle:
    """Says what a test told it, by name, and counts."""

    def __init__(self) -> None:
        self.says: dict[str, Etdi] = {}
        self.asked: list[list[str]] = []
        self.standing = True

    async def verify(self, server: str, definitions: Sequence[Definition]) -> Sequence[Verdict]:
        """As told."""
        self.asked.append([one.name for one in definitions])
        return [Verdict(etdi=self.says.get(one.name, GOOD)) for one in definitions]

    def stands(self, verdict: Verdict) -> bool:
        """As told."""
        return self.standing or verdict.etdi == BAD


class Shelf:
    """A catalog over two tools."""

    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock()
        self.store = SqliteStore(folder / "state.sqlite3", now=self.clock)
        self.oracle = Oracle()
        wires = (a_definition("read"), a_definition("pay"))
        self.upstream = KeepingUpstream(SERVER, *wires)
        pins = {(SERVER, "read"): make_pins(SERVER, wires, released=1).tools["read"]}
        self.approvals = Approvals(self.store, pins=pins, now=self.clock)

    def catalog(self, admits: Callable[[Etdi], bool] | None = None) -> Catalog:
        """Knows nothing yet."""
        return Catalog(
            {SERVER: self.upstream},
            self.approvals,
            self.store,
            now=self.clock,
            verifier=self.oracle,
            admits=admits,
        )


@pytest.fixture
async def shelf(tmp_path: Path) -> AsyncIterator[Shelf]:
    """With ``read`` pinned."""
    made = Shelf(tmp_path)
    yield made
    await made.store.aclose()


async def test_what_is_proven_is_said(shelf: Shelf) -> None:
    """Once for a listing; a pin is the release's own word."""
    shelf.oracle.says = {"pay": BAD, "read": BAD}
    catalog = shelf.catalog()
    found = {entry.tool.name: entry.tool.etdi for entry in await catalog.all(SERVER)}
    assert found["pay"] == BAD
    assert (found["read"].status, found["read"].evidence) == (EtdiStatus.VERIFIED, "release")
    await catalog.current(SERVER, "pay", sensitive=True)
    assert shelf.oracle.asked == [["read", "pay"]]


@pytest.mark.parametrize("how", ["called", "listed"])
async def test_what_no_longer_stands_is_looked_at_anew(shelf: Shelf, how: str) -> None:
    """Although the listing is fresh; once, however many ask. A token that the server renewed is in the new listing."""
    catalog = shelf.catalog()

    async def etdi() -> Etdi:
        if how == "called":
            return (await catalog.current(SERVER, "pay", sensitive=False)).tool.etdi
        return {entry.tool.name: entry.tool.etdi for entry in await catalog.all(SERVER)}["pay"]

    assert await etdi() == GOOD
    shelf.oracle.standing, shelf.oracle.says = False, {"pay": BAD, "read": BAD}
    assert await asyncio.gather(*(etdi() for _ in range(20))) == [BAD] * 20
    assert await etdi() == BAD
    assert shelf.oracle.asked == [["read", "pay"], ["read", "pay"]]
    assert shelf.upstream.listed == 2


async def test_what_is_not_admitted_is_not_there(shelf: Shelf, caplog: pytest.LogCaptureFixture) -> None:
    """Neither listed nor called; the log says so once, and why."""
    shelf.oracle.says = {"pay": BAD}
    catalog = shelf.catalog(admits=lambda etdi: etdi.status is EtdiStatus.VERIFIED)
    assert [entry.tool.name for entry in await catalog.all(SERVER)] == ["read"]
    with pytest.raises(UnknownTool):
        await catalog.current(SERVER, "pay", sensitive=True)
    shelf.clock.advance(31)
    await catalog.all(SERVER)
    assert [one.message for one in caplog.records] == [
        "server bank: the tool 'pay' is left out: its origin is token_invalid"
    ]


async def test_a_definition_that_contradicts_itself_is_left_out(
    shelf: Shelf, caplog: pytest.LogCaptureFixture
) -> None:
    """The log says which, and why; the others stay."""
    wire = a_definition("pay", version="1.0", permissions=["a"])
    shelf.upstream.wires = [a_definition("read"), wire]
    assert [entry.tool.name for entry in await shelf.catalog().all(SERVER)] == ["read"]
    assert "'pay' is left out: the version of a tool is no semantic version" in caplog.text


async def test_without_a_verifier_nothing_is_proven(shelf: Shelf) -> None:
    """But what a release pins."""
    catalog = Catalog({SERVER: shelf.upstream}, shelf.approvals, shelf.store, now=shelf.clock)
    found = {entry.tool.name: entry.tool.etdi for entry in await catalog.all(SERVER)}
    assert found["pay"] == Etdi()
    assert found["read"].evidence == "release"
    assert NobodyTrusted().stands(Verdict(etdi=GOOD))


class Voucher:
    """Vouches until a test says otherwise, and counts how often it is asked."""

    def __init__(self) -> None:
        self.over = False
        self.asked = 0

    async def holds(self) -> bool:
        """As told."""
        self.asked += 1
        return not self.over


async def test_whoever_can_be_asked_is_asked_before_each_call(shelf: Shelf) -> None:
    """Sensitive or not: a revocation is not outlived. A listing is no call, and asks again after two seconds."""
    voucher = Voucher()

    class Vouching(Oracle):
        async def verify(self, server: str, definitions: Sequence[Definition]) -> Sequence[Verdict]:
            self.asked.append([one.name for one in definitions])
            if voucher.over:
                return [Verdict(etdi=BAD) for _ in definitions]
            return [Verdict(etdi=GOOD, standing=voucher) for _ in definitions]

    shelf.oracle = Vouching()
    catalog = shelf.catalog()
    for count in (1, 2):
        assert (await catalog.current(SERVER, "pay", sensitive=False)).tool.etdi == GOOD
        assert voucher.asked == count
    await catalog.all(SERVER)
    asked = voucher.asked
    await catalog.all(SERVER)
    assert voucher.asked == asked
    assert len(shelf.oracle.asked) == 1, "nobody is verified twice for it"
    voucher.over = True
    assert (await catalog.current(SERVER, "pay", sensitive=False)).tool.etdi == BAD
    assert len(shelf.oracle.asked) == 2

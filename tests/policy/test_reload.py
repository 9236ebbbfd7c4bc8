"""Saving a policy file changes the policy; saving half of one or a broken one does not."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.policy.embedded import Embedded
from gateway.policy.engine import PolicyRefused
from gateway.policy.reload import Reloader, ReloadEvent, stamp
from tests.support.policies import write_policy

EDIT: dict[str, str | None] = {"gateway/tools/data.yaml": "outcomes: {list_invoices: confirm}\n"}
BROKEN: dict[str, str | None] = {"gateway/decision/more.rego": "package gateway.decision\n\nx := {"}


class Watched:
    """A loaded folder, its engine, and what the reloader reported."""

    def __init__(self, folder: Path, engine: Embedded) -> None:
        self.folder = folder
        self.engine = engine
        self.events: list[ReloadEvent] = []
        self.reported = asyncio.Event()
        self.reloader = Reloader(folder, engine, report=self._report, interval_s=0.01)

    def _report(self, event: ReloadEvent) -> None:
        self.events.append(event)
        self.reported.set()


@pytest.fixture
async def watched(tmp_path: Path) -> AsyncIterator[Watched]:
    """The small policy, watched."""
    folder = write_policy(tmp_path)
    engine = await Embedded.load(folder)
    yield Watched(folder, engine)
    await engine.aclose()


async def test_nothing_changed(watched: Watched) -> None:
    """Without an edit nothing happens."""
    assert not await watched.reloader.check()
    assert not await watched.reloader.check()
    assert watched.events == []


async def test_an_edit_goes_live(watched: Watched) -> None:
    """Once."""
    old = watched.engine.revision
    write_policy(watched.folder.parent, EDIT)
    assert [await watched.reloader.check() for _ in range(2)] == [True, False]
    assert watched.engine.revision != old
    assert watched.events == [ReloadEvent(revision=watched.engine.revision, error=None)]


async def test_a_broken_edit_is_reported_once(watched: Watched) -> None:
    """The old policy stays, the report says why, and it is said again only for another edit."""
    old = watched.engine.revision
    write_policy(watched.folder.parent, BROKEN)
    assert [await watched.reloader.check() for _ in range(3)] == [True, False, False]
    (event,) = watched.events
    assert (event.revision, watched.engine.revision) == (old, old)
    assert "more.rego" in (event.error or "")
    (watched.folder / "decision/more.rego").unlink()
    assert [await watched.reloader.check() for _ in range(2)] == [True, False]
    assert watched.events[-1].error is None
    assert not (await watched.engine.ready()).stale


async def test_a_vanished_folder_is_no_new_policy(watched: Watched) -> None:
    """Deleting the files does not delete the policy that decides."""
    old = watched.engine.revision
    for path in watched.folder.rglob("*.*"):
        path.unlink()
    assert stamp(watched.folder) == ()
    assert [await watched.reloader.check() for _ in range(2)] == [True, False]
    assert watched.engine.revision == old
    assert watched.events[0].error is not None


class Writing:
    """An engine that is given half an edit, of which the other half is written meanwhile."""

    revision = "old"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.given = 0

    async def reload(self, folder: Path) -> None:
        """Refuse the half."""
        self.given += 1
        if self.given == 1:
            write_policy(self._folder.parent, EDIT)
            raise PolicyRefused("half of it")
        self.revision = "new"


async def test_half_of_an_edit_is_not_called_broken(tmp_path: Path) -> None:
    """It is looked at again when it is whole; nobody hears of the half."""
    folder = write_policy(tmp_path)
    engine, events = Writing(folder), list[ReloadEvent]()
    reloader = Reloader(folder, engine, report=events.append)
    write_policy(tmp_path, BROKEN)
    assert [await reloader.check() for _ in range(3)] == [False, True, False]
    assert events == [ReloadEvent(revision="new", error=None)]


async def test_run_notices_by_itself(watched: Watched) -> None:
    """The task looks again and again until it is cancelled."""
    task = asyncio.create_task(watched.reloader.run())
    write_policy(watched.folder.parent, EDIT)
    await watched.reported.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert watched.events[0].error is None

"""A clock, a real store, a real audit file, and a call that waits for agents."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.agents.countersigning import Countersigning
from gateway.audit.file_sink import FileSink
from gateway.audit.ledger import Audit
from gateway.books import Books
from gateway.outcome.pending import Pending, Waiting
from gateway.policy.decision import ConfirmObligation
from gateway.state.sqlite import SqliteStore
from tests.support.clock import ManualClock
from tests.support.waiting import a_pending

ONE_AGENT = ConfirmObligation(by=("agent",), min_assurance="agent")
ANYBODY = ConfirmObligation(by=("agent", "human"), min_assurance="agent")


@dataclass(kw_only=True)
class Desk:
    """Where agents' words are written, and what became of it."""

    clock: ManualClock
    waiting: Waiting
    signing: Countersigning
    audit_path: Path
    audit: Audit

    async def opened(self, **members: Any) -> Pending:
        """A call that waits, for one agent unless told otherwise."""
        return await self.waiting.open(a_pending(**{"obligation": ONE_AGENT, **members}))

    async def now(self) -> Pending:
        """The one call that waits, or was refused."""
        (pending,) = await self.waiting.waiting()
        return pending

    @property
    def records(self) -> list[dict[str, Any]]:
        """The audit's closing records, in order."""
        lines = [msgspec.json.decode(line) for line in self.audit_path.read_bytes().splitlines()]
        bodies = [line.get("record", line) for line in lines]
        return [one for one in bodies if one.get("phase") == "confirm" and one["status"] != "opened"]

    @property
    def reasons(self) -> list[list[str]]:
        """Their reason codes."""
        return [one["reasons"] for one in self.records]


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """Over a file each."""
    clock = ManualClock()
    store = SqliteStore(tmp_path / "state.sqlite3", now=clock)
    audit_path = tmp_path / "audit.jsonl"
    audit = Audit(FileSink(audit_path), service_version="0", environment="none", clock=clock)
    waiting = Waiting(store, now=clock)
    signing = Countersigning(waiting, Books(audit), now=clock)
    yield Desk(clock=clock, waiting=waiting, signing=signing, audit_path=audit_path, audit=audit)
    await audit.aclose()
    await store.aclose()

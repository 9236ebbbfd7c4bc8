"""Only answers of a revision that may decide are heard. The engine here is scripted; the real OPA: ``test_live.py``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from gateway.bundle.acceptance import Accepted, accept, read_accepted
from gateway.bundle.guard import GuardedEngine, Rollback
from gateway.errors import PolicyUnavailable
from gateway.policy.engine import Entrypoint, Evaluation, Readiness
from gateway.policy.vectors import VECTORS
from gateway.state.sqlite import SqliteStore
from tests.bundle.test_acceptance import a_revision

QUESTION = b'{"a":1}'
KNOWN = {vector.document for vector in VECTORS}
NO = msgspec.Raw(b'{"outcome":"deny","tools":{}}')
YES = msgspec.Raw(b'{"outcome":"allow","tools":{"x":{"outcome":"allow"}}}')
OLD, MIDDLE, NEW = (a_revision(number).text for number in (1, 2, 3))


class Scripted:
    """Says what it is told to, by the revision that it is told."""

    def __init__(self) -> None:
        self.revision = MIDDLE
        self.to_vectors = NO
        self.asked = 0
        self.changes_to: str | None = None

    async def evaluate(self, entrypoint: Entrypoint, document: bytes) -> Evaluation:
        """One answer."""
        del entrypoint
        self.asked += 1
        known = document in KNOWN
        if known and self.changes_to is not None:
            self.revision, self.changes_to = self.changes_to, None
        result = self.to_vectors if known else YES
        return Evaluation(result=result, revision=self.revision, engine="opa")

    async def ready(self) -> Readiness:
        """Always, by its own account."""
        return Readiness(ready=True, engine="opa", revision=self.revision)

    async def aclose(self) -> None:
        """Nothing to close."""


class Guarded:
    """A scripted engine and its guard, with a clock."""

    def __init__(self, store: SqliteStore, rollback: Rollback = "refuse") -> None:
        self.store = store
        self.time = 1000.0
        self.engine = Scripted()
        self.guard = GuardedEngine(self.engine, store, now=lambda: self.time, rollback=rollback, rollout_s=60)

    async def heard(self, revision: str) -> str:
        """The engine has this revision: its answer is heard, or the code that says why not."""
        self.engine.revision = revision
        try:
            evaluation = await self.guard.evaluate(Entrypoint.DECISION, QUESTION)
        except PolicyUnavailable as problem:
            assert not (await self.guard.ready()).ready
            return problem.code
        assert evaluation.result == YES
        assert (await self.guard.ready()).ready
        return evaluation.revision


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    """An empty store."""
    opened = SqliteStore(tmp_path / "state.sqlite3")
    yield opened
    await opened.aclose()


@pytest.fixture
def guarded(store: SqliteStore) -> Guarded:
    """As shipped."""
    return Guarded(store)


async def test_an_older_revision_is_not_heard(guarded: Guarded) -> None:
    """Not from this gateway, and not from one that starts afterwards."""
    assert await guarded.heard(MIDDLE) == MIDDLE
    assert await guarded.heard(NEW) == NEW
    assert await guarded.heard(OLD) == "policy.rolled_back"
    assert await Guarded(guarded.store).heard(OLD) == "policy.rolled_back"
    assert await guarded.heard(NEW) == NEW


async def test_the_one_before_may_leave_slowly(guarded: Guarded) -> None:
    """A sidecar that has not polled yet goes on for a moment; not longer, and only the one before."""
    for revision in (OLD, MIDDLE, NEW):
        assert await guarded.heard(revision) == revision
    assert await guarded.heard(MIDDLE) == MIDDLE
    assert await guarded.heard(OLD) == "policy.rolled_back"
    guarded.time += 60
    assert await guarded.heard(MIDDLE) == "policy.rolled_back"


async def test_two_revisions_of_one_sequence(guarded: Guarded) -> None:
    """Nobody can say which is newer: the first one stays."""
    assert await guarded.heard(MIDDLE) == MIDDLE
    assert await guarded.heard(a_revision(2, digest="b").text) == "policy.rolled_back"


async def test_what_another_gateway_accepted_is_known_after_a_look(guarded: Guarded) -> None:
    """And what an operator accepted."""
    other = Guarded(guarded.store)
    assert await guarded.heard(OLD) == OLD
    assert await other.heard(NEW) == NEW
    await guarded.guard.refresh()
    guarded.time += 60
    assert await guarded.heard(MIDDLE) == "policy.rolled_back"
    await accept(guarded.store, a_revision(2), by="olga", now=guarded.time)
    await guarded.guard.refresh()
    assert await guarded.heard(MIDDLE) == MIDDLE
    assert await guarded.heard(NEW) == "policy.rolled_back"


async def test_a_yes_to_everything_is_not_heard(guarded: Guarded) -> None:
    """A bundle that compiles, and is signed, and allows what nobody knows; and it is not accepted either."""
    assert await guarded.heard(MIDDLE) == MIDDLE
    guarded.engine.to_vectors = YES
    assert await guarded.heard(NEW) == "policy.unproven"
    accepted = await read_accepted(guarded.store)
    assert accepted is not None
    assert accepted.revision == MIDDLE
    guarded.engine.to_vectors = NO
    guarded.time += 1  # mended, under the same name
    assert await guarded.heard(NEW) == NEW


async def test_what_has_no_sequence(guarded: Guarded, store: SqliteStore) -> None:
    """A folder's revision decides, until something with a sequence did, or from the first on where that is set."""
    strict = Guarded(store, "strict")
    for revision in ("countersign-default-1", "unversioned", f"a={OLD};b={NEW}"):
        assert await guarded.heard(revision) == revision
        assert await strict.heard(revision) == "policy.unsequenced"
    assert await guarded.heard(f"other=1;policy={MIDDLE}") == f"other=1;policy={MIDDLE}"
    assert await guarded.heard("countersign-default-1") == "policy.unsequenced"
    assert await guarded.heard(f"other=1;policy={OLD}") == "policy.rolled_back"
    assert await guarded.heard(MIDDLE) == MIDDLE


async def test_where_nobody_looks(store: SqliteStore) -> None:
    """``allow``: older ones decide, nothing is written; a yes to everything is refused all the same."""
    guarded = Guarded(store, "allow")
    for revision in (NEW, OLD):
        assert await guarded.heard(revision) == revision
    assert await read_accepted(store) is None
    guarded.engine.to_vectors = YES
    assert await guarded.heard(MIDDLE) == "policy.unproven"


async def test_a_change_in_the_middle(guarded: Guarded) -> None:
    """The revision that answered is not the one that was proved: it is asked again, by the new one."""
    guarded.engine.changes_to = NEW
    assert await guarded.heard(MIDDLE) == NEW


async def test_a_call_does_not_pay_for_it(guarded: Guarded) -> None:
    """Once known, one question is one question, and the store is not needed: it may even be gone."""
    assert await guarded.heard(MIDDLE) == MIDDLE
    before = guarded.engine.asked
    await guarded.store.aclose()
    for _ in range(10):
        await guarded.guard.evaluate(Entrypoint.DECISION, QUESTION)
    assert guarded.engine.asked == before + 10
    assert await guarded.heard(OLD) == "policy.rolled_back"
    assert await guarded.heard(NEW) == "policy.revision_unknown"


def test_the_document_in_the_store() -> None:
    """Its form is a promise to gateways of other versions on the same store."""
    one = Accepted(revision=NEW, highest=3, at=1, before=MIDDLE)
    assert msgspec.json.decode(msgspec.json.encode(one)) == {
        "revision": NEW,
        "highest": 3,
        "at": 1,
        "before": MIDDLE,
        "by": None,
    }

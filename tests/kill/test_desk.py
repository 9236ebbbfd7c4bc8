"""Stopped first and recorded second, lifted the other way round."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from gateway.admin_book import Act
from gateway.console.permission import Permissions
from gateway.console.person import Person
from gateway.errors import AuditUnavailable, MalformedRequest, StoreUnavailable
from gateway.kill.desk import KillDesk, Stopped
from gateway.kill.order import MAX_ORDERS, encode
from gateway.kill.orders import KEY, read_orders
from gateway.kill.switch import KillSwitch
from gateway.state.sqlite import SqliteStore
from gateway.state.store import Space, Store
from tests.console.house import RolesPolicy, answer
from tests.kill.test_orders import an_order
from tests.support.clock import ManualClock

ANN = Person(issuer="urn:x", subject="ann", roles=("operator",), assurance="link")


class Full:
    """An audit that takes nothing."""

    async def administered(self, act: Act, *, allowed: bool, reasons: Sequence[str] = ()) -> None:
        """See ``ActAudit``."""
        raise AuditUnavailable("full")


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """Empty."""
    made = SqliteStore(tmp_path / "state.sqlite3", now=ManualClock())
    yield made
    await made.aclose()


@pytest.fixture
def desk(store: Store) -> KillDesk:
    """Everybody may, and nothing can be recorded."""
    policy = RolesPolicy(says=answer("allow", "admin.permitted", "yes"))
    return KillDesk(store, Permissions(policy), Full(), KillSwitch(store), now=ManualClock())


async def test_a_full_audit_keeps_nobody_from_stopping(store: Store, desk: KillDesk) -> None:
    """The error is told, and it is stopped all the same."""
    with pytest.raises(AuditUnavailable):
        await desk.stop(ANN, kind="caller", value="agent", within="", reason="Odd.")
    [order] = await read_orders(store)
    assert (order.kind, order.value, order.within, order.by) == ("caller", "agent", None, "ann")


class Shy(SqliteStore):
    """A store that does not list what is in it in time."""

    async def entries(self, space: Space, *, limit: int, after: str = "") -> list[tuple[str, bytes]]:
        """See ``Store.entries``."""
        raise StoreUnavailable("The state store did not answer in time.")


class Kept:
    """An audit that takes everything."""

    def __init__(self) -> None:
        self.acts: list[tuple[str, bool]] = []

    async def administered(self, act: Act, *, allowed: bool, reasons: Sequence[str] = ()) -> None:
        """See ``ActAudit``."""
        self.acts.append((act.code, allowed))


async def test_an_order_in_force_is_on_record_though_what_waits_cannot_be_listed(tmp_path: Path) -> None:
    """Attack: so many keys that nobody can list what waits in time. The error is told; it is stopped, and recorded."""
    store, audit = Shy(tmp_path / "state.sqlite3", now=ManualClock()), Kept()
    policy = RolesPolicy(says=answer("allow", "admin.permitted", "yes"))
    desk = KillDesk(store, Permissions(policy), audit, KillSwitch(store), now=ManualClock())
    with pytest.raises(StoreUnavailable):
        await desk.stop(ANN, kind="caller", value="agent", within="", reason="Odd.")
    assert len(await read_orders(store)) == 1
    assert audit.acts == [("admin.kill_add", True)]
    await store.aclose()


async def test_a_full_audit_keeps_everybody_from_lifting(store: Store, desk: KillDesk) -> None:
    """What nobody could read about later does not go on."""
    await store.put(Space.KILL, KEY, encode((an_order(),)), ttl_s=None)
    with pytest.raises(AuditUnavailable):
        await desk.lift(ANN, an_order().id, reason="Fine.")
    assert len(await read_orders(store)) == 1


async def test_too_many_orders_are_a_policy(store: Store, desk: KillDesk) -> None:
    """An error that says so."""
    many = tuple(an_order(id=str(number), value=str(number)) for number in range(MAX_ORDERS))
    await store.put(Space.KILL, KEY, encode(many), ttl_s=None)
    with pytest.raises(MalformedRequest, match=str(MAX_ORDERS)):
        assert not isinstance(
            await desk.stop(ANN, kind="caller", value="agent", within="", reason="Odd."), Stopped
        )

"""The switch and the tool limit on both stores: one gateway's order, and its count, is every gateway's."""

import pytest

from gateway.errors import RateLimited
from gateway.identity.caller import Caller
from gateway.kill.orders import give, lift
from gateway.kill.switch import KillSwitch
from gateway.rate.limits import ToolLimit
from tests.kill.test_orders import an_order
from tests.state.conftest import stores  # noqa: F401 - the fixture
from tests.support.stores import Clock, Stores

CALLER = Caller(issuer="https://idp.example", subject="agent-one")


async def test_an_order_is_known_at_the_next_look(stores: Stores) -> None:  # noqa: F811 - the fixture
    """Given over one store, seen over another; lifted likewise."""
    one, other = stores.another(), stores.another()
    switch = KillSwitch(other)
    await switch.refresh()
    assert switch.stops_caller(CALLER) is None
    await give(one, an_order())
    await switch.refresh()
    assert switch.stops_caller(CALLER) is not None
    await lift(one, "o1")
    await switch.refresh()
    assert switch.stops_caller(CALLER) is None


async def test_a_count_is_shared(stores: Stores) -> None:  # noqa: F811 - the fixture
    """Two at one gateway, one at the other, and that was all."""
    limits = [ToolLimit(stores.another(), 3, now=Clock()) for _ in range(2)]
    for n in (0, 1, 0):
        await limits[n].count(CALLER, "paypal", "create_refund")
    for limit in limits:
        with pytest.raises(RateLimited):
            await limit.count(CALLER, "paypal", "create_refund")

"""Nobody buries the calls of others under their own."""

import pytest

from gateway.errors import TokenRefused
from gateway.outcome.openings import MAX_OPENED_OF_ONE
from gateway.outcome.pending import Waiting
from gateway.state.store import Space, Store
from tests.support.waiting import a_binding, a_pending


async def test_one_caller_cannot_bury_the_others_calls(waiting: Waiting, store: Store) -> None:
    """Of the calls that one caller lets wait, only so many do; another caller's still wait."""
    for number in range(MAX_OPENED_OF_ONE):
        await waiting.open(a_pending(binding=a_binding(arguments_hash=f"{number:064x}")))
    with pytest.raises(TokenRefused) as refused:
        await waiting.open(a_pending(binding=a_binding(arguments_hash="f" * 64)))
    assert refused.value.code == "confirm.too_many"
    other = a_pending(binding=a_binding(principal='["https://idp.example","agent-two"]'))
    assert await waiting.open(other) == other
    assert len(await store.entries(Space.PENDING, limit=1_000)) == MAX_OPENED_OF_ONE + 1
    again = a_pending(binding=a_binding(arguments_hash=f"{1:064x}"))
    assert (await waiting.open(again)).key == again.key

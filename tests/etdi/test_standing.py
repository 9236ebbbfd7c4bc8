"""Two that vouch are one that holds while both do."""

from __future__ import annotations

import pytest

from gateway.etdi.standing import together


class Voucher:
    """Says what it was told."""

    def __init__(self, *, over: bool = False) -> None:
        self.over = over

    async def holds(self) -> bool:
        """As told."""
        return not self.over


@pytest.mark.parametrize("one", [True, False])
@pytest.mark.parametrize("other", [True, False])
async def test_both_must_hold(*, one: bool, other: bool) -> None:
    """One no is enough."""
    both = together(Voucher(over=not one), Voucher(over=not other))
    assert both is not None
    assert await both.holds() is (one and other)
    assert both.over is not (one and other)


def test_one_is_itself_and_none_is_none() -> None:
    """Nothing is made for what needs nothing."""
    voucher = Voucher()
    assert together(voucher, None) is voucher
    assert together(None, voucher) is voucher
    assert together(None, None) is None

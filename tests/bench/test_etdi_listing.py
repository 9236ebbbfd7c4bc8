"""The measurement of listings runs, and measures what it says."""

from __future__ import annotations

from tests.bench.etdi_listing import measure


async def test_each_count_is_measured_with_and_without() -> None:
    """No time is asserted: machines differ."""
    rows = await measure(counts=(1, 3), rounds=2)
    assert [(row.tools, row.etdi) for row in rows] == [(1, False), (1, True), (3, False), (3, True)]
    assert all(0 < row.p50 <= row.p95 for row in rows)

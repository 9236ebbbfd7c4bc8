"""The measurement runs, and each case is what it says; no time is asserted."""

from __future__ import annotations

from tests.bench.etdi_network import measured


async def test_each_case_is_what_it_says() -> None:
    """One fetch for a whole listing; none where keys or verdicts are at hand; nothing is verified by silence."""
    rows = {row.case: row for row in await measured(12, [0.0, 0.01])}
    for case in ("keys after 0 ms", "keys after 10 ms"):
        assert (rows[case].fetches, rows[case].statuses) == (1, frozenset({"verified"}))
    for case in ("fails", "silent"):
        assert rows[case].statuses == {"token_invalid"}
        assert rows[case].errors <= {"provider_unavailable", "timeout", "network_error"}
        assert rows[case].fetches == 1
    for case in ("gone, keys at hand", "gone, verdicts at hand"):
        assert (rows[case].fetches, rows[case].statuses) == (0, frozenset({"verified"}))

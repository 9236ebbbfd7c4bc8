"""The figures are of what they say: cold verifies, warm asks nobody, what is kept is small."""

from __future__ import annotations

import pytest

from tests.bench.etdi import measured
from tests.support.keys import Kind


@pytest.mark.parametrize("kind", ["ES256", "RS256"])
async def test_figures(kind: Kind) -> None:
    """Of fifty tools; times are looked at by people."""
    figures = await measured(kind, 50, 1)
    assert (figures.algorithm, figures.tools, figures.asked_warm) == (kind, 50, 0)
    assert figures.kept_bytes < 4096
    assert min(figures.cold_ms, figures.warm_ms, figures.looked_up_us) > 0

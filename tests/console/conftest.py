"""A console for every test of this folder."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.console.house import House, a_house


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A console over a fresh store."""
    async with a_house(tmp_path) as opened:
        yield opened

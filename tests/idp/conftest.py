"""The identity provider for one test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.idp import Client, Idp, running_idp


@pytest.fixture
async def idp(tmp_path: Path) -> AsyncIterator[Idp]:
    """One on a free port, over SQLite."""
    async with running_idp(tmp_path) as one:
        yield one


@pytest.fixture
async def acme(idp: Idp) -> Client:
    """An approved provider of it."""
    return await idp.client()

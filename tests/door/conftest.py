"""One running gateway for the tests of a module; nothing here writes to PayPal, so they do not disturb each other."""

from collections.abc import AsyncIterator

import pytest

from tests.support.house import House, running_house


@pytest.fixture(scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """A whole gateway on real sockets."""
    async with running_house(tmp_path_factory.mktemp("house")) as running:
        yield running

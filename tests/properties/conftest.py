"""One running gateway for the tests of a module: hostile requests must not disturb each other."""

from collections.abc import AsyncIterator

import pytest

from gateway.settings.model import DoorSettings
from tests.support.house import House, running_house

MAX_BODY_BYTES = 64 * 1024
DOOR = DoorSettings(max_body_bytes=MAX_BODY_BYTES)


@pytest.fixture(scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """A whole gateway on real sockets; bodies of 64 KiB at most, so that too much is soon sent."""
    async with running_house(tmp_path_factory.mktemp("house"), door=DOOR) as running:
        yield running

"""Fixtures that every room's tests share: the real parts, found once per run."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import parts
from tests.support.redis import flush, running_redis

HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With several workers (`make test`), a folder's tests stay on one of them: they share what it started."""
    for item in items:
        item.add_marker(pytest.mark.xdist_group(item.path.relative_to(HERE).parts[0]))


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """The event loop that the gateway runs on in production; trio is not supported."""
    return "asyncio"


@pytest.fixture(scope="session")
def opa_binary() -> Path:
    """The real `opa` program."""
    return parts.require(parts.OPA)


@pytest.fixture(scope="session")
def redis_server_url() -> Iterator[str]:
    """One real Redis for the whole run; tests take `redis_url`, which is empty for each of them."""
    with running_redis() as url:
        yield url


@pytest.fixture
def redis_url(redis_server_url: str) -> str:
    """The URL of a real Redis that holds no keys."""
    flush(redis_server_url)
    return redis_server_url

"""Fixtures that every room's tests share: the real parts, found once per run."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from tests.support import parts
from tests.support.oidc_server import OidcServer, running_oidc_server
from tests.support.redis import flush, running_redis


class ByFolder(LoadScopeScheduling):
    """With several workers (`make test`), a folder's tests stay on one of them: they share what it started."""

    def _split_scope(self, nodeid: str) -> str:
        return nodeid.partition("::")[0].split("/")[1]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """Whatever ``--dist`` says."""
    return ByFolder(config, log)


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


@pytest.fixture(scope="session")
def oidc_server() -> Iterator[OidcServer]:
    """One real OAuth server for the whole run; it keeps nothing of a test that another could see."""
    with running_oidc_server() as server:
        yield server

"""The parts that other tests stand on."""

import subprocess
from pathlib import Path

import redis

from tests.support import parts


def test_the_opa_found_is_the_pinned_one(opa_binary: Path) -> None:
    """Policies are tested on the OPA version that docker-compose.yml runs."""
    said = subprocess.run([opa_binary, "version"], capture_output=True, text=True, check=True).stdout
    assert f"Version: {parts.OPA.version}" in said


def test_redis_takes_and_gives_back(redis_url: str) -> None:
    """The Redis of the run is a real one: what is set can be read back."""
    with redis.from_url(redis_url) as client:
        client.set("left-behind", "1")
        assert client.get("left-behind") == b"1"


def test_redis_is_empty_for_each_test(redis_url: str) -> None:
    """No test sees keys that the test before it left."""
    with redis.from_url(redis_url) as client:
        assert client.dbsize() == 0

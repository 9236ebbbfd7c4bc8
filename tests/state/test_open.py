"""A state URL becomes a store or an error that can be read."""

import os
from pathlib import Path

import pytest

from gateway.errors import SettingsError
from gateway.state.open import masked, open_store
from gateway.state.redis import RedisStore
from gateway.state.sqlite import SqliteStore
from gateway.state.store import Space

REFUSED = {
    "nothing": "",
    "no scheme": "state.db",
    "another scheme": "postgres://u:sesame@h/db",
    "SQLite in memory": "sqlite://",
    "SQLite in memory by name": "sqlite:///:memory:",
    "SQLite without a path": "sqlite:///",
    "SQLite at a host": "sqlite://host/state.db",
    "SQLite options": "sqlite:///state.db?mode=memory",
    "Redis without a host": "redis://:sesame@/0",
    "a database that is no number": "redis://:sesame@h/zero",
    "a port that is no number": "redis://:sesame@h:port/0",
    "a port out of range": "redis://:sesame@h:70000/0",
    "no certificate check": "rediss://:sesame@h/0?ssl_cert_reqs=none",
    "no host name check": "rediss://:sesame@h/0?ssl_check_hostname=false",
    "TLS options without TLS": "redis://:sesame@h/0?ssl_ca_certs=/ca.pem",
    "an option twice": "rediss://:sesame@h/0?ssl_ca_certs=/a&ssl_ca_certs=/b",
    "an empty option": "rediss://:sesame@h/0?ssl_ca_certs=",
    "a fragment": "redis://:sesame@h/0#sesame",
    "a socket without a path": "unix://:sesame@",
    "a socket at a host": "unix://host/path.sock",
    "a broken address": "redis://[:sesame@h",
}


@pytest.mark.parametrize("url", REFUSED.values(), ids=REFUSED.keys())
def test_unusable_urls_are_refused_without_their_password(url: str) -> None:
    """The message says what is wrong and never repeats a secret, nor does the chain of causes."""
    with pytest.raises(SettingsError) as caught:
        open_store(url)

    assert caught.value.code == "settings.state_url"
    assert "sesame" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    "url",
    [
        "redis://h",
        "redis://user:p%40ss@h:6380/3",
        "rediss://:pw@h:6380/3?ssl_ca_certs=/etc/ca.pem&ssl_certfile=/c&ssl_keyfile=/k",
        "unix:///run/redis.sock?db=2",
        "unix://user:pw@/run/redis.sock",
        "redis://[::1]:6379/0",
    ],
)
async def test_redis_urls_are_understood(url: str) -> None:
    """Nothing is contacted, so a store is there at once."""
    store = open_store(url)

    assert isinstance(store, RedisStore)
    await store.aclose()


async def test_three_slashes_are_relative_and_four_absolute(tmp_path: Path) -> None:
    """As SQLAlchemy spells them."""
    here = Path.cwd()
    os.chdir(tmp_path)
    try:
        relative, absolute = (
            open_store("sqlite:///a/state.db"),
            open_store(f"sqlite:///{tmp_path}/b/state.db"),
        )
        for store in (relative, absolute):
            assert isinstance(store, SqliteStore)
            await store.put(Space.LOGIN, "k", b"v", ttl_s=None)
            await store.aclose()
    finally:
        os.chdir(here)

    assert (tmp_path / "a" / "state.db").exists()
    assert (tmp_path / "b" / "state.db").exists()


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://user:sesame@h:6379/0", "redis://***@h:6379/0"),
        ("rediss://:se%40s@ame@h/0?ssl_keyfile=/k", "rediss://***@h/0?***"),
        ("sqlite:////var/state.db", "sqlite:////var/state.db"),
        ("no url sesame", "***"),
        ("redis://[:sesame@h", "***"),
    ],
)
def test_masked_urls_show_no_secret(url: str, shown: str) -> None:
    """What is logged at start names the host and the database, nothing else."""
    assert masked(url) == shown

"""A state URL -> a store. Nothing is contacted yet.

==============================================  ======================================================
``sqlite:///state.db``                          a path relative to the working directory (three slashes)
``sqlite:////var/lib/countersign/state.db``     an absolute path (four slashes), as SQLAlchemy spells it
``redis://[user:password@]host[:port][/db]``    Redis without TLS
``rediss://[user:password@]host[:port][/db]``   Redis with TLS; the server's name is always checked
``unix://[user:password@]/path/to.sock[?db=0]`` Redis on a unix socket
==============================================  ======================================================

``rediss`` takes ``?ssl_ca_certs=``, ``ssl_certfile=`` and ``ssl_keyfile=`` (paths). redis-py would take any
keyword of its own from there, ``ssl_cert_reqs=none`` included; here everything else is refused.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from redis.asyncio.connection import (
    Connection,
    ConnectionPool,
    SSLConnection,
    UnixDomainSocketConnection,
)
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from gateway.errors import SettingsError
from gateway.state.redis import MAX_CONNECTIONS, RedisStore
from gateway.state.sqlite import SqliteStore
from gateway.state.store import Store

CONNECT_TIMEOUT_S = 2.0
"""Longest TCP and TLS handshake; Redis is near, or it is not there."""
SOCKET_TIMEOUT_S = 3.0
"""Longest wait for one answer; below the operation's deadline, so that the broken connection is closed
too."""
_DEFAULT_PORT = 6379
_TLS_OPTIONS = frozenset({"ssl_ca_certs", "ssl_certfile", "ssl_keyfile"})
_UNIX_OPTIONS = frozenset({"db"})


def open_store(url: str) -> Store:
    """The store at ``url``. ``SettingsError`` (``settings.state_url``), which never repeats a password,
    otherwise."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _refused("it is not a URL") from None
    match parts.scheme:
        case "sqlite":
            return SqliteStore(_sqlite_path(url))
        case "redis":
            return _redis(Connection, _endpoint(parts, port) | _options(parts, frozenset()))
        case "rediss":
            tls = _endpoint(parts, port) | _options(parts, _TLS_OPTIONS)
            tls |= {"ssl_check_hostname": True, "ssl_min_version": ssl.TLSVersion.TLSv1_2}
            return _redis(SSLConnection, tls)
        case "unix":
            return _redis(UnixDomainSocketConnection, _socket(parts))
        case _:
            raise _refused("it must begin with sqlite:///, redis://, rediss:// or unix://")


def masked(url: str) -> str:
    """The URL for logs and for people: user, password and options are replaced by ``***``."""
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
    except ValueError:
        return "***"
    if not parts.scheme:
        return "***"
    credentials = "***@" if "@" in parts.netloc else ""
    return (
        f"{parts.scheme}://{credentials}{host}{parts.path}{'?***' if parts.query or parts.fragment else ''}"
    )


def _sqlite_path(url: str) -> Path:
    rest = url.partition(":")[2]
    if not rest.startswith("///") or len(rest) == len("///"):
        raise _refused("write sqlite:/// and a path (sqlite:////var/... for an absolute one)")
    path = rest[len("///") :]
    # No in-memory store: it would not survive a restart, and each process would have its own.
    if "?" in path or "#" in path or "\0" in path or path == ":memory:":
        raise _refused("sqlite:/// takes the path of a file and no options")
    return Path(path)


def _endpoint(parts: SplitResult, port: int | None) -> dict[str, Any]:
    if not parts.hostname:
        raise _refused("the host is missing")
    database = parts.path.strip("/") or "0"
    return {
        "host": parts.hostname,
        "port": port or _DEFAULT_PORT,
        "db": _database(database),
        **_credentials(parts),
    }


def _socket(parts: SplitResult) -> dict[str, Any]:
    options = _options(parts, _UNIX_OPTIONS)
    if not parts.path or parts.hostname:
        raise _refused("write unix:// and the absolute path of a socket")
    database = _database(str(options.get("db", "0")))
    return {"path": unquote(parts.path), "db": database, **_credentials(parts)}


def _credentials(parts: SplitResult) -> dict[str, Any]:
    user = unquote(parts.username) if parts.username else None
    password = unquote(parts.password) if parts.password else None
    return {"username": user, "password": password}


def _database(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise _refused("the database is a number")
    return int(text)


def _options(parts: SplitResult, known: frozenset[str]) -> dict[str, Any]:
    found = parse_qs(parts.query, keep_blank_values=True)
    if unknown := sorted(set(found) - known):
        raise _refused(f"it has an option that is not known here: {unknown[0][:40]!r}")
    if parts.fragment or any(len(values) != 1 or not values[0] for values in found.values()):
        raise _refused("each option has one value")
    return {name: values[0] for name, values in found.items()}


def _redis(
    connection: type[Connection | UnixDomainSocketConnection], options: Mapping[str, Any]
) -> RedisStore:
    pool = ConnectionPool(
        connection_class=connection,
        max_connections=MAX_CONNECTIONS,
        # RESP2: with it redis-py checks a pooled connection for stray bytes and for a dead peer before it
        # is used.
        protocol=2,
        retry=Retry(NoBackoff(), 0),
        socket_timeout=SOCKET_TIMEOUT_S,
        socket_connect_timeout=CONNECT_TIMEOUT_S,
        **options,
    )
    return RedisStore(pool)


def _refused(why: str) -> SettingsError:
    return SettingsError(f"The state URL is unusable: {why}.", code="settings.state_url")

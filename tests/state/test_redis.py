"""What is Redis's own: a server that dies, stalls, is old, wants a password, speaks TLS."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from redis.asyncio.connection import ConnectionPool, UnixDomainSocketConnection

from gateway.errors import StoreUnavailable
from gateway.state.ledger import Extent, Line, Mode
from gateway.state.open import open_store
from gateway.state.redis import MAX_CONNECTIONS, PREFIX, RedisStore
from gateway.state.store import Space, Store
from tests.support import parts
from tests.support.redis import RedisServer
from tests.support.redis_process import redis_on_port
from tests.support.stores import client


@pytest.fixture
def server() -> Iterator[RedisServer]:
    """A Redis of the test's own, to kill."""
    with RedisServer(parts.require(parts.REDIS)) as running:
        yield running


@pytest.fixture
async def store(server: RedisServer) -> AsyncIterator[Store]:
    """A store over that Redis."""
    opened = open_store(server.url)
    yield opened
    await opened.aclose()


async def test_a_killed_server_is_unavailable_and_recovers(server: RedisServer, store: Store) -> None:
    """SIGKILL between two operations: each method says so, and the restarted server is used without help."""
    await store.put(Space.HANDSHAKE, "k", b"v", ttl_s=30)
    server.stop()
    for operation in (
        lambda: store.put(Space.HANDSHAKE, "k", b"v", ttl_s=30),
        lambda: store.add(Space.HANDSHAKE, "k", b"v", ttl_s=30),
        lambda: store.get(Space.HANDSHAKE, "k"),
        lambda: store.take(Space.HANDSHAKE, "k"),
        lambda: store.swap(Space.HANDSHAKE, "k", expected=b"v", value=b"w", ttl_s=30),
        lambda: store.entries(Space.HANDSHAKE, limit=9),
        lambda: store.increment(Space.HANDSHAKE, "k", 1, ttl_s=30),
        lambda: store.reserve("n", [Line(account="a", amount=1, bound=1, ttl_s=30)], mode=Mode.HOLD),
        lambda: store.release("n", extent=Extent.ALL),
        store.ping,
    ):
        with pytest.raises(StoreUnavailable):
            await operation()
    server.start()

    assert await store.take(Space.HANDSHAKE, "k") is None
    assert await store.add(Space.HANDSHAKE, "k", b"v", ttl_s=30)
    # The scripts are gone with the old process and are loaded again.
    assert await store.swap(Space.HANDSHAKE, "k", expected=b"v", value=b"w", ttl_s=30)


async def test_a_server_killed_mid_run_answers_or_is_unavailable(server: RedisServer, store: Store) -> None:
    """Callers in flight get their answer or the error of the tree, never a driver's exception."""
    await asyncio.gather(*(store.put(Space.SESSION, f"k{n}", b"v", ttl_s=None) for n in range(200)))
    takes = [asyncio.ensure_future(store.take(Space.SESSION, f"k{n}")) for n in range(200)]
    await takes[0]
    server.stop()
    results = await asyncio.gather(*takes, return_exceptions=True)

    assert {type(found) for found in results} <= {bytes, StoreUnavailable}
    assert results[0] == b"v"


async def test_a_stalled_server_misses_the_deadline(server: RedisServer) -> None:
    """A server that hangs with its connections open: callers are told, and the late answers reach nobody."""
    pool = ConnectionPool(
        UnixDomainSocketConnection,
        max_connections=MAX_CONNECTIONS,
        protocol=2,
        path=server.url.removeprefix("unix://"),
    )
    store = RedisStore(pool, deadline_s=0.2)
    await asyncio.gather(*(store.put(Space.SESSION, f"k{n}", b"%d" % n, ttl_s=None) for n in range(50)))
    server.stall()
    late = [store.get(Space.SESSION, f"k{n}") for n in range(50)]
    results = await asyncio.gather(*late, return_exceptions=True)
    server.resume()

    assert {type(found) for found in results} == {StoreUnavailable}
    patient = open_store(server.url)
    assert [await patient.get(Space.SESSION, f"k{n}") for n in range(50)] == [b"%d" % n for n in range(50)]
    await patient.aclose()
    again = [await store.get(Space.SESSION, f"k{n}") for n in range(50)]
    assert again == [b"%d" % n for n in range(50)]
    await store.aclose()


async def test_take_without_getdel() -> None:
    """C10: Redis before 6.2 takes a script; still one winner of 50."""
    with redis_on_port(["--rename-command", "GETDEL", ""]) as port:
        store = open_store(f"redis://127.0.0.1:{port}")
        await store.put(Space.HANDSHAKE, "k", b"a\0b", ttl_s=30)
        taken = await asyncio.gather(*(store.take(Space.HANDSHAKE, "k") for _ in range(50)))
        await store.aclose()

    assert sorted(taken, key=bool) == [None] * 49 + [b"a\0b"]


async def test_a_refused_getdel_is_not_worked_around() -> None:
    """A server that forbids GETDEL is misconfigured, not old."""
    with redis_on_port([]) as port, client(f"redis://127.0.0.1:{port}") as raw:
        raw.acl_setuser("default", enabled=True, nopass=True, keys=["*"], commands=["+@all", "-getdel"])
        store = open_store(f"redis://127.0.0.1:{port}")
        with pytest.raises(StoreUnavailable):
            await store.take(Space.HANDSHAKE, "k")
        await store.aclose()


async def test_keys_have_a_prefix_and_a_server_side_expiry(redis_url: str) -> None:
    """R016: the server itself forgets a token, at most 30 s later; other users of the database are left
    alone."""
    store = open_store(redis_url)
    with client(redis_url) as raw:
        raw.set("someone-elses", "v")
        await store.put(Space.HANDSHAKE, "k", b"v", ttl_s=30)
        await store.increment(Space.COUNTER, "c", 1, ttl_s=60)

        assert 0 < raw.pttl(PREFIX + b"handshake:k") <= 30_000
        assert 0 < raw.pttl(PREFIX + b"counter:c") <= 60_000
        assert raw.dbsize() == 3
    await store.aclose()


async def test_a_wrong_password_is_unavailable_and_not_told() -> None:
    """Neither the password nor the user nor the host is in the error, or chained to it."""
    with redis_on_port(["--requirepass", "right-horse"]) as port:
        wrong = open_store(f"redis://default:wrong-horse@127.0.0.1:{port}")
        with pytest.raises(StoreUnavailable) as caught:
            await wrong.ping()
        right = open_store(f"redis://default:right-horse@127.0.0.1:{port}")
        await right.ping()
        await wrong.aclose()
        await right.aclose()

    assert "horse" not in str(caught.value)
    assert "127.0.0.1" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    assert "horse" not in repr(right)


async def test_tls_checks_the_server(tmp_path: Path) -> None:
    """With the right authority it works; with another one, or under another name, it does not."""
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    _make_certificate(ours, "127.0.0.1")
    _make_certificate(theirs, "127.0.0.1")
    arguments = ["--tls-cert-file", f"{ours}.pem", "--tls-key-file", f"{ours}.key"]
    arguments += ["--tls-ca-cert-file", f"{ours}.pem", "--tls-auth-clients", "no"]
    with redis_on_port(arguments, port_option="--tls-port") as port:
        good = open_store(f"rediss://127.0.0.1:{port}?ssl_ca_certs={ours}.pem")
        await good.put(Space.LOGIN, "k", b"v", ttl_s=None)
        assert await good.take(Space.LOGIN, "k") == b"v"
        for url in (
            f"rediss://127.0.0.1:{port}?ssl_ca_certs={theirs}.pem",
            f"rediss://127.0.0.1:{port}",
            f"rediss://localhost:{port}?ssl_ca_certs={ours}.pem",
            f"redis://127.0.0.1:{port}",
        ):
            bad = open_store(url)
            with pytest.raises(StoreUnavailable):
                await bad.ping()
            await bad.aclose()
        await good.aclose()


def _make_certificate(path: Path, address: str) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "redis for a test")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address(address))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path.with_suffix(".pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    path.with_suffix(".key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )

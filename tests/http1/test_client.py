"""One exchange over a real socket, against servers that behave (as httpx sees it) and that do not."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gateway.http1 import (
    BadReply,
    Endpoint,
    Http1Client,
    Limits,
    NoReply,
    NoReplyTimeout,
    NotSent,
    NotSentTimeout,
    Response,
)
from tests.support.scripted_http import Handler, answering, read_request, serve

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


def client(url: str, **limits: int) -> Http1Client:
    """A client of a test server."""
    return Http1Client(Endpoint.parse(url), limits=Limits(**limits))


async def get(http: Http1Client, *, timeout_s: float = 5, replayable: bool = False) -> Response:
    """The simplest request."""
    return await http.request(b"GET", b"/", timeout_s=timeout_s, replayable=replayable)


GOOD = {
    "length": b"HTTP/1.1 201 Created\r\nContent-Length: 5\r\nX-A: b\r\nx-a: c\r\n\r\nhello",
    "chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
    "until close": b"HTTP/1.1 200 OK\r\nx: y\r\n\r\nhello",
    "old": b"HTTP/1.0 200 OK\r\nx: y\r\n\r\nhello",
    "informational": b"HTTP/1.1 103 E\r\nlink: </a>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx",
    "no content": b"HTTP/1.1 204 No Content\r\nx: y\r\n\r\n",
    "redirect": b"HTTP/1.1 302 Found\r\nlocation: /other\r\ncontent-length: 0\r\n\r\n",
    "error": b"HTTP/1.1 503 Busy\r\ncontent-length: 4\r\n\r\nbusy",
    "large": b"HTTP/1.1 200 OK\r\ncontent-length: 3000000\r\n\r\n" + b"x" * 3_000_000,
}


@pytest.mark.parametrize("name", GOOD)
async def test_good_answers_are_what_httpx_says(name: str) -> None:
    """Status, headers and body of every good answer are those that a well-kept client reads."""
    async with serve(answering(GOOD[name], close=True)) as server:
        async with httpx.AsyncClient(trust_env=False) as oracle:
            theirs = await oracle.post(server.url, content=b"body")
        http = client(server.url)
        ours = await http.request(b"POST", b"/", body=b"body", timeout_s=5)
        await http.aclose()
    assert (ours.status, ours.body) == (theirs.status_code, theirs.content)
    assert ours.headers == [(key.lower(), value) for key, value in theirs.headers.raw]


async def test_the_request_is_what_was_asked() -> None:
    """The server receives one request with our framing and the caller's bytes."""
    got: list[bytes] = []

    async def record(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        got.append(await read_request(reader))
        writer.write(OK)
        await reader.read()

    async with serve(record) as server:
        http = client(server.url)
        await http.request(b"PUT", b"/a?b=c", [(b"x-y", b"z")], b'{"a":1}', timeout_s=5)
        await http.aclose()
    host = server.url.removeprefix("http://").encode()
    assert got == [
        b"PUT /a?b=c HTTP/1.1\r\nhost: " + host + b"\r\naccept-encoding: identity\r\nx-y: z\r\n"
        b'content-length: 7\r\n\r\n{"a":1}'
    ]


async def test_connections_are_kept() -> None:
    """Ten requests one after another need one connection, over TCP and over a unix socket."""
    async with serve(answering(*[OK] * 10)) as server:
        http = client(server.url)
        assert [(await get(http)).body for _ in range(10)] == [b"ok"] * 10
        assert server.connections == 1
        await http.aclose()


async def test_unix_socket(tmp_path: Path) -> None:
    """A unix socket serves like a port."""
    async with serve(answering(OK, OK), unix=tmp_path / "s.sock") as server:
        http = client(server.url)
        assert (await get(http)).body == b"ok"
        assert (await get(http)).body == b"ok"
        assert server.connections == 1
        await http.aclose()


async def test_many_at_once() -> None:
    """Requests at once never see one another's answers."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            body = (await read_request(reader)).partition(b"\r\n\r\n")[2]
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body)

    async with serve(echo) as server:
        http = client(server.url, connections=4)

        async def ask(number: int) -> bool:
            body = b"%d" % number
            return (await http.request(b"POST", b"/", body=body, timeout_s=10)).body == body

        assert all(await asyncio.gather(*[ask(number) for number in range(200)]))
        assert server.connections <= 4
        await http.aclose()


MISBEHAVING: dict[str, tuple[Handler, type[Exception], str]] = {
    "close at once": (answering(b"", close=True), NoReply, "closed"),
    "half a head": (answering(b"HTTP/1.1 200 OK\r\nconte", close=True), BadReply, "truncated"),
    "half a body": (answering(OK[:-1], close=True), BadReply, "truncated"),
    "half a chunk": (
        answering(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhe", close=True),
        BadReply,
        "truncated",
    ),
    "garbage": (answering(b"\x15\x03\x03\x00\x02\x02\x50"), BadReply, "malformed"),
    "huge header": (answering(b"HTTP/1.1 200 OK\r\na: " + b"b" * 10_000_000), BadReply, "head_too_large"),
    "many headers": (answering(b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 10_000), BadReply, "head_too_large"),
    "100 MB declared": (
        answering(b"HTTP/1.1 200 OK\r\ncontent-length: 100000000\r\n\r\n"),
        BadReply,
        "body_too_large",
    ),
    "100 MB undeclared": (
        answering(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 100_000_000),
        BadReply,
        "body_too_large",
    ),
    "silence": (answering(b""), NoReplyTimeout, "timeout"),
    "slow loris": (answering(OK[:-1]), NoReplyTimeout, "timeout"),
    "compressed": (
        answering(b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 1\r\n\r\nx"),
        BadReply,
        "encoded",
    ),
}


@pytest.mark.parametrize("name", MISBEHAVING)
async def test_misbehaving_servers(name: str) -> None:
    """Each misbehaviour has its error; on a new connection nothing is tried again."""
    handler, kind, reason = MISBEHAVING[name]
    async with serve(handler) as server:
        http = client(server.url)
        with pytest.raises(kind, match=reason):
            await get(http, timeout_s=0.2 if kind is NoReplyTimeout else 5, replayable=True)
        assert server.connections == 1
        await http.aclose()


def _closes_on_the_second(answered: list[bytes]) -> Handler:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answered.append(await read_request(reader))
        writer.write(OK)
        answered.append(await read_request(reader))  # taken, perhaps acted upon, never answered

    return handle


async def test_keep_alive_race() -> None:
    """A request lost on a kept connection is not repeated: the server may have acted on it."""
    seen: list[bytes] = []
    async with serve(_closes_on_the_second(seen)) as server:
        http = client(server.url)
        await get(http)
        with pytest.raises(NoReply, match="closed"):
            await get(http)
        assert (server.connections, len(seen)) == (1, 2)
        await http.aclose()


async def test_keep_alive_race_of_a_query() -> None:
    """A request that its caller calls replayable is repeated once, on a new connection."""
    seen: list[bytes] = []
    async with serve(_closes_on_the_second(seen)) as server:
        http = client(server.url)
        await get(http)
        assert (await get(http, replayable=True)).body == b"ok"
        assert (server.connections, len(seen)) == (2, 3)
        await http.aclose()


async def test_cancelling_closes_the_connection() -> None:
    """A cancelled request hangs up, which is how the server hears of it, and the next one starts anew."""
    arrived, hung_up = asyncio.Event(), asyncio.Event()

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if server.connections > 1:
            return await answering(OK)(reader, writer)
        await read_request(reader)
        arrived.set()
        try:
            await reader.read()
        finally:
            hung_up.set()

    async with serve(hang) as server:
        http = client(server.url, connections=1)
        asking = asyncio.create_task(get(http))
        await arrived.wait()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await hung_up.wait()
        assert (await get(http)).body == b"ok"
        await http.aclose()


async def test_connect_timeout() -> None:
    """A connection that is not ready in time (here: no TLS handshake) is NotSentTimeout."""
    async with serve(answering(b"")) as server:
        url = server.url.replace("http:", "https:")
        http = Http1Client(Endpoint.parse(url), ssl=ssl.create_default_context())
        with pytest.raises(NotSentTimeout, match="connect_timeout"):
            await get(http, timeout_s=0.1)
        await http.aclose()


async def test_closing_ends_requests_in_flight() -> None:
    """aclose ends a waiting request with NoReply and later ones with NotSent."""
    arrived = asyncio.Event()

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        arrived.set()
        await reader.read()

    async with serve(hang) as server:
        http = client(server.url)
        asking = asyncio.create_task(get(http))
        await arrived.wait()
        await http.aclose()
        with pytest.raises(NoReply, match="closed"):
            await asking
        with pytest.raises(NotSent, match="client_closed"):
            await get(http)


async def test_stream_hands_out_chunks_as_they_come() -> None:
    """Server-sent events arrive one by one while the response goes on."""
    go = asyncio.Event()

    async def events(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
        )
        writer.write(b"9\r\ndata: 1\n\n\r\n")
        await go.wait()
        writer.write(b"9\r\ndata: 2\n\n\r\n0\r\n\r\n")
        await answering(OK)(reader, writer)

    async with serve(events) as server:
        http = client(server.url)
        async with http.stream(b"GET", b"/", timeout_s=5, idle_timeout_s=5) as response:
            assert response.status == 200
            chunks = aiter(response)
            assert await anext(chunks) == b"data: 1\n\n"
            go.set()
            assert [chunk async for chunk in chunks] == [b"data: 2\n\n"]
        assert (await get(http)).body == b"ok"
        assert server.connections == 1
        await http.aclose()


async def test_stream_is_bounded_by_its_reader() -> None:
    """A reader that stops reading stops the server: 100 MB never sit in memory."""
    written = 0

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal written
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100000000\r\n\r\n")
        while written < 100_000_000:
            writer.write(b"x" * 100_000)
            await writer.drain()
            written += 100_000
        await reader.read()  # what is still in the buffer would be lost with the connection

    async with serve(flood) as server:
        http = client(server.url)
        total = largest = 0
        async with http.stream(b"GET", b"/", timeout_s=5, idle_timeout_s=20) as response:
            await anext(aiter(response))
            while (before := written) != (await asyncio.sleep(0.05, written)):
                pass  # until the server is stuck
            assert before < 50_000_000
            async for chunk in response:
                total += len(chunk)
                largest = max(largest, len(chunk))
        assert total > 99_000_000
        assert largest <= 64 * 1024 + 256 * 1024  # the buffer and one socket read
        await http.aclose()


async def test_leaving_a_stream_early_closes_it() -> None:
    """A reader that goes away hangs up; the rest is nobody's answer."""
    hung_up = asyncio.Event()

    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n")
        try:
            await reader.read()
        finally:
            hung_up.set()

    async with serve(endless) as server:
        http = client(server.url)
        async with http.stream(b"GET", b"/", timeout_s=5) as response:
            assert await anext(aiter(response)) == b"x"
        await hung_up.wait()
        await http.aclose()


async def test_a_stream_that_falls_silent() -> None:
    """Between two chunks the server has `idle_timeout_s`; what came before is handed out first."""
    start = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n"
    async with serve(answering(start)) as server:
        http = client(server.url)
        async with http.stream(b"GET", b"/", timeout_s=5, idle_timeout_s=0.05) as response:
            assert await anext(response) == b"x"
            with pytest.raises(NoReplyTimeout):
                await anext(response)
        await http.aclose()


async def test_a_stream_that_is_cut() -> None:
    """A stream that ends early raises after its last chunk and never looks complete."""
    start = b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx"
    async with serve(answering(start, close=True)) as server:
        http = client(server.url)
        async with http.stream(b"GET", b"/", timeout_s=5, idle_timeout_s=5) as response:
            assert await anext(response) == b"x"
            with pytest.raises(BadReply, match="truncated"):
                await anext(response)
        await http.aclose()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for 127.0.0.1, key and certificate in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + built.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.fixture
async def tls_url(certificate: Path) -> AsyncIterator[str]:
    """A TLS server with that certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    async with serve(answering(OK, OK), context=context) as server:
        yield server.url


async def test_tls(tls_url: str, certificate: Path) -> None:
    """Over TLS with a trusted certificate everything works, connections are kept too."""
    context = ssl.create_default_context(cafile=str(certificate))
    http = Http1Client(Endpoint.parse(tls_url), ssl=context)
    assert (await get(http)).body == b"ok"
    assert (await get(http)).body == b"ok"
    await http.aclose()


async def test_tls_with_an_unknown_certificate(tls_url: str) -> None:
    """A certificate nobody vouches for is NotSent: the request never left."""
    http = Http1Client(Endpoint.parse(tls_url), ssl=ssl.create_default_context())
    with pytest.raises(NotSent, match="tls_refused"):
        await get(http)
    await http.aclose()

"""Fetching from servers that behave badly."""

import gzip
from collections.abc import AsyncIterator

import httpx
import pytest

from gateway.identity.fetch import FetchError, HttpFetcher
from tests.support.issuer_server import (
    Behaviour,
    IssuerServer,
    answer,
    dripping,
    endless,
    hang_up,
    running_issuer,
    silent,
)


@pytest.fixture
async def issuer() -> AsyncIterator[IssuerServer]:
    """A real server on loopback."""
    async with running_issuer() as server:
        yield server


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """A client that would follow redirects, log in and wait for ever, if it were not told otherwise."""
    async with httpx.AsyncClient(
        follow_redirects=True, auth=("user", "hunter2"), trust_env=False, timeout=None
    ) as made:
        yield made


async def test_a_document_arrives_as_it_is(issuer: IssuerServer, client: httpx.AsyncClient) -> None:
    """The control; and no credentials of the client go along."""
    issuer.routes["/keys"] = answer(b'{"keys": []}')
    assert await HttpFetcher(client).fetch(issuer.url + "/keys") == b'{"keys": []}'
    assert b"authorization" not in issuer.requests[0].lower()


BAD: dict[str, Behaviour] = {
    "an error status": answer(b"no", status=500),
    "no content": answer(b"", status=204),
    "an endless body": endless(b"x" * 4096),
    "a body that drips": dripping,
    "a body a byte too large": answer(b"x" * 1001),
    "silence": silent,
    "a hang-up": hang_up,
    "a compressed body": answer(gzip.compress(b"x" * 100_000), headers="Content-Encoding: gzip\r\n"),
    "no HTTP": answer(b"", status=99999),
}


@pytest.mark.parametrize("behaviour", BAD.values(), ids=BAD)
async def test_a_bad_server_costs_a_bounded_wait(
    behaviour: Behaviour, issuer: IssuerServer, client: httpx.AsyncClient
) -> None:
    """Whatever it does, the exchange ends with one error."""
    issuer.routes["/keys"] = behaviour
    with pytest.raises(FetchError):
        await HttpFetcher(client, max_bytes=1000, deadline_s=0.3).fetch(issuer.url + "/keys")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(
    status: int, issuer: IssuerServer, client: httpx.AsyncClient
) -> None:
    """The URL was checked; where it redirects to was not (SSRF)."""
    issuer.routes["/keys"] = answer(b"", status=status, headers=f"Location: {issuer.url}/inside\r\n")
    issuer.routes["/inside"] = answer(b"{}")
    with pytest.raises(FetchError) as failed:
        await HttpFetcher(client).fetch(issuer.url + "/keys")
    assert failed.value.status == status
    assert issuer.hits["/inside"] == 0


async def test_a_dead_server_is_an_error_and_no_more(client: httpx.AsyncClient) -> None:
    """Nobody listens: the port was free a moment ago."""
    async with running_issuer() as issuer:
        url = issuer.url
    with pytest.raises(FetchError, match="ConnectError"):
        await HttpFetcher(client).fetch(url + "/keys")


@pytest.mark.parametrize(
    "url", ["http://idp.example/keys", "file:///etc/passwd", "https://a:b@idp.example/", "https://x:99999/"]
)
async def test_a_forbidden_url_is_not_even_asked(url: str, client: httpx.AsyncClient) -> None:
    """Checked again at the last moment, whoever made the URL."""
    with pytest.raises(FetchError):
        await HttpFetcher(client).fetch(url)

"""Active is the boolean true, said by the issuer itself; everything else is not, or nobody knows."""

from __future__ import annotations

import base64

import httpx
import pytest

from gateway.etdi.introspection import Introspection
from gateway.identity.fetch import HttpFetcher
from tests.support.clock import ManualClock
from tests.support.issuer_server import IssuerServer, answer, hang_up, running_issuer
from tests.support.tool_tokens import NOW, Bench, token, tool

PATH = "/introspect"


def bench_of(server: IssuerServer, http: httpx.AsyncClient, *, remember_s: float = 60) -> Bench:
    """A verifier that asks this server."""
    clock = ManualClock(NOW)
    asked = Introspection(
        url=server.url + PATH,
        client_id="gate way",
        client_secret="s:cret",
        fetcher=HttpFetcher(http),
        remember_s=remember_s,
        clock=clock,
    )
    return Bench(introspection=asked, clock=clock)


async def test_active() -> None:
    """Asked with the token and our own credentials (R079); what was said is good for a while, and no longer."""
    async with running_issuer() as server, httpx.AsyncClient(trust_env=False) as http:
        server.routes[PATH] = answer(b'{"active": true}')
        bench, jwt = bench_of(server, http), token()
        verdict = await bench.verdict(tool(jwt))
        assert verdict.etdi.status == "verified"
        assert verdict.until == NOW + 60
        request = server.requests[0]
        assert request.startswith(b"POST /introspect ")
        assert base64.b64encode(b"gate+way:s%3Acret") in request
        await bench.verdict(tool(jwt))
        assert server.hits[PATH] == 1
        server.routes[PATH] = answer(b'{"active": false}')
        bench.clock.advance(60)
        assert await bench.refusal(tool(jwt)) == ("token_invalid_claims", "Token is not active")


@pytest.mark.parametrize(
    "said",
    [
        b'{"active": false}',
        b'{"active": "true"}',
        b'{"active": 1}',
        b'{"active": null}',
        b"{}",
        b"[]",
        b"true",
        b"",
        b"<html>",
        b'{"active": false, "active": true}',
    ],
)
async def test_not_active(said: bytes) -> None:
    """However close it looks."""
    async with running_issuer() as server, httpx.AsyncClient(trust_env=False) as http:
        server.routes[PATH] = answer(said)
        assert await bench_of(server, http).refusal(tool()) == ("token_invalid_claims", "Token is not active")


@pytest.mark.parametrize(
    ("behaviour", "code"),
    [
        (answer(b"", status=500), "provider_unavailable"),
        (answer(b"", status=429), "provider_unavailable"),
        (answer(b"", status=401), "config_invalid"),
        (answer(b"", status=302, headers="Location: /elsewhere\r\n"), "config_invalid"),
        (hang_up, "network_error"),
    ],
)
async def test_nobody_knows(behaviour: object, code: str) -> None:
    """Not verified, and not kept as refused: the next answer counts."""
    async with running_issuer() as server, httpx.AsyncClient(trust_env=False) as http:
        server.routes[PATH] = behaviour  # type: ignore[assignment]
        bench, definition = bench_of(server, http), tool()
        assert (await bench.refusal(definition))[0] == code
        assert server.hits["/elsewhere"] == 0
        server.routes[PATH] = answer(b'{"active": true}')
        assert (await bench.status(definition))[0] == "verified"


async def test_a_forged_token_is_not_shown_to_the_issuer() -> None:
    """It is asked last."""
    async with running_issuer() as server, httpx.AsyncClient(trust_env=False) as http:
        bench = bench_of(server, http)
        assert (await bench.refusal(tool(token(tool_id="other"))))[0] == "token_invalid_claims"
        assert not server.hits


def test_where_it_may_be() -> None:
    """https, or this machine."""
    with pytest.raises(ValueError):
        Introspection(
            url="http://idp.example.com/introspect",
            client_id="a",
            client_secret="b",
            fetcher=HttpFetcher(httpx.AsyncClient()),
            remember_s=1,
        )

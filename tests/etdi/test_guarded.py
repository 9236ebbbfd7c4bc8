"""A silent issuer costs one deadline, nobody's calls wait in the event loop, and it is asked again later."""

from __future__ import annotations

import asyncio

import httpx

from gateway.etdi.guarded import BREAKER
from gateway.identity.fetch import HttpFetcher
from gateway.identity.keys import RemoteKeys
from tests.support.clock import ManualClock
from tests.support.issuer_server import IssuerServer, after, answer, running_issuer, silent
from tests.support.keys import key_set, signing_key
from tests.support.tool_tokens import NOW, Bench, issuer, token, tool

KEYS = "/keys"


def bench_of(server: IssuerServer, http: httpx.AsyncClient, *, timeout_s: float) -> Bench:
    """A verifier of this issuer's tokens."""
    keys = RemoteKeys(
        issuer=server.url, fetcher=HttpFetcher(http), jwks_uri=server.url + KEYS, clock=ManualClock(0)
    )
    return Bench(keys=keys, trusted=issuer(issuer=server.url), clock=ManualClock(NOW), timeout_s=timeout_s)


async def test_a_silent_issuer_costs_a_listing_one_deadline() -> None:
    """Fifty tools, five at a time: the first ones wait, the others are told at once."""
    async with running_issuer() as server, httpx.AsyncClient(trust_env=False) as http:
        server.routes[KEYS] = silent
        bench = bench_of(server, http, timeout_s=0.05)
        listed = [tool(token(iss=server.url, tool_id=f"bank.{n}"), id=f"bank.{n}") for n in range(50)]
        verdicts = await bench.verifier.verify("bank", listed)
        codes = [one.etdi.error for one in verdicts]
        # Those that were let in before the fifth had waited in vain wait, too.
        assert set(codes) == {"timeout", "provider_unavailable"}
        assert 5 <= codes.count("timeout") < 10
        assert server.hits[KEYS] == 1
        await server.close_connections()
        server.routes[KEYS] = answer(key_set(signing_key()))


async def test_it_is_asked_again_after_a_moment() -> None:
    """By one, who finds out."""
    async with running_issuer() as server, httpx.AsyncClient(trust_env=False) as http:
        gate = asyncio.Event()
        server.routes[KEYS] = after(gate, answer(key_set(signing_key())))
        bench = bench_of(server, http, timeout_s=0.05)
        listed = [tool(token(iss=server.url, tool_id=f"bank.{n}"), id=f"bank.{n}") for n in range(5)]
        await bench.verifier.verify("bank", listed)
        gate.set()
        assert (await bench.status(listed[0]))[2] == "provider_unavailable"
        bench.clock.advance(BREAKER.open_s)
        while (await bench.verdict(listed[0])).etdi.status != "verified":
            bench.clock.advance(BREAKER.open_s)  # the keys are still on their way
        verdicts = await bench.verifier.verify("bank", listed)
        assert {one.etdi.status for one in verdicts} == {"verified"}


async def test_a_definition_cannot_shut_an_issuer_to_others() -> None:
    """Attack: forged tokens by the dozen; the breaker counts silence, not lies."""
    bench = Bench()
    for n in range(3 * BREAKER.threshold):
        await bench.verdict(tool(token(tool_id="other", jti=str(n))))
    assert (await bench.status(tool()))[0] == "verified"


async def test_the_event_loop_goes_on_while_many_wait() -> None:
    """R081: a hundred verifications wait for keys, and everything else takes its turns."""
    async with running_issuer() as server, httpx.AsyncClient(trust_env=False) as http:
        gate = asyncio.Event()
        server.routes[KEYS] = after(gate, answer(key_set(signing_key())))
        bench = bench_of(server, http, timeout_s=60)
        listed = [tool(token(iss=server.url, tool_id=f"bank.{n}"), id=f"bank.{n}") for n in range(100)]
        waiting = asyncio.ensure_future(bench.verifier.verify("bank", listed))
        await server.asked(KEYS)
        turns = 0
        for _ in range(1000):
            await asyncio.sleep(0)
            turns += 1
        assert not waiting.done()
        gate.set()
        assert {one.etdi.status for one in await waiting} == {"verified"}
        assert (turns, server.hits[KEYS]) == (1000, 1)

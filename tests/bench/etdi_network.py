"""`python -m tests.bench.etdi_network`: what an identity provider far away, silent or gone costs a listing (R177).

Wall time of one listing by a real HTTP client against a real server on loopback whose answers are held back. A listing
pays for one fetch of keys, not for one per tool; a silent provider costs one deadline; with keys at hand, or verdicts,
it may be gone.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import click
import httpx
import msgspec

from gateway.catalog.definition import Definition
from gateway.identity.fetch import HttpFetcher
from gateway.identity.keys import RemoteKeys
from tests.support.clock import ManualClock
from tests.support.issuer_server import Behaviour, IssuerServer, answer, hang_up, running_issuer, silent
from tests.support.keys import key_set, signing_key
from tests.support.tool_tokens import NOW, Bench, issuer, token, tool

KEYS = "/keys"
TIMEOUT_S = 0.25
"""The deadline of one definition, retries included; ``etdi.timeout_s`` is 2 by default."""


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """``fetches`` of keys were made for it; ``statuses`` are those of its tools, and ``errors`` their codes."""

    case: str
    wall_ms: float
    fetches: int
    statuses: frozenset[str]
    errors: frozenset[str | None]


def late(seconds: float) -> Behaviour:
    """Answers with the keys after that time: an identity provider far away."""
    good = answer(key_set(signing_key()))

    async def behave(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(seconds)
        await good(writer)

    return behave


async def measured(tools: int, latencies_s: Sequence[float]) -> list[Figure]:
    """Every case, once."""
    async with running_issuer() as server, httpx.AsyncClient(trust_env=False) as http:
        listed = [
            tool(token(iss=server.url, tool_id=f"bank.{n}"), id=f"bank.{n}", version="1.0.0")
            for n in range(tools)
        ]
        rows = []
        for latency in latencies_s:
            server.routes[KEYS] = late(latency)
            rows.append(
                await _listing(f"keys after {latency * 1e3:.0f} ms", server, _bench(server, http), listed)
            )
        server.routes[KEYS] = hang_up
        rows.append(await _listing("fails", server, _bench(server, http), listed))
        server.routes[KEYS] = silent
        rows.append(await _listing("silent", server, _bench(server, http), listed))
        await server.close_connections()

        bench = _bench(server, http)
        server.routes[KEYS] = late(0)
        await bench.verifier.verify("bank", listed[:1])
        server.routes[KEYS] = silent
        rows.append(await _listing("gone, keys at hand", server, bench, listed))
        rows.append(await _listing("gone, verdicts at hand", server, bench, listed))
        return rows


def _bench(server: IssuerServer, http: httpx.AsyncClient) -> Bench:
    keys = RemoteKeys(
        issuer=server.url, fetcher=HttpFetcher(http), jwks_uri=server.url + KEYS, clock=ManualClock(0)
    )
    return Bench(keys=keys, trusted=issuer(issuer=server.url), clock=ManualClock(NOW), timeout_s=TIMEOUT_S)


async def _listing(case: str, server: IssuerServer, bench: Bench, listed: Sequence[Definition]) -> Figure:
    before = server.hits[KEYS]
    begun = time.perf_counter()
    verdicts = await bench.verifier.verify("bank", listed)
    wall = time.perf_counter() - begun
    return Figure(
        case=case,
        wall_ms=wall * 1e3,
        fetches=server.hits[KEYS] - before,
        statuses=frozenset(one.etdi.status.value for one in verdicts),
        errors=frozenset(one.etdi.error for one in verdicts),
    )


@click.command()
@click.option("--tools", default=100, show_default=True)
@click.option("--latency-ms", multiple=True, type=float, default=(0, 20, 100, 200), show_default=True)
def main(tools: int, latency_ms: tuple[float, ...]) -> None:
    """Measure a listing beside identity providers of every sort."""
    for one in asyncio.run(measured(tools, [each / 1e3 for each in latency_ms])):
        errors = ", ".join(sorted(str(error) for error in one.errors if error)) or "none"
        click.echo(
            f"{one.case:24} {tools} tools: {one.wall_ms:8.1f} ms, {one.fetches} fetches, "
            f"{'/'.join(sorted(one.statuses))}, errors: {errors}"
        )


if __name__ == "__main__":
    main()

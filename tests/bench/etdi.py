"""`python -m tests.bench.etdi`: what proving origins costs, as figures. CPU time of this process, no network.

Figures on which the design rests: a call looks a verdict up (below 20 us), a listing of 1,000 tools that were verified
before costs less than 50 ms, a cached tool less than 4 kB, and neither asks anybody for anything.
"""

from __future__ import annotations

import asyncio
import time
import tracemalloc
from collections.abc import Sequence

import click
import msgspec

from gateway.catalog.definition import Definition
from gateway.etdi.verifier import EtdiVerifier, Rules
from gateway.identity.jwk import VerificationKey
from gateway.identity.keys import LocalKeys
from tests.support.keys import Kind, signing_key
from tests.support.tool_tokens import Bench, local_keys, token, tool

STANDS = 20_000


class Counted:
    """Keys of a file, and how often somebody looked for one."""

    def __init__(self, keys: LocalKeys) -> None:
        self.inner = keys
        self.generation = 0
        self.asked = 0

    def current(self) -> bool:
        """Always."""
        return True

    async def refetch(self) -> bool:
        """Nothing new."""
        return False

    async def find(self, kid: str | None, algorithm: str) -> VerificationKey | None:
        """The key."""
        self.asked += 1
        return await self.inner.find(kid, algorithm)


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """``looked_up_us``: one call's look-up. ``cold_ms``, ``warm_ms``: one listing. ``kept_bytes``: of one tool.
    ``asked_warm``: keys that were looked for in the warm listings."""

    algorithm: str
    tools: int
    looked_up_us: float
    cold_ms: float
    warm_ms: float
    kept_bytes: float
    asked_warm: int


def listed(kind: Kind, tools: int) -> list[Definition]:
    """That many tools, each with a token of its own."""
    key = signing_key(kind, kind)
    return [tool(token(key, tool_id=f"bank.{n}"), id=f"bank.{n}") for n in range(tools)]


async def measured(kind: Kind, tools: int, rounds: int) -> Figures:
    """The figures of one algorithm; of several rounds the fastest."""
    definitions = listed(kind, tools)
    keys = Counted(local_keys(signing_key(kind, kind)))
    rules = Rules(max_entries=max(tools, 1))
    cold = min([await _cpu(Bench(keys=keys, rules=rules).verifier, definitions) for _ in range(rounds)])
    tracemalloc.start()
    bench = Bench(keys=keys, rules=rules)
    before, _ = tracemalloc.get_traced_memory()
    verdicts = await bench.verifier.verify("bank", definitions)
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert {one.etdi.status for one in verdicts} == {"verified"}
    asked = keys.asked
    warm = min([await _cpu(bench.verifier, definitions) for _ in range(rounds)])
    begun = time.process_time()
    for _ in range(STANDS):
        bench.verifier.stands(verdicts[0])
    looked_up = (time.process_time() - begun) / STANDS
    return Figures(
        algorithm=kind,
        tools=tools,
        looked_up_us=looked_up * 1e6,
        cold_ms=cold * 1e3,
        warm_ms=warm * 1e3,
        kept_bytes=(after - before) / tools,
        asked_warm=keys.asked - asked,
    )


async def _cpu(verifier: EtdiVerifier, definitions: Sequence[Definition]) -> float:
    begun = time.process_time()
    await verifier.verify("bank", definitions)
    return time.process_time() - begun


@click.command()
@click.option("--tools", multiple=True, type=int, default=(1, 10, 100, 1000), show_default=True)
@click.option("--rounds", default=5, show_default=True)
def main(tools: tuple[int, ...], rounds: int) -> None:
    """Measure verification of tool tokens, cold and warm."""
    for kind in ("ES256", "RS256"):
        for count in tools:
            one = asyncio.run(measured(kind, count, rounds))
            click.echo(
                f"{one.algorithm} {one.tools:5} tools: cold {one.cold_ms:8.2f} ms, warm {one.warm_ms:7.3f} ms, "
                f"look-up {one.looked_up_us:.2f} us, {one.kept_bytes:.0f} bytes a tool, "
                f"{one.asked_warm} questions while warm"
            )


if __name__ == "__main__":
    main()

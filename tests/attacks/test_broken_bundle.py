"""A broken policy never becomes live: a hundred of them, against the embedded engine and against the real OPA."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from gateway.bundle.archive import unpacked
from gateway.bundle.guard import GuardedEngine
from gateway.bundle.proving import prove
from gateway.bundle.signature import verify
from gateway.errors import PolicyUnavailable
from gateway.policy.decision import Allow, Decision, Deny, denied, read_answer
from gateway.policy.embedded import Embedded
from gateway.policy.engine import Engine, Entrypoint, PolicyRefused
from gateway.policy.opa import OpaSidecar
from gateway.state.sqlite import SqliteStore
from gateway.workbench.bundle_folder import folder_of
from tests.support import scripted_http
from tests.support.bundles import Pair, a_pair, signed_archive, small_bundle
from tests.support.mutants import mutants
from tests.support.opa_process import OpaProcess
from tests.support.policies import write_policy

READ, MOVE, UNKNOWN = "list_invoices", "create_refund", "vector_unknown"


async def decision(engine: Engine, tool: str) -> Decision:
    """What the walk would make of the engine's answer."""
    question = msgspec.json.encode({"tool": {"name": tool}})
    try:
        answer = await engine.evaluate(Entrypoint.DECISION, question)
    except PolicyUnavailable as problem:
        return denied(problem.code, "", "")
    return read_answer(answer.result, revision=answer.revision, decision_id=None, engine=answer.engine)


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    """The right key."""
    return a_pair(tmp_path / "keys")


def test_none_is_handed_out(tmp_path: Path, pair: Pair, opa_binary: Path) -> None:
    """Verified and proved, as `bundle verify` and the gateway do: refused, or damaged where it does not count."""
    built = small_bundle(tmp_path / "good")
    made = list(mutants(built, pair))
    assert len(made) == 100
    good = unpacked(signed_archive(built.files, pair))
    taken = []
    for mutant in made:
        try:
            files = unpacked(mutant.archive)
            verify(files, pair.private.public_key())
            prove(mutant.archive, opa=str(opa_binary) if mutant.name.startswith("signed") else None)
        except PolicyRefused:
            continue
        assert {name: files[name] for name in built.files} == built.files, mutant.name
        taken.append(mutant.name)
    assert set(good) == {*built.files, ".signatures.json"}
    assert len(taken) <= 3, taken  # bits in the head of gzip that mean nothing


async def test_none_decides_in_this_process(tmp_path: Path, pair: Pair) -> None:
    """Unpacked over the folder of a running gateway: the old policy stays, or says no."""
    good = write_policy(tmp_path / "live")
    engine = await Embedded.load(good, deadline_s=5)
    revision, refused = engine.revision, 0
    try:
        for number, mutant in enumerate(mutants(small_bundle(tmp_path / "good"), pair)):
            path, scratch = tmp_path / f"{number}.tar.gz", tmp_path / f"{number}"
            path.write_bytes(mutant.archive)
            scratch.mkdir()
            try:
                await engine.reload(folder_of(path, scratch, base=good))
            except PolicyRefused:
                refused += 1
                assert engine.revision == revision
                assert isinstance(await decision(engine, READ), Allow), mutant.name
            revision = engine.revision
            for tool in (MOVE, UNKNOWN):
                assert not isinstance(await decision(engine, tool), Allow), mutant.name
            if revision != (await reset(engine, good)):
                revision = engine.revision
    finally:
        await engine.aclose()
    assert refused > 70


async def reset(engine: Embedded, good: Path) -> str:
    """The good policy again, for the next mutant."""
    await engine.reload(good)
    return engine.revision


class WebServer:
    """Any web server; it holds a poll back until there is something new, so that each bundle is fetched once."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.polled = asyncio.Event()
        self.fresh = asyncio.Event()
        self.fresh.set()

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """GET, and nothing else."""
        while True:
            await scripted_http.read_request(reader)
            self.polled.set()
            await self.fresh.wait()
            self.fresh.clear()
            head = f"HTTP/1.1 200 OK\r\ncontent-type: application/gzip\r\ncontent-length: {len(self.content)}\r\n\r\n"
            writer.write(head.encode() + self.content)
            await writer.drain()

    async def hand_out(self, content: bytes) -> None:
        """Return when whoever polls has taken this, and is through with it: the next poll has come."""
        await self.polled.wait()
        self.content = content
        self.polled.clear()
        self.fresh.set()
        await self.polled.wait()


def polling(url: str, pair: Pair) -> dict[str, Any]:
    """OPA's configuration; without a pause between two polls, so that a hundred take no minutes."""
    return {
        "services": {"web": {"url": url}},
        "keys": {"bundles": {"algorithm": "ES256", "key": pair.public_path.read_text(encoding="utf-8")}},
        "bundles": {
            "policy": {
                "service": "web",
                "resource": "small.tar.gz",
                "signing": {"keyid": "bundles"},
                "polling": {"min_delay_seconds": 0, "max_delay_seconds": 0},
            }
        },
    }


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    """An empty store."""
    opened = SqliteStore(tmp_path / "state.sqlite3")
    yield opened
    await opened.aclose()


async def test_none_decides_through_opa(
    tmp_path: Path, pair: Pair, opa_binary: Path, store: SqliteStore
) -> None:
    """OPA refuses what is damaged and does not compile; of what it takes, the gateway hears nothing."""
    built = small_bundle(tmp_path / "good", sequence=1)
    server = WebServer(signed_archive(built.files, pair))
    async with scripted_http.serve(server.handle) as running:
        config = tmp_path / "opa.yaml"
        config.write_text(yaml.safe_dump(polling(running.url, pair)), encoding="utf-8")
        opa = OpaProcess(opa_binary, None, extra=("--config-file", str(config)))
        await asyncio.to_thread(opa.start)
        sidecar = OpaSidecar.at(opa.url, clock=time.monotonic, deadline_s=5)
        guard = GuardedEngine(sidecar, store, now=time.time, rollout_s=0)
        heard = 0
        try:
            assert isinstance(await decision(guard, READ), Allow)
            for mutant in mutants(built, pair):
                await server.hand_out(mutant.archive)
                read = await decision(guard, READ)
                assert isinstance(read, Deny) or read.revision == built.revision, mutant.name
                heard += isinstance(read, Allow)
                for tool in (MOVE, UNKNOWN):
                    assert not isinstance(await decision(guard, tool), Allow), mutant.name
            newer = small_bundle(tmp_path / "newer", sequence=1_000)
            await server.hand_out(signed_archive(newer.files, pair))
            read = await decision(guard, READ)
            assert (type(read), read.revision) == (Allow, newer.revision)
        finally:
            await sidecar.aclose()
            await asyncio.to_thread(opa.kill)
    assert heard >= 60  # all that were damaged on the way


def test_the_mutants_are_the_same_each_time(tmp_path: Path, pair: Pair) -> None:
    """What failed once fails again."""
    built = small_bundle(tmp_path)
    names = [[one.name for one in itertools.islice(mutants(built, pair), 100)] for _ in range(2)]
    assert names[0] == names[1]

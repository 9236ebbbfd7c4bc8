"""A gateway that hands its signed bundles to a real OPA, which polls it and decides for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from gateway.bundle.building import build
from gateway.settings.bundles import BundleSettings
from gateway.settings.model import Hidden, PolicySettings
from tests.support.bundles import Pair, a_pair, signed_archive
from tests.support.house import House, running_house
from tests.support.opa_process import OpaProcess
from tests.support.policies_live import revision_of
from tests.support.policy_copies import copied, edit_data
from tests.support.until import until_answered

NAME, SCOPE = "default", "tests"
TOKEN = "unsafe-test-token-for-bundles-1"


@dataclass(kw_only=True)
class Bundled:
    """The house, its sidecar, and the folder that the bundles are put into."""

    house: House
    opa: OpaProcess
    pair: Pair
    policies: Path
    dist: Path

    def archive(self, sequence: int, **closed: Any) -> tuple[str, bytes]:
        """The default policy, ``environment.closed`` as named; its revision and the signed file."""
        edit_data(self.policies, "environment", closed={"tools": [], **closed})
        built = build(self.policies, name=NAME, sequence=sequence)
        return built.revision, signed_archive(built.files, self.pair, scope=SCOPE)

    def put(self, archive: bytes) -> None:
        """Make it the one that is handed out, whole or not at all."""
        beside = self.dist / "new"
        beside.write_bytes(archive)
        beside.replace(self.dist / f"{NAME}.tar.gz")

    async def published(self, sequence: int, **closed: Any) -> str:
        """Put it there, and return when OPA decides by it; its revision."""
        revision, archive = self.archive(sequence, **closed)
        self.put(archive)
        await self.until_opa_has(revision)
        return revision

    async def until_opa_has(self, revision: str) -> None:
        """Return once OPA's answers are by this revision, whether or not the gateway hears them."""

        async def has() -> bool:
            return await revision_of(self.house) == revision

        await until_answered(has)

    async def until_ready(self) -> None:
        """Return once a call would be judged."""

        async def ready() -> bool:
            return (await self.house.http.get("/readyz")).status_code == 200

        await until_answered(ready)


@asynccontextmanager
async def running_on_bundles(folder: Path, opa_binary: Path) -> AsyncIterator[Bundled]:
    """Everything on real sockets; nothing is published yet, and OPA not started."""
    dist, policies = folder / "dist", copied(folder)
    dist.mkdir()
    pair = a_pair(folder / "keys")
    config = folder / "opa.yaml"
    opa = OpaProcess(opa_binary, None, extra=("--config-file", str(config)))
    policy = PolicySettings(engine="opa", opa_url=opa.url, timeout_s=5, rollout_seconds=0)
    bundles = BundleSettings(
        folder=str(dist), verification_key=str(pair.public_path), scope=SCOPE, token=Hidden(TOKEN)
    )
    async with running_house(folder, policy=policy, bundles=bundles) as house:
        config.write_text(yaml.safe_dump(polling(house.url, pair)), encoding="utf-8")
        bundled = Bundled(house=house, opa=opa, pair=pair, policies=policies, dist=dist)
        _, archive = bundled.archive(1)
        bundled.put(archive)
        # In a thread: OPA fetches its bundle from this very process.
        await asyncio.to_thread(opa.start)
        try:
            await bundled.until_ready()
            yield bundled
        finally:
            await asyncio.to_thread(opa.kill)


def polling(url: str, pair: Pair) -> dict[str, Any]:
    """OPA's configuration: where bundles come from, and by which key they are verified."""
    delay = {"min_delay_seconds": 1, "max_delay_seconds": 1}
    return {
        "services": {"countersign": {"url": url, "credentials": {"bearer": {"token": TOKEN}}}},
        "keys": {"bundles": {"algorithm": "ES256", "key": pair.public_path.read_text(encoding="utf-8")}},
        "bundles": {
            "policy": {
                "service": "countersign",
                "resource": f"bundles/{NAME}.tar.gz",
                "signing": {"keyid": "bundles", "scope": SCOPE},
                "polling": delay,
            }
        },
    }

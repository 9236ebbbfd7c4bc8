"""The suite's scenarios for servers: the fixture passes them, and so does the gateway in front of it, policy on."""

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import yaml

from gateway.catalog.approvals import Approvals
from tests.conformance.doorman import with_token
from tests.conformance.fixture.server import TOOLS
from tests.conformance.suite import NEW, OLD, Found, against_server
from tests.support.house import AGENT_TOKEN, House, running_house
from tests.support.policy_copies import copied, edit_data, judged_by
from tests.support.ports import free_port

RUNS = [(OLD, "2025-06-18"), (OLD, "2025-11-25"), (NEW, "2025-11-25"), (NEW, "2026-07-28")]
LEAST_CHECKS = {
    "direct": dict(zip(RUNS, (26, 44, 81, 152), strict=True)),
    "through": dict(zip(RUNS, (26, 43, 80, 152), strict=True)),
}
"""Passed checks below which a run has not looked at everything it should have. One less through the gateway at
2025-11-25: it answers in JSON where nothing is said before the answer, and the suite looks at streams only where there
are any."""
APPROVALS_AGE_S = 60
"""Past the age at which the catalog looks at approvals again."""
EXPECTED = yaml.safe_load((Path(__file__).parent / "expected_failures.yaml").read_text())


@pytest.fixture(scope="module")
def fixture_url() -> Iterator[str]:
    """The fixture as a process of its own."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "tests.conformance.fixture", str(port)],
        cwd=Path(__file__).parents[2],
    )
    try:
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        process.kill()
        process.wait()


@asynccontextmanager
async def gateway_before(url: str, folder: Path) -> AsyncIterator[House]:
    """A gateway with the shipped policy, in its shipped phase.

    The fixture's tools are classified in a table of its own, approved as they are, and exempt, until a date, from the
    one thing they lack: evidence of where they come from.
    """
    policies = copied(folder)
    edit_data(policies, "classes", servers={"fixture": dict.fromkeys(TOOLS, 4)})
    until = int(time.time()) + 3600
    exemptions = [{"server": "fixture", "tool": name, "expires": until} for name in TOOLS]
    edit_data(policies, "migration", exemptions=exemptions)
    async with running_house(
        folder, policy=judged_by(policies, reload=False), upstreams={"fixture": url}
    ) as house:
        approvals = Approvals(house.gateway.store, pins={}, now=time.time)
        for entry in await house.gateway.house.catalog.all("fixture"):
            await approvals.approve("fixture", entry.definition, by="operator", expires=None)
        house.clock.advance(APPROVALS_AGE_S)
        yield house


def check(found: Found, where: str, run: tuple[str, str]) -> None:
    """Nothing fails but what is expected to, and what is expected to fail does."""
    failed = {name: sorted({one.split(":", 1)[0] for one in checks}) for name, checks in found.failed.items()}
    assert failed == (EXPECTED[where].get(" ".join(run)) or {}), found.failed
    assert found.checks[0] >= LEAST_CHECKS[where][run]


def test_what_is_expected_is_expected_of_a_run_that_is_made() -> None:
    """An entry under a name that nobody runs would never turn stale."""
    names = {" ".join(run) for run in RUNS}
    assert set(EXPECTED["direct"]) | set(EXPECTED["through"]) <= names


@pytest.mark.parametrize("run", RUNS, ids=" ".join)
async def test_the_fixture_passes(fixture_url: str, tmp_path: Path, run: tuple[str, str]) -> None:
    """So that what fails through the gateway is the gateway's."""
    await listening(fixture_url)
    version, spec = run
    check(await against_server(fixture_url, version=version, spec=spec, folder=tmp_path), "direct", run)


@pytest.mark.parametrize("run", RUNS, ids=" ".join)
async def test_the_gateway_passes_in_front_of_it(
    fixture_url: str, tmp_path: Path, run: tuple[str, str]
) -> None:
    """Nothing that the fixture passes fails behind the gateway, and each call was judged and recorded."""
    await listening(fixture_url)
    version, spec = run
    async with (
        gateway_before(fixture_url, tmp_path) as house,
        with_token(f"{house.url}/mcp/fixture", AGENT_TOKEN) as url,
    ):
        check(
            await against_server(url, version=version, spec=spec, folder=tmp_path / "found"), "through", run
        )
        assert {one["outcome"] for one in house.records() if one["status"] == "executed"} == {"allow"}
        assert house.records("passage")


async def listening(url: str) -> None:
    """Return once the fixture takes connections."""
    port = int(url.rsplit(":", 1)[1].split("/")[0])
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return

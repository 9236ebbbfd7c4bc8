"""The suite's scenarios for servers: the fixture passes them, and so does the gateway in front of it, policy on."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import yaml

from tests.conformance.doorman import with_token
from tests.conformance.fixture.server import TOOLS
from tests.conformance.suite import NEW, OLD, Found, against_server
from tests.support.compose import free_port
from tests.support.house import AGENT_TOKEN, House, running_house
from tests.support.policy_copies import copied, edit_data, judged_by

RUNS = [(OLD, "2025-06-18"), (OLD, "2025-11-25"), (NEW, "2025-11-25"), (NEW, "2026-07-28")]
LEAST_CHECKS = {
    (OLD, "2025-06-18"): 26,
    (OLD, "2025-11-25"): 43,
    (NEW, "2025-11-25"): 80,
    (NEW, "2026-07-28"): 152,
}
"""Passed checks below which a run has not looked at everything it should have."""
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
    """A gateway whose policy judges each call of the fixture's tools as class 4, that is: by all of its rules."""
    policies = copied(folder)
    edit_data(policies, "migration", phase="preparation")
    edit_data(policies, "classes", tools=dict.fromkeys(TOOLS, 4))
    async with running_house(
        folder, policy=judged_by(policies, reload=False), upstreams={"fixture": url}
    ) as house:
        yield house


def check(found: Found, where: str, run: tuple[str, str]) -> None:
    """Nothing fails but what is expected to, and what is expected to fail does."""
    failed = {name: sorted({one.split(":", 1)[0] for one in checks}) for name, checks in found.failed.items()}
    assert failed == (EXPECTED[where].get(" ".join(run)) or {}), found.failed
    assert found.checks[0] >= LEAST_CHECKS[run]


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
    """The same checks, and each call of them was judged and recorded."""
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

"""CrewAI, the real package, in an environment of its own."""

from __future__ import annotations

from pathlib import Path

from tests.client.adapters.running import check, example, program
from tests.support.frameworks import CREWAI


async def test_its_tools_take_the_secure_way(tmp_path: Path) -> None:
    """Names and schemas stay, the call runs the handshake, and failures are said and not repeated."""
    check(await program(CREWAI, "crewai", tmp_path, calls=3))


async def test_the_example_runs(tmp_path: Path) -> None:
    """As it stands in the documentation."""
    assert "done" in await example(CREWAI, "crewai", tmp_path)

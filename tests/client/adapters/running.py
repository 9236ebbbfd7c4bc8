"""Runs the programs and the examples of the frameworks against the double of the gateway."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.client.adapters.programs.tool import PARAMETERS, SCHEMA
from tests.support.frameworks import REPOSITORY, Frameworks, run
from tests.support.handshake_service import SESSION, at, handshake_service

PROGRAMS = Path(__file__).parent / "programs"
EXAMPLES = REPOSITORY / "docs" / "examples"
LOST = {"error": "?", "code": "upstream.outcome_unknown"}
NO = {"error": "No approval.", "code": "catalog.not_approved"}


async def program(which: Frameworks, name: str, home: Path, *, calls: int = 1) -> dict[str, Any]:
    """What the program found; and what came to the gateway was each call, once."""
    async with (
        handshake_service() as usual,
        handshake_service(answer=at("/execute", 504, LOST)) as unknown,
        handshake_service(answer=at("/authorize", 403, NO)) as refuses,
    ):
        urls = {"USUAL": usual.url, "UNKNOWN": unknown.url, "REFUSES": refuses.url}
        printed = await run(which, PROGRAMS / f"with_{name}.py", {"HOME": str(home), **urls})
        assert usual.executed == [("create_refund", PARAMETERS)] * calls
        # Attack: a framework that runs a tool again after it failed, and so pays again.
        each = calls if name == "crewai" else 1
        assert len(unknown.posts("/execute")) == each
        assert len(refuses.came) == each
    found: dict[str, Any] = json.loads(printed)
    return found


async def example(which: Frameworks, name: str, home: Path) -> str:
    """What the example printed last; it called the tool once."""
    async with handshake_service() as service:
        environment = {"HOME": str(home), "COUNTERSIGN_URL": service.url, "COUNTERSIGN_TOKEN": SESSION}
        printed = await run(which, EXAMPLES / f"with_{name}.py", environment)
        assert [tool for tool, _ in service.executed] == ["create_refund"]
        assert service.executed[0][1].keys() == {"capture_id"}
    return printed


def check(found: dict[str, Any]) -> None:
    """Of every framework the same: name and schema stay, the result comes, failures are said and not repeated."""
    assert found["name"] == "create_refund"
    assert "Gives money back." in found["description"]
    assert found["schema"] == SCHEMA
    assert "done" in found["result"]
    assert "Do not repeat it" in found["unknown"]
    assert found["refused"] == "Authorization failed: No approval."

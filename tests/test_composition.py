"""The composition as processes: the very commands of docker-compose.yml, and the demo's story played against them."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import sys
from pathlib import Path

from gateway.demo.run import Stage, play
from gateway.demo.story import STEPS
from gateway.demo.table import Row
from tests.support import compose as composition
from tests.support import parts
from tests.support.compose import LocalCommand, Place

TOKEN = re.search(r"# (unsafe-\S+)", (composition.REPOSITORY / "docs/operations/demo.yaml").read_text())


def countersign() -> Path:
    """The installed command."""
    beside = Path(sys.executable).with_name("countersign")
    found = beside if beside.exists() else shutil.which("countersign")
    assert found is not None, "the countersign command is installed with the project"
    return Path(found)


def place(root: Path, opa_binary: Path) -> Place:
    """Where the composition's programs are on this machine."""
    programs = {
        "countersign": str(countersign()),
        "/opa": str(opa_binary),
        "redis-server": str(parts.require(parts.REDIS)),
    }
    return Place(root=root, programs=programs)


def login_link(command: LocalCommand) -> str:
    """What `docker compose exec gateway countersign console link` prints."""
    printed = subprocess.run(
        [str(countersign()), "console", "link", "--subject", "alice"],
        env=dict(command.env),
        cwd=command.cwd,
        check=True,
        capture_output=True,
        text=True,
    )
    return printed.stdout.strip()


async def test_the_composition_plays_the_demo(tmp_path: Path, opa_binary: Path) -> None:
    """Gateway, OPA over HTTP, Redis and the simulator, started as the file says, do what the demo promises."""
    here = place(tmp_path, opa_binary)
    gateway_url = f"http://127.0.0.1:{here.ports['gateway']}"
    demo = composition.load({**composition.demo_variables(), "COUNTERSIGN_PUBLIC_URL": gateway_url})
    told: list[Row] = []
    with composition.running(demo, ["opa", "redis", "simulator", "gateway"], here) as ports:
        command = composition.local_command(demo, "gateway", here)
        link = await asyncio.to_thread(login_link, command)
        assert TOKEN is not None
        stage = Stage(
            gateway_url=gateway_url,
            simulator_url=f"http://127.0.0.1:{ports['simulator']}",
            token=TOKEN[1],
            audit_path=Path(command.env["COUNTERSIGN_AUDIT_PATH"]),
        )
        steps = tuple(step for step in STEPS if step.server == "paypal")
        await play(stage, link, report=told.append, steps=steps)
    assert [(row.step.title, row.as_promised) for row in told] == [(step.title, True) for step in steps]
    assert {record["decision"]["engine"] for row in told for record in row.records if record["decision"]} == {
        "opa"
    }

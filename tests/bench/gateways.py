"""The gateway's legs: the one place that knows its settings, its command and how OPA is started.

The gateway is charged with its own process tree. OPA runs on the load generator's core and is charged in a
column of its own, because in production it is a sidecar with a core of its own. Definition check and audit
are on, as shipped.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import yaml

from gateway.identity.static import hash_static_token
from tests.bench import held
from tests.bench.legs import Leg, Site
from tests.bench.load import Target
from tests.bench.processes import HOST, ROOT
from tests.bench.workload import TOOL, Expect
from tests.support import parts
from tests.support.ports import free_port

Engine = Literal["embedded", "opa-tcp", "opa-uds"]

POLICIES = ROOT / "policies" / "gateway"
READY_PATH = "/readyz"
MCP_PATH = "/mcp"
# The gateway listens on this machine only and its state is thrown away after the run.
TOKEN = "unsafe-bench-token-of-this-run-only"


@dataclass(frozen=True)
class Setup:
    """What the settings of one gateway leg depend on; `opa` is the sidecar's URL, None = embedded engine. `callers`
    besides the one that is measured."""

    port: int
    upstream_url: str
    directory: Path
    opa: str | None
    callers: int = 0


def settings(setup: Setup) -> dict[str, Any]:
    """The content of countersign.yaml for one leg."""
    return {
        "listen": f"{HOST}:{setup.port}",
        "public_url": f"http://{HOST}:{setup.port}",
        "paypal": {"enabled": False},
        "identity": {
            "tokens": [
                {"sha256": hash_static_token(token), "subject": subject, "roles": ["agent"]}
                for subject, token in [
                    ("bench", TOKEN),
                    *((f"waiting-{n}", held.token_of(n)) for n in range(setup.callers)),
                ]
            ]
        },
        "policy": {
            "path": str(policy_copy(setup.directory)),
            "engine": "embedded" if setup.opa is None else "opa",
            # A cold OPA shares its core with the load: the first calls wait longer than a deployment would let them.
            "timeout_s": 5,
            **({} if setup.opa is None else {"opa_url": setup.opa}),
        },
        "upstreams": {"paypal": {"url": setup.upstream_url}},
        "state": {"url": f"sqlite:///{setup.directory / 'state.db'}"},
        "confirm": {"hold_seconds": 20},  # the longest: what waits should wait
        "audit": {"path": str(setup.directory / "audit.jsonl")},
        # One caller is all the load there is: its limit is counted, and never met.
        "rates": {
            "requests_per_minute": 10_000_000,
            "burst": 1_000_000,
            "sensitive_per_minute": 1_000_000,
        },
    }


def policy_copy(directory: Path, classes: Mapping[str, int] = MappingProxyType({})) -> Path:
    """The policies as shipped, but in the phase that lets approved tools without an ETDI token answer.

    The cheap upstream is a stranger to the release's pins; in the enforcement phase every call would be refused.
    `classes`: of tools that are of class 4 as shipped; with 3 a call has two phases, with 2 a person confirms it.
    """
    copy = directory / "policies" / "gateway"
    if not copy.exists():
        shutil.copytree(POLICIES, copy, ignore=shutil.ignore_patterns("*_test.rego"))
        shutil.copy(POLICIES.parent / "capabilities.json", copy.parent)
        data = copy / "migration" / "data.yaml"
        text = data.read_text()
        assert "phase: enforcement" in text, "the shipped phase has another name now"
        data.write_text(
            text.replace("phase: enforcement", "phase: preparation" if classes else "phase: coexistence")
        )
        data = copy / "classes" / "data.yaml"
        text = data.read_text()
        for tool, number in classes.items():
            assert f"  {tool}: 4\n" in text, "the shipped class is another one now"
            text = text.replace(f"  {tool}: 4\n", f"  {tool}: {number}\n")
        data.write_text(text)
    return copy


def serve_argv(config: Path) -> list[str | Path]:
    """The command that serves until it is ended."""
    return [_command() or "countersign", "serve", "--config", config]


def prepare_argvs(config: Path) -> list[list[str | Path]]:
    """Commands to run before serving, in order: an operator approves the upstream's tools."""
    command = _command() or "countersign"
    return [[command, "tools", "approve", "paypal", "--all", "--by", "bench", "--config", config]]


def gateway_leg(name: str, about: str, engine: Engine, *, handshake: bool = False, waiting: int = 0) -> Leg:
    """A gateway in front of the cheap upstream, asking the given engine; `waiting` calls of others wait meanwhile for a
    person."""

    def start(site: Site) -> Target:
        classes = {TOOL: 3} if handshake else {held.TOOL: 2} if waiting else {}
        policies = policy_copy(site.directory, classes)
        opa_url, opa_pid = (
            (None, None) if engine == "embedded" else start_opa(site, over=engine, policies=policies)
        )
        setup = Setup(
            free_port(), site.upstream_url, site.directory, opa_url, callers=-(-waiting // held.EACH)
        )
        config = site.directory / "countersign.yaml"
        config.write_text(yaml.safe_dump(settings(setup)))
        for argv in prepare_argvs(config):
            site.fleet.run(argv)
        process = site.fleet.start(serve_argv(config), "proxy")
        site.fleet.wait_answering(process, (HOST, setup.port), READY_PATH, status=200)
        if waiting:
            asked = ("--port", str(setup.port), "--calls", str(waiting))
            holding, port = site.fleet.start_module("tests.bench.held", "load", *asked)
            site.fleet.wait_answering(holding, (HOST, port), "/", status=200)
        return Target(
            port=setup.port,
            path=MCP_PATH,
            headers=(("authorization", f"Bearer {TOKEN}"),),
            proxy=process.pid,
            engine=opa_pid,
            expect=Expect.HANDSHAKE if handshake else Expect.RESULT,
        )

    return Leg(name, about, start, _missing(needs_opa=engine != "embedded"))


def start_opa(site: Site, *, over: Engine, policies: Path = POLICIES) -> tuple[str, int]:
    """A real OPA with the policies as shipped, on the load generator's core; its URL and pid."""
    opa = parts.find(parts.OPA)
    assert opa is not None, "a leg without its parts is not started"
    port, sock = free_port(), site.directory / "opa.sock"
    address: tuple[str, int] | Path = sock if over == "opa-uds" else (HOST, port)
    url = f"unix://{sock}" if over == "opa-uds" else f"http://{HOST}:{port}"
    argv: list[str | Path] = [
        opa,
        "run",
        "--server",
        "--addr",
        url.removeprefix("http://"),
        "--log-level",
        "error",
    ]
    argv += ["--skip-version-check", "--ignore", "*_test.rego"]
    # With the prefix, and not as a plain directory, classes/data.yaml becomes data.gateway.classes.
    argv.append(f"gateway:{policies}")
    process = site.fleet.start(argv, "load", environment={"GOGC": "400"})  # as docker-compose.yml has it
    site.fleet.wait_answering(process, address, "/health", status=200)
    return url, process.pid


def _command() -> Path | None:
    beside = Path(sys.executable).with_name("countersign")
    found = beside if beside.exists() else shutil.which("countersign")
    return Path(found) if found else None


def _missing(*, needs_opa: bool) -> Callable[[], str | None]:
    def missing() -> str | None:
        if _command() is None:
            return "the countersign command is not installed"
        if not POLICIES.is_dir():
            return "policies/gateway does not exist"
        if needs_opa and parts.find(parts.OPA) is None:
            return "no opa on PATH; `make parts` gets it"
        return None

    return missing


GATEWAYS = (
    gateway_leg("gateway+embedded", "Countersign with the embedded engine (regopy)", "embedded"),
    gateway_leg("gateway+opa-tcp", "Countersign asking an OPA sidecar over TCP", "opa-tcp"),
    gateway_leg("gateway+opa-uds", "Countersign asking an OPA sidecar over a unix socket", "opa-uds"),
    gateway_leg(
        "waiting+opa-uds", "gateway+opa-uds while 1,000 calls of others are held", "opa-uds", waiting=1_000
    ),
    gateway_leg("handshake+opa-uds", "both phases of a class 3 call, each judged", "opa-uds", handshake=True),
)

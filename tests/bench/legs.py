"""The legs of a run: a name, what it is, whether it can run here, how to start it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import msgspec

from tests.bench.load import Target
from tests.bench.processes import Fleet
from tests.bench.proxies.bare_gateway import TOKEN as BARE_TOKEN
from tests.bench.workload import Era


@dataclass(frozen=True)
class Site:
    """What a leg is started with; `directory` is its own, empty and short-lived."""

    fleet: Fleet
    era: Era
    upstream_port: int
    directory: Path

    @property
    def upstream_url(self) -> str:
        """The cheap upstream's MCP endpoint."""
        return f"http://127.0.0.1:{self.upstream_port}/mcp"


@dataclass(frozen=True)
class Leg:
    """One way from the load generator to the upstream.

    `missing` says why the leg cannot run here (None = it can); `start` returns when calls can be sent, and
    raises LegError when the leg does not come up.
    """

    name: str
    about: str
    start: Callable[[Site], Target]
    missing: Callable[[], str | None] = lambda: None


def _direct(site: Site) -> Target:
    return Target(port=site.upstream_port)


def _yardstick(module: str) -> Callable[[Site], Target]:
    def start(site: Site) -> Target:
        process, port = site.fleet.start_module(
            f"tests.bench.proxies.{module}",
            "proxy",
            "--upstream-port",
            str(site.upstream_port),
            "--era",
            site.era.value,
        )
        # Any answer will do: 405 or 406, as GET is not served by every yardstick.
        site.fleet.wait_answering(process, ("127.0.0.1", port), "/mcp")
        return Target(port=port, proxy=process.pid)

    return start


def _bare_gateway(site: Site) -> Target:
    target = _yardstick("bare_gateway")(site)
    return msgspec.structs.replace(target, headers=(("authorization", f"Bearer {BARE_TOKEN}"),))


def _no_fastmcp() -> str | None:
    return None if find_spec("fastmcp") else "fastmcp is not installed"


STAR_RAW = "star-raw"
SDK_PROXY = "sdk-proxy"

YARDSTICKS = (
    Leg("direct", "no proxy: the load generator calls the upstream itself", _direct),
    Leg("raw-asgi", "uvicorn, bare ASGI pass-through, pooled httptools client", _yardstick("raw_asgi")),
    Leg(STAR_RAW, "the same inside a Starlette Route/Request/Response", _yardstick("star_raw")),
    Leg("gateway-bare", "Countersign without policy, approvals and audit", _bare_gateway),
    Leg(SDK_PROXY, "mcp SDK: low-level Server, one connected Client, JSON answers", _yardstick("sdk")),
    Leg(
        "fastmcp",
        "FastMCP proxying one connected client, JSON answers",
        _yardstick("fastmcp_proxy"),
        _no_fastmcp,
    ),
)

"""What the yardstick processes share: their command line, and uvicorn on a socket that was handed over.

uvicorn as it comes, with uvloop and httptools and the access log off: the settings behind `asgi-raw` and
`star-raw`.
"""

from __future__ import annotations

import argparse
import socket
from dataclasses import dataclass
from typing import Any

import uvicorn

# Kept-alive connections that the load generator left behind need not be waited for.
SHUTDOWN_S = 1


@dataclass(frozen=True)
class Arguments:
    """Where to listen (an inherited socket), where the upstream is, which era is spoken."""

    listener: socket.socket
    upstream_port: int
    era: str

    @property
    def upstream_url(self) -> str:
        """The upstream's MCP endpoint."""
        return f"http://127.0.0.1:{self.upstream_port}/mcp"


def arguments(description: str | None) -> Arguments:
    """Read this process's command line."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--fd", type=int, required=True, help="an inherited listening socket")
    parser.add_argument("--upstream-port", type=int, required=True)
    parser.add_argument("--era", choices=["modern", "legacy"], required=True)
    given = parser.parse_args()
    return Arguments(socket.socket(fileno=given.fd), given.upstream_port, given.era)


def server(app: Any) -> uvicorn.Server:
    """A uvicorn server for an ASGI app; the caller runs it with `sockets=[listener]`."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            loop="uvloop",
            http="httptools",
            access_log=False,
            log_level="warning",
            timeout_graceful_shutdown=SHUTDOWN_S,
        )
    )

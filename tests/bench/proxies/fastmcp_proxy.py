"""`fastmcp`: FastMCP proxying one connected client, JSON answers; runs only where `fastmcp` is installed.

As documented (`create_proxy(url)`) FastMCP opens a new HTTP client for each call and costs ten times more;
a connected client is its fastest form.
"""

from __future__ import annotations

from importlib import import_module

import uvloop

from tests.bench.proxies.serving import Arguments, arguments, server


async def run(given: Arguments) -> None:
    """Connect upstream and serve until ended."""
    # Imported by name: fastmcp is optional, and no part of the project's environment.
    client_type = import_module("fastmcp").Client
    create_proxy = import_module("fastmcp.server").create_proxy
    async with client_type(given.upstream_url) as upstream:
        app = create_proxy(upstream, name="fastmcp").http_app(path="/mcp", json_response=True)
        await server(app).serve(sockets=[given.listener])


if __name__ == "__main__":
    uvloop.run(run(arguments(__doc__)))

"""`star-raw`: the same pass-through as one would write it in Starlette."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.bench.proxies.serving import arguments, server
from tests.bench.wire import HOP_BY_HOP, Pool


def pass_through(pool: Pool) -> Starlette:
    """The proxy as a Starlette application with the one route `/mcp`."""

    async def forward(request: Request) -> Response:
        body = await request.body()
        answer = await pool.request(request.method.encode(), b"/mcp", request.headers.raw, body)
        headers = {
            name.decode("latin-1"): value.decode("latin-1")
            for name, value in answer.headers
            if name not in HOP_BY_HOP
        }
        return Response(answer.body, answer.status, headers)

    return Starlette(routes=[Route("/mcp", forward, methods=["GET", "POST", "DELETE"])])


if __name__ == "__main__":
    given = arguments(__doc__)
    server(pass_through(Pool("127.0.0.1", given.upstream_port))).run(sockets=[given.listener])

"""`raw-asgi`: the least an ASGI pass-through can do: read the body, one pooled exchange, write the answer."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from tests.bench.proxies.serving import arguments, server
from tests.bench.wire import HOP_BY_HOP, Pool


def pass_through(pool: Pool) -> ASGIApp:
    """The proxy as a bare ASGI callable; anything but HTTP is left unanswered."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        message = await receive()
        body: bytes = message["body"]
        while message["more_body"]:
            message = await receive()
            body += message["body"]
        answer = await pool.request(scope["method"].encode(), scope["raw_path"], scope["headers"], body)
        headers = [header for header in answer.headers if header[0] not in HOP_BY_HOP]
        headers.append((b"content-length", b"%d" % len(answer.body)))
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})

    return app


if __name__ == "__main__":
    given = arguments(__doc__)
    server(pass_through(Pool("127.0.0.1", given.upstream_port))).run(sockets=[given.listener])

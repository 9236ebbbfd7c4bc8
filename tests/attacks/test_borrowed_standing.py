"""Borrowed standing: at a server that knows each caller, a caller learns by a lookup what only the gateway may read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.identity.credentials import Credentials, Secret
from gateway.policy.amounts import Amounts
from gateway.serving import serving
from gateway.upstream.mcp_http import McpHttp
from gateway.upstream.oauth import OAuth
from gateway.upstream.paypal import toolkit_money
from gateway.upstream.paypal.toolkit import Toolkit
from gateway.upstream.token_endpoint import Registration, TokenEndpoint
from tests.support.token_server import TokenServer, granted, running_token_server
from tests.support.toolkit_server import ToolkitServer
from tests.support.walking import a_call

ORDER = {"purchase_units": [{"amount": {"currency_code": "USD", "value": "49.00"}}]}


class Showing:
    """Keeps what each request showed to be let in, and lets it in."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.calls: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request; those that are ``tools/call`` are kept."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        message = await receive()
        if b'"tools/call"' in message.get("body", b""):
            self.calls.append(dict(scope["headers"])[b"authorization"].decode())
        given = [message]

        async def again() -> Message:
            return given.pop() if given else await receive()

        await self._app(scope, again, send)


@asynccontextmanager
async def exchanging() -> AsyncIterator[tuple[Amounts, Showing, TokenServer]]:
    """Lookups at PayPal's own server behind token exchange."""
    toolkit = ToolkitServer()
    toolkit.answer = ORDER
    showing = Showing(toolkit.server().streamable_http_app())

    async def grant(form: dict[str, str]) -> Response:
        subject = form.get("subject_token")
        return granted("own" if subject is None else f"for-{subject}")

    async with running_token_server() as tokens, serving(showing, lifespan=True) as port:
        tokens.answer = grant
        registration = Registration(token_url=tokens.url, client_id="gateway", client_secret=Secret(b"s"))
        url = f"http://127.0.0.1:{port}/mcp"
        credential = OAuth("pp", TokenEndpoint(registration), exchange=True)
        upstream = Toolkit(McpHttp("pp", url, version="0", timeout_s=20, credential=credential))
        try:
            yield Amounts({"pp": toolkit_money}, {"pp": upstream}), showing, tokens
        finally:
            await upstream.aclose()


async def test_a_lookup_is_made_as_its_caller() -> None:
    """Each caller's amount is read with that caller's exchanged token, never with the gateway's, nor with another's."""
    async with exchanging() as (amounts, showing, _):
        for name in ("ann", "bob"):
            bearer = Credentials(bearer=Secret(name.encode()))
            money = await amounts.of(
                a_call("pay_order", {"id": "5O190127TN364715T"}, server="pp", credentials=bearer)
            )
            assert money is not None
            assert money.amount == "49.00"
        assert showing.calls == ["Bearer for-ann", "Bearer for-bob"]


async def test_who_cannot_be_exchanged_learns_nothing() -> None:
    """The issuer refuses the caller's token: the amount stays unknown, and the gateway's own token is not used."""
    async with exchanging() as (amounts, showing, tokens):

        async def refuse(form: dict[str, str]) -> Response:
            return Response(status_code=400) if "subject_token" in form else granted("own")

        tokens.answer = refuse
        bearer = Credentials(bearer=Secret(b"mallory"))
        money = await amounts.of(
            a_call("pay_order", {"id": "5O190127TN364715T"}, server="pp", credentials=bearer)
        )
        assert money is not None
        assert money.amount is None
        assert showing.calls == []

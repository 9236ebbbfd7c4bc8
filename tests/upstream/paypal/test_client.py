"""The HTTP leg: tokens, bounds, headers; secrets stay inside."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from gateway.upstream.paypal.api import ApiReply, ApiRequest, NotSent
from gateway.upstream.paypal.client import PRODUCTION, SANDBOX, Limits, checked_base_url, connect
from gateway.upstream.paypal.server import PayPalServer
from gateway.upstream.paypal.simulator import PayPalSimulator, create_simulator, seeds
from gateway.upstream.paypal.simulator.faults import Fault
from gateway.upstream.paypal.token import ClientCredentials, ClientCredentialsToken
from tests.upstream.paypal.conversation import (
    ARGUMENTS,
    BASE_URL,
    CREDENTIALS,
    Conversation,
    outcome,
    upstream,
)

SHOW_ORDER = ApiRequest(method="GET", path=f"/v2/checkout/orders/{seeds.COMPLETED_ORDER}")


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


async def call_with(server: PayPalServer, tool: str) -> dict[str, Any]:
    """One call on a server of the test's own making."""
    params = {"name": tool, "arguments": ARGUMENTS[tool]}
    response = await server.handle({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params})
    assert response is not None
    result: dict[str, Any] = response["result"]
    return result


@pytest.mark.parametrize(
    "url", [SANDBOX, PRODUCTION, "http://127.0.0.1:8900", "http://[::1]:8900/", "http://localhost"]
)
def test_accepts_https_and_loopback(url: str) -> None:
    """PayPal's hosts, any https host, and this very machine."""
    assert checked_base_url(url) == url.rstrip("/")


@pytest.mark.parametrize(
    "url",
    [
        "http://api-m.paypal.com",
        "http://127.0.0.1@evil.example",
        "https://user:pw@api-m.paypal.com",
        "https://api-m.paypal.com/v2",
        "https://api-m.paypal.com?x=1",
        "ftp://127.0.0.1",
        "api-m.paypal.com",
        "http://127.0.0.1.evil.example",
        "",
    ],
)
def test_refuses_base_urls_that_would_leak_the_token(url: str) -> None:
    """Plain http to elsewhere, hidden hosts, and paths that would shift every request."""
    with pytest.raises(ValueError, match="base URL"):
        checked_base_url(url)


def test_wants_one_kind_of_credential() -> None:
    """Neither or both is a mistake in the configuration."""
    with pytest.raises(ValueError, match="either"):
        connect(SANDBOX)
    with pytest.raises(ValueError, match="either"):
        connect(SANDBOX, access_token="A21", credentials=lambda: CREDENTIALS)


def test_shows_no_secret_in_a_repr() -> None:
    """Credentials can be logged by accident and say nothing."""
    assert "simulator-secret" not in repr(CREDENTIALS)


async def test_asks_for_one_token_however_many_calls_wait() -> None:
    """Ten calls that all find no token make one token request, even while its answer is pending."""
    asked, arrived, answer_now = 0, asyncio.Event(), asyncio.Event()

    async def slow(_: httpx.Request) -> httpx.Response:
        nonlocal asked
        asked += 1
        arrived.set()
        await answer_now.wait()
        return httpx.Response(200, json={"access_token": "A21", "expires_in": 900})

    async with httpx.AsyncClient(transport=httpx.MockTransport(slow)) as http:
        source = ClientCredentialsToken(http, BASE_URL + "/v1/oauth2/token", lambda: CREDENTIALS)
        waiting = [asyncio.create_task(source.token()) for _ in range(10)]
        await arrived.wait()
        for _ in range(50):  # every other task has had its turn
            await asyncio.sleep(0)
        answer_now.set()
        assert await asyncio.gather(*waiting) == ["A21"] * 10
    assert asked == 1


@pytest.fixture
async def tokens(anyio_backend: str) -> AsyncIterator[tuple[ClientCredentialsToken, Clock, PayPalSimulator]]:
    """A token source with a clock of its own, and the simulator it asks."""
    clock, simulator = Clock(), PayPalSimulator(lifetime=1000)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(create_simulator(simulator))) as http:
        url = BASE_URL + "/v1/oauth2/token"
        yield ClientCredentialsToken(http, url, lambda: CREDENTIALS, clock=clock), clock, simulator


async def test_renews_a_token_early(tokens: tuple[ClientCredentialsToken, Clock, PayPalSimulator]) -> None:
    """A tenth of its life before it ends, and not sooner."""
    source, clock, simulator = tokens
    first = await source.token()
    clock.now += 899
    assert await source.token() == first
    clock.now += 2
    assert await source.token() != first
    assert simulator.tokens.fetches == 2


async def test_forgets_only_the_token_that_was_rejected(
    tokens: tuple[ClientCredentialsToken, Clock, PayPalSimulator],
) -> None:
    """A late rejection of an old token does not throw away its successor."""
    source, _, simulator = tokens
    old = await source.token()
    assert source.rejected(old)
    new = await source.token()
    source.rejected(old)
    assert await source.token() == new
    assert simulator.tokens.fetches == 2


async def test_fetches_a_new_token_once_after_a_401(paypal: Conversation) -> None:
    """A token that PayPal forgot is replaced, and the call is made with the new one."""
    await paypal.call("get_order", ARGUMENTS["get_order"])
    paypal.simulator.tokens.revoke_all()
    result = await paypal.call("create_refund", ARGUMENTS["create_refund"], "tx-1")
    assert outcome(result) == "executed"
    assert paypal.simulator.tokens.fetches == 2
    assert [call.status for call in paypal.simulator.calls] == [200, 401, 201]
    assert [call.request_id for call in paypal.simulator.calls] == [None, "tx-1", "tx-1"]


async def test_gives_up_after_a_second_401(paypal: Conversation) -> None:
    """There is no third try, and the refusal is definite."""
    body = {"error": "invalid_token", "error_description": "Access Token not found in cache"}
    paypal.simulator.faults.add(Fault(kind="status", status=401, body=body, times=9))
    result = await paypal.call("create_refund", ARGUMENTS["create_refund"])
    assert (outcome(result), upstream(result)["status"]) == ("refused", 401)
    assert len(paypal.simulator.calls) == 2


async def test_uses_a_rotated_secret_without_a_restart() -> None:
    """Credentials are read again for each token."""
    simulator = PayPalSimulator(client_secret="new")
    current = ["old"]
    client = connect(
        BASE_URL,
        credentials=lambda: ClientCredentials("simulator-client", current[0]),
        transport=httpx.ASGITransport(create_simulator(simulator)),
    )
    with pytest.raises(NotSent, match="client id and secret"):
        await client.send(SHOW_ORDER)
    current[0] = "new"
    assert (await client.send(SHOW_ORDER)).status == 200
    await client.aclose()


async def test_says_clearly_that_a_static_token_is_dead() -> None:
    """It cannot be renewed; the call was refused and the token is not shown."""
    transport = httpx.ASGITransport(create_simulator())
    server = PayPalServer(connect(BASE_URL, access_token="A21AAdead", transport=transport))
    result = await call_with(server, "create_refund")
    assert outcome(result) == "refused"
    assert "does not accept the configured access token" in result["content"][0]["text"]
    assert "A21AAdead" not in json.dumps(result)
    await server.aclose()


async def test_works_with_a_good_static_token() -> None:
    """PAYPAL_ACCESS_TOKEN alone is enough."""
    simulator = PayPalSimulator()
    transport = httpx.ASGITransport(create_simulator(simulator))
    server = PayPalServer(connect(BASE_URL, access_token=simulator.tokens.issue(), transport=transport))
    assert outcome(await call_with(server, "create_refund")) == "executed"
    await server.aclose()


Handler = Callable[[httpx.Request], httpx.Response]


async def exchange(handler: Handler, **limits: Any) -> ApiReply:
    """One request to a server of the test's own making."""
    client = connect(
        BASE_URL, access_token="SECRET-TOKEN", transport=httpx.MockTransport(handler), limits=Limits(**limits)
    )
    try:
        return await client.send(SHOW_ORDER)
    finally:
        await client.aclose()


async def test_takes_its_own_token_out_of_what_comes_back() -> None:
    """An upstream that echoes our headers does not hand the token down."""
    reply = await exchange(lambda request: httpx.Response(422, json={"h": request.headers["authorization"]}))
    assert b"SECRET-TOKEN" not in reply.body
    assert b"[redacted]" in reply.body


async def test_stops_reading_a_body_without_end() -> None:
    """The status is kept, the body is not."""
    reply = await exchange(lambda _: httpx.Response(200, content=b"x" * 5000), response_bytes=4096)
    assert (reply.status, reply.complete, reply.body) == (200, False, b"")


async def test_says_not_sent_when_nobody_listens() -> None:
    """A refused connection is a definite no."""

    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    with pytest.raises(NotSent, match="Nothing was sent"):
        await exchange(refuse)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, {}),
        (200, {}),
        (200, {"access_token": "bad\ntoken", "expires_in": 9}),
        (200, {"access_token": "", "expires_in": 9}),
    ],
)
async def test_sends_nothing_without_a_token(status: int, body: dict[str, Any]) -> None:
    """A token endpoint in trouble means that the call was never made."""
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.path)
        return httpx.Response(status, json=body)

    server = PayPalServer(
        connect(BASE_URL, credentials=lambda: CREDENTIALS, transport=httpx.MockTransport(answer))
    )
    result = await call_with(server, "create_refund")
    assert outcome(result) == "refused"
    assert seen == ["/v1/oauth2/token"]
    await server.aclose()


async def test_sends_what_paypal_expects() -> None:
    """Bearer token, JSON, Prefer and the transaction id; no cookie and nothing of a caller's."""
    paypal = Conversation()
    await paypal.call("create_refund", ARGUMENTS["create_refund"], "tx-77")
    (call,) = paypal.simulator.calls
    assert call.prefer == "return=representation"
    assert call.request_id == "tx-77"
    assert call.headers["content-type"] == "application/json"
    assert call.headers["authorization"].startswith("Bearer A21")
    assert set(call.headers) <= {
        *("accept", "accept-encoding", "authorization", "connection", "content-length", "content-type"),
        *("host", "paypal-request-id", "prefer", "user-agent"),
    }
    await paypal.aclose()


async def test_does_not_read_the_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """HTTPS_PROXY in somebody's shell does not see PayPal's tokens unless it is asked for."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    for asked, mounts in ((False, 0), (True, 1)):
        client = connect("http://127.0.0.1:1", access_token="A", use_environment_proxy=asked)
        assert bool(client._http._mounts) is bool(mounts)
        await client.aclose()

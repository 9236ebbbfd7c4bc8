"""A real token endpoint on a socket: what is sent to it, and answers that are not believed."""

import base64
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response

from gateway.identity.credentials import Secret
from gateway.upstream.token_endpoint import (
    ACCESS_TOKEN,
    ASSUMED_LIFE_S,
    EXCHANGE,
    MAX_ANSWER_BYTES,
    MAX_LIFE_S,
    NoToken,
    Registration,
    TokenEndpoint,
)
from tests.support.token_server import TokenServer, granted, running_token_server

CALLERS = "unsafe-test-token-of-the-caller"
SECRET = "unsafe secret: with & and +"


@pytest.fixture
async def server() -> AsyncIterator[TokenServer]:
    """The endpoint."""
    async with running_token_server() as running:
        yield running


def endpoint(server: TokenServer, *, deadline_s: float = 20, **members: Any) -> TokenEndpoint:
    """The gateway's side."""
    registration = Registration(
        token_url=server.url, client_id="gate:way", client_secret=Secret(SECRET.encode()), **members
    )
    return TokenEndpoint(registration, deadline_s=deadline_s)


async def refusal(asked: TokenEndpoint, subject: Secret | None = None) -> NoToken:
    """Why there is no token."""
    with pytest.raises(NoToken) as caught:
        await asked.ask(subject)
    return caught.value


async def test_client_credentials_by_basic(server: TokenServer) -> None:
    """RFC 6749 sections 2.3.1 and 4.4.2: the pair is form-encoded first; the secret is not in the form."""
    grant = await endpoint(server, scopes=("a", "b:c"), resource="https://x.example/mcp").ask(None)
    assert (grant.token.expose(), grant.life_s) == (b"granted-1", 600)
    assert server.forms == [
        {"grant_type": "client_credentials", "scope": "a b:c", "resource": "https://x.example/mcp"}
    ]
    pair = base64.b64decode(server.headers[0]["authorization"].removeprefix("Basic ")).decode()
    assert pair == "gate%3Away:unsafe+secret%3A+with+%26+and+%2B"


async def test_client_credentials_by_post(server: TokenServer) -> None:
    """In the form, and in no header."""
    await endpoint(server, auth_method="client_secret_post", audience="crm").ask(None)
    assert server.forms == [
        {
            "grant_type": "client_credentials",
            "audience": "crm",
            "client_id": "gate:way",
            "client_secret": SECRET,
        }
    ]
    assert "authorization" not in server.headers[0]


async def test_an_exchange(server: TokenServer) -> None:
    """RFC 8693 section 2.1."""
    await endpoint(server, resource="https://x.example/mcp").ask(Secret(CALLERS.encode()))
    assert server.forms == [
        {
            "grant_type": EXCHANGE,
            "subject_token": CALLERS,
            "subject_token_type": ACCESS_TOKEN,
            "requested_token_type": ACCESS_TOKEN,
            "resource": "https://x.example/mcp",
        }
    ]
    assert CALLERS not in str(server.headers)


async def test_lives(server: TokenServer) -> None:
    """What was told, within bounds."""
    lives = []
    for told in (None, 0.5, 10**12):

        async def answer(form: dict[str, str], told: Any = told) -> Response:
            return granted("t", expires_in=told)

        server.answer = answer
        lives.append((await endpoint(server).ask(None)).life_s)
    assert lives == [ASSUMED_LIFE_S, 0.5, MAX_LIFE_S]


LIES: dict[str, Response] = {
    "no JSON": PlainTextResponse("told-nobody"),
    "a list": JSONResponse(["told-nobody"]),
    "no token": granted("t", access_token=None),
    "a number": granted("t", access_token=5),
    "an empty token": granted(""),
    "two headers": granted("told-nobody\r\nx-admin: 1"),
    "two tokens": granted("told nobody"),
    "another alphabet": granted("töld"),
    "a token that is too long": granted("x" * 8193),
    "no type": granted("t", token_type=None),
    "another type": granted("t", token_type="DPoP"),
    "expired": granted("t", expires_in=0),
    "long expired": granted("t", expires_in=-5),
    "a life in words": granted("t", expires_in="told-nobody"),
    "a life that is none": granted("t", expires_in=True),
    "more than is read": JSONResponse({"told-nobody": "x" * MAX_ANSWER_BYTES}),
    "a depth": Response(b"[" * 20_000),
    "an error": JSONResponse({"error": "told-nobody"}, status_code=400),
    "an error of the server": PlainTextResponse("told-nobody", status_code=503),
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
async def test_an_answer_that_is_not_believed(
    lie: Response, server: TokenServer, caplog: pytest.LogCaptureFixture
) -> None:
    """And not repeated to anybody."""

    async def answer(form: dict[str, str]) -> Response:
        return lie

    server.answer = answer
    with caplog.at_level(logging.DEBUG, logger="countersign"):
        problem = await refusal(endpoint(server))
    assert problem.down == (lie.status_code == 503 or len(lie.body) > MAX_ANSWER_BYTES)
    assert "told-nobody" not in problem.what + caplog.text


@pytest.mark.parametrize("kind", [None, "urn:ietf:params:oauth:token-type:id_token", "access_token"])
async def test_an_exchange_for_something_else(kind: str | None, server: TokenServer) -> None:
    """``issued_token_type`` is required, and N_A is not what the target wants (RFC 8693 section 2.2.1)."""

    async def answer(form: dict[str, str]) -> Response:
        return granted("t", issued_token_type=kind)

    server.answer = answer
    assert not (await refusal(endpoint(server), Secret(b"subject"))).down


async def test_the_callers_own_token_given_back_as_if_exchanged(server: TokenServer) -> None:
    """It would reach the target in the gateway's hand."""

    async def echo(form: dict[str, str]) -> Response:
        return granted(form["subject_token"])

    server.answer = echo
    problem = await refusal(endpoint(server), Secret(CALLERS.encode()))
    assert "own token" in problem.what
    assert CALLERS not in problem.what


async def test_a_redirect_is_not_followed(server: TokenServer) -> None:
    """Secret and subject token would go where nobody looked."""

    async def lead_astray(form: dict[str, str]) -> Response:
        return RedirectResponse(server.url.replace("/token", "/elsewhere"), status_code=307)

    server.answer = lead_astray
    assert "307" in (await refusal(endpoint(server), Secret(CALLERS.encode()))).what
    assert server.elsewhere == []


async def test_an_endpoint_that_is_slow(server: TokenServer) -> None:
    """Costs a bounded wait."""
    server.answer = server.grant_later
    assert (await refusal(endpoint(server, deadline_s=0.2))).down


async def test_an_endpoint_that_is_not_there() -> None:
    """A refused connection is as good as silence."""
    async with running_token_server() as server:
        gone = endpoint(server)
    assert (await refusal(gone)).down


async def test_a_secret_does_not_leave_in_the_clear() -> None:
    """What settings refuse is refused here once more."""
    server = TokenServer()
    server.url = "http://idp.example/token"
    await refusal(endpoint(server))
    assert server.forms == []

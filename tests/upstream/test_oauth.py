"""Tokens of the gateway's own and exchanged ones: kept, renewed, dropped; the target never sees the caller's."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from starlette.responses import JSONResponse, Response

from gateway.door.host import NOBODY, Host
from gateway.errors import UpstreamUnavailable
from gateway.identity.credentials import Secret
from gateway.upstream.mcp_http import McpHttp
from gateway.upstream.oauth import MAX_ASKED, MAX_KEPT, PAUSE_S, OAuth
from gateway.upstream.target import Effect
from gateway.upstream.token_endpoint import Registration, TokenEndpoint
from tests.support.foreign_server import ForeignServer, definition
from tests.support.foreign_server import serving as serving_foreign
from tests.support.raw_mcp import Exchange, RawServer, raw_mcp
from tests.support.recording_host import RecordingHost
from tests.support.token_server import TokenServer, granted, running_token_server

CALLERS = "unsafe-test-token-of-the-caller"


class Time:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.s = 1_000.0

    def __call__(self) -> float:
        """Seconds."""
        return self.s


@pytest.fixture
def time() -> Time:
    """It stands still."""
    return Time()


@pytest.fixture
async def server() -> AsyncIterator[TokenServer]:
    """The token endpoint."""
    async with running_token_server() as running:
        yield running


def oauth(server: TokenServer, time: Time, *, exchange: bool = False) -> OAuth:
    """The credential at the server "crm"."""
    registration = Registration(token_url=server.url, client_id="gateway", client_secret=Secret(b"s"))
    return OAuth("crm", TokenEndpoint(registration, deadline_s=20), exchange=exchange, clock=time)


def caller(token: str = CALLERS) -> RecordingHost:
    """A host that came with this token."""
    host = RecordingHost()
    host.subject_token = Secret(token.encode())
    return host


async def failure(credential: OAuth, host: Any = NOBODY) -> UpstreamUnavailable:
    """Why there is none."""
    with pytest.raises(UpstreamUnavailable) as caught:
        await credential.authorization(host)
    assert caught.value.code == "upstream.credential"
    return caught.value


async def test_a_token_is_asked_for_once_and_renewed_early(server: TokenServer, time: Time) -> None:
    """600 s of life: until 60 s before its end it is the same."""
    credential = oauth(server, time)
    assert await credential.authorization(caller()) == b"Bearer granted-1"
    time.s += 539
    assert await credential.authorization(NOBODY) == b"Bearer granted-1"
    time.s += 1
    assert await credential.authorization(NOBODY) == b"Bearer granted-2"
    assert [form["grant_type"] for form in server.forms] == ["client_credentials"] * 2


async def test_many_who_wait_ask_once(server: TokenServer, time: Time) -> None:
    """And whoever asked first may go away."""
    server.answer = server.grant_later
    credential = oauth(server, time)
    first, *others = [asyncio.create_task(credential.authorization(NOBODY)) for _ in range(20)]
    await server.asked.wait()
    first.cancel()
    server.goes_on.set()
    assert set(await asyncio.gather(*others)) == {b"Bearer granted-1"}
    assert len(server.forms) == 1


async def test_a_token_that_the_target_refused_is_not_handed_out_again(
    server: TokenServer, time: Time
) -> None:
    """Only that one: a late refusal of the one before changes nothing."""
    credential = oauth(server, time)
    old = await credential.authorization(NOBODY)
    credential.refused(old)
    new = await credential.authorization(NOBODY)
    credential.refused(old)
    assert old != new == await credential.authorization(NOBODY)


async def test_an_endpoint_that_is_away_for_a_moment(server: TokenServer, time: Time) -> None:
    """The token that is being renewed is used to its end, and not a moment longer; the endpoint gets a pause."""
    credential = oauth(server, time)
    await credential.authorization(NOBODY)

    async def away(form: dict[str, str]) -> Response:
        return Response(status_code=503)

    server.answer = away
    time.s += 599
    assert await credential.authorization(NOBODY) == b"Bearer granted-1"
    assert await credential.authorization(NOBODY) == b"Bearer granted-1"
    assert len(server.forms) == 2
    time.s += PAUSE_S
    await failure(credential)
    await failure(credential)
    assert len(server.forms) == 3
    server.answer = server.grant
    time.s += PAUSE_S
    assert await credential.authorization(NOBODY) == b"Bearer granted-4"


async def test_an_endpoint_that_refuses_to_renew(server: TokenServer, time: Time) -> None:
    """Has revoked something: what is left of the old token's life is not used."""
    credential = oauth(server, time, exchange=True)
    await credential.authorization(caller())

    async def refuse(form: dict[str, str]) -> Response:
        return JSONResponse({"error": "invalid_grant"}, status_code=400)

    server.answer = refuse
    time.s += 541
    said = await failure(credential, caller())
    assert "HTTP 400" in said.message
    assert "invalid_grant" not in said.message
    server.answer = server.grant
    assert await credential.authorization(caller()) == b"Bearer granted-3"


async def test_each_caller_has_an_exchanged_token_of_its_own(server: TokenServer, time: Time) -> None:
    """And the gateway's own questions go with the gateway's own."""
    credential = oauth(server, time, exchange=True)
    hosts: list[Host] = [caller("alice"), caller("bob"), caller("alice"), NOBODY, RecordingHost()]
    values = [await credential.authorization(host) for host in hosts]
    assert values == [b"Bearer granted-%d" % number for number in (1, 2, 1, 3, 3)]
    assert [form.get("subject_token") for form in server.forms] == ["alice", "bob", None]


async def test_without_exchange_the_callers_token_stays_here(server: TokenServer, time: Time) -> None:
    """Not even the token endpoint sees it."""
    await oauth(server, time).authorization(caller())
    assert CALLERS not in f"{server.forms}{server.headers}"


async def test_one_callers_refusal_is_not_anothers(server: TokenServer, time: Time) -> None:
    """The endpoint answered: nobody has to wait for a pause."""
    credential = oauth(server, time, exchange=True)

    async def only_alice(form: dict[str, str]) -> Response:
        good = form.get("subject_token") == "alice"
        return granted("for-alice") if good else JSONResponse({"error": "x"}, status_code=400)

    server.answer = only_alice
    await failure(credential, caller("mallory"))
    assert await credential.authorization(caller("alice")) == b"Bearer for-alice"


async def test_what_is_kept_is_bounded(server: TokenServer, time: Time) -> None:
    """Of too many callers the one who was not here for longest is exchanged anew; the gateway's own token stays."""
    credential = oauth(server, time, exchange=True)
    own = await credential.authorization(NOBODY)
    server.asked.clear()
    for number in range(MAX_KEPT):
        await credential.authorization(caller(f"c{number}"))
    before = len(server.forms)
    assert await credential.authorization(NOBODY) == own
    await credential.authorization(caller(f"c{MAX_KEPT - 1}"))
    assert len(server.forms) == before
    await credential.authorization(caller("c0"))
    assert len(server.forms) == before + 1


async def test_questions_under_way_are_bounded(server: TokenServer, time: Time) -> None:
    """Made-up callers must not become a flood at the authorization server."""
    server.answer = server.grant_later
    credential = oauth(server, time, exchange=True)
    waiting = [
        asyncio.create_task(credential.authorization(caller(f"c{number}"))) for number in range(MAX_ASKED)
    ]
    await server.asked.wait()
    await failure(credential, caller("one too many"))
    server.goes_on.set()
    await asyncio.gather(*waiting)
    assert await credential.authorization(caller("one too many"))


async def test_the_callers_own_token_never_reaches_the_target(
    server: TokenServer, time: Time, caplog: pytest.LogCaptureFixture
) -> None:
    """Invariant 6, on two real sockets: what the target sees is what was exchanged for it."""
    foreign = ForeignServer(definition("note"))
    async with serving_foreign(foreign):
        upstream = McpHttp("crm", foreign.url, version="0", credential=oauth(server, time, exchange=True))
        await upstream.definitions()
        reply = await upstream.call("note", {}, transaction_id="t", meta={}, host=caller())
        await upstream.aclose()
    assert reply.effect is Effect.EXECUTED
    own, exchanged = "Bearer granted-1", "Bearer granted-2"
    assert [form.get("subject_token") for form in server.forms] == [None, CALLERS]
    shown = [one["authorization"] for one in foreign.headers]
    assert (shown[0], shown[-1], set(shown)) == (own, exchanged, {own, exchanged})
    assert CALLERS not in f"{foreign.headers}{foreign.raw}{caplog.text}"


async def test_no_caller_shares_a_session_at_an_older_server_that_sees_who_opened_it(
    server: TokenServer, time: Time
) -> None:
    """Attack: a server that knows people by their session would take everybody for the one who opened it."""

    async def called(one: Exchange) -> None:
        await one.answer(result={"content": []})

    older = RawServer(called)
    async with raw_mcp(older, credential=oauth(server, time, exchange=True)) as upstream:
        for token in ("one", "two", "one"):
            host = caller(token)
            host.key = None
            reply = await upstream.call("note", {}, transaction_id="t", meta={}, host=host)
            assert reply.effect is Effect.EXECUTED
    shown = [(one.header("mcp-session-id"), one.header("authorization")) for one in older.calls]
    assert len(set(shown)) == 2
    assert shown[0] == shown[2]
    opened = {one.header("authorization") for one in older.of("initialize")}
    assert opened == {"Bearer granted-1", *(authorization for _, authorization in shown)}


async def test_without_a_credential_the_target_is_not_contacted(server: TokenServer, time: Time) -> None:
    """A lying endpoint that gives the caller's token back included."""

    async def echo(form: dict[str, str]) -> Response:
        return granted(form.get("subject_token", "own"))

    server.answer = echo
    foreign = ForeignServer(definition("note"))
    async with serving_foreign(foreign):
        upstream = McpHttp("crm", foreign.url, version="0", credential=oauth(server, time, exchange=True))
        await upstream.definitions()
        before = len(foreign.headers)
        with pytest.raises(UpstreamUnavailable) as caught:
            await upstream.call("note", {}, transaction_id="t", meta={}, host=caller())
        await upstream.aclose()
    assert caught.value.code == "upstream.credential"
    assert len(foreign.headers) == before
    assert CALLERS not in msgspec.json.encode(caught.value.data).decode() + caught.value.message

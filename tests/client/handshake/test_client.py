"""The clients over real HTTP, each test with both of them."""

from __future__ import annotations

import copy
import json
import logging
import os
import pickle
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import jwt
import pytest
from starlette.responses import JSONResponse, Response

from gateway.client import (
    AuthorizationFailed,
    BoundToken,
    ConfigurationRefused,
    Confirmation,
    ConfirmationPending,
    ExecutionFailed,
    HandshakeClient,
    KeySigner,
    OutcomeUnknown,
    ParametersRefused,
    Prover,
    SyncHandshakeClient,
    Timeouts,
)
from gateway.client.keys import hash_of_token
from tests.support.handshake_service import (
    NO_FUNDS,
    PAID,
    SESSION,
    Posted,
    at,
    handshake_service,
    in_thread,
)
from tests.support.keys import signing_key
from tests.support.scripted_http import answering, serve

REFUND = {"capture_id": "C-1", "amount": {"value": "5.00", "currency": "EUR"}}
FAST = Timeouts(poll=0.01, confirmation=30)

Run = Callable[[str, Mapping[str, Any]], Awaitable[Any]]
Opened = Callable[..., Any]


@asynccontextmanager
async def async_client(url: str, token: Any = SESSION, **how: Any) -> AsyncIterator[Run]:
    """The asynchronous one."""
    async with HandshakeClient(url, token, **{"timeouts": FAST, **how}) as client:
        yield client.execute_with_handshake


@asynccontextmanager
async def sync_client(url: str, token: Any = SESSION, **how: Any) -> AsyncIterator[Run]:
    """The other one, in a thread."""
    with SyncHandshakeClient(url, token, **{"timeouts": FAST, **how}) as client:

        async def run(tool: str, parameters: Mapping[str, Any]) -> Any:
            return await in_thread(client.execute_with_handshake, tool, parameters)

        yield run


@pytest.fixture(params=[async_client, sync_client], ids=["async", "sync"])
def opened(request: pytest.FixtureRequest) -> Opened:
    """Either client."""
    made: Opened = request.param
    return made


async def test_both_phases_have_the_bodies_of_the_guide(opened: Opened) -> None:
    """Two posts, the token in body and header, the result as it came."""
    async with handshake_service() as service, opened(service.url) as run:
        assert await run("create_refund", REFUND) == PAID
        first, second = service.came
        assert first.path == "/authorize"
        assert first.body == {"sessionToken": SESSION, "tool": "create_refund", "parameters": REFUND}
        token = service.handed_out[0]
        assert second.path == "/execute"
        assert second.body == first.body | {"ephemeralToken": token}
        assert second.headers["x-ephemeral-token"] == token
        assert service.executed == [("create_refund", REFUND)]


async def test_a_base_path_and_a_server_are_kept(opened: Opened) -> None:
    """The gateway may be below a path, and have several servers."""
    async with handshake_service() as service, opened(f"{service.url}/", server="depot") as run:
        await run("ship_parcel", {})
        assert [(one.path, one.body["server"]) for one in service.came] == [
            ("/authorize", "depot"),
            ("/execute", "depot"),
        ]


@pytest.mark.parametrize(
    ("status", "said"), [(401, "Invalid session"), (403, "No approval."), (400, "Nothing to authorise.")]
)
async def test_a_refused_authorisation_executes_nothing(opened: Opened, status: int, said: str) -> None:
    """The error has the gateway's words; there is no second phase."""
    answer = at("/authorize", status, {"error": said, "code": "some.code"})
    async with handshake_service(answer=answer) as service, opened(service.url) as run:
        with pytest.raises(AuthorizationFailed) as caught:
            await run("create_refund", REFUND)
        assert str(caught.value) == f"Authorization failed: {said}"
        assert (caught.value.status, caught.value.code) == (status, "some.code")
        assert service.posts("/execute") == []


@pytest.mark.parametrize("said", ["Invalid or expired token", "Transaction mismatch", "Invalid session"])
async def test_a_refused_execution_is_not_tried_again(opened: Opened, said: str) -> None:
    """The token was shown once; whether it is shown again is not for a library to decide."""
    answer = at("/execute", 403, {"error": said})
    async with handshake_service(answer=answer) as service, opened(service.url) as run:
        with pytest.raises(ExecutionFailed, match=f"^Execution failed: {said}$"):
            await run("create_refund", REFUND)
        assert len(service.posts("/execute")) == 1


async def test_a_refusal_of_the_target_keeps_its_result(opened: Opened) -> None:
    """400 with the result: the target was asked, and said no."""
    async with (
        handshake_service(fails=frozenset({"create_refund"})) as service,
        opened(service.url) as run,
    ):
        with pytest.raises(ExecutionFailed, match=r"^Execution failed: no funds$") as caught:
            await run("create_refund", REFUND)
        assert caught.value.result == NO_FUNDS


@pytest.mark.parametrize("phase", ["/authorize", "/execute"])
async def test_a_limit_says_when_to_come_again(opened: Opened, phase: str) -> None:
    """429 with Retry-After is handed on, and not waited for here."""
    answer = at(phase, 429, {"error": "Too many calls."}, {"retry-after": "7"})
    async with handshake_service(answer=answer) as service, opened(service.url) as run:
        with pytest.raises((AuthorizationFailed, ExecutionFailed)) as caught:
            await run("create_refund", REFUND)
        assert (caught.value.status, caught.value.retry_after_s) == (429, 7)
        assert service.executed == []


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_an_outcome_that_nobody_knows_is_no_failure(opened: Opened, status: int) -> None:
    """Whoever reads "it failed" pays twice."""
    answer = at("/execute", status, {"error": "The outcome is unknown.", "code": "upstream.outcome_unknown"})
    async with handshake_service(answer=answer) as service, opened(service.url) as run:
        with pytest.raises(OutcomeUnknown, match="Do not repeat") as caught:
            await run("create_refund", REFUND)
        assert caught.value.transaction_id == "tx-1"
        assert not isinstance(caught.value, ExecutionFailed)
        assert len(service.posts("/execute")) == 1


async def test_what_the_gateway_could_not_do_is_a_failure(opened: Opened) -> None:
    """Its own 503 has a call id: nothing was sent."""
    body = {"error": "No policy.", "code": "policy.unavailable", "callId": "c"}
    async with (
        handshake_service(answer=at("/execute", 503, body)) as service,
        opened(service.url) as run,
    ):
        with pytest.raises(ExecutionFailed, match="No policy"):
            await run("create_refund", REFUND)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"a":'])
async def test_an_answer_that_cannot_be_read_hides_an_effect(opened: Opened, body: bytes) -> None:
    """200 says that it was carried out."""
    async with (
        handshake_service(answer=at("/execute", 200, body)) as service,
        opened(service.url) as run,
    ):
        with pytest.raises(OutcomeUnknown, match="Do not repeat"):
            await run("create_refund", REFUND)


async def test_an_answer_that_breaks_off_hides_an_effect(opened: Opened) -> None:
    """The connection ends after the request was read."""
    token = b'{"transactionId":"tx-1","ephemeralToken":"abc"}'
    good = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(token), token)
    cut = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"
    async with serve(answering(good, cut, close=True)) as server, opened(server.url) as run:
        with pytest.raises(OutcomeUnknown, match="tx-1"):
            await run("create_refund", REFUND)


async def test_a_gateway_that_is_away_executes_nothing(opened: Opened) -> None:
    """Nothing listens there."""
    async with serve(answering(b"")) as server:
        url = server.url
    async with opened(url) as run:
        with pytest.raises(AuthorizationFailed, match="nothing was executed"):
            await run("create_refund", REFUND)


async def test_a_redirect_is_not_followed(opened: Opened) -> None:
    """Attack: an answer that sends the session token to another place."""
    async with handshake_service() as elsewhere:
        answer = at("/authorize", 307, b"", {"location": f"{elsewhere.url}/authorize"})
        async with handshake_service(answer=answer) as service, opened(service.url) as run:
            with pytest.raises(AuthorizationFailed):
                await run("create_refund", REFUND)
        assert elsewhere.came == []


async def test_a_person_confirms_and_the_fresh_token_is_shown(opened: Opened) -> None:
    """202: the callback hears where, each token is shown once, and the decided call runs once."""
    heard: list[Confirmation] = []
    async with handshake_service(asks=frozenset({"create_refund"})) as service:

        def on_confirmation(one: Confirmation) -> None:
            heard.append(one)
            service.decided = True

        async with opened(service.url, on_confirmation=on_confirmation) as run:
            assert await run("create_refund", REFUND) == PAID
        (one,) = heard
        assert (one.tool, one.approve_url, one.expires_in_s) == (
            "create_refund",
            "https://gateway.example/console/p/1",
            60,
        )
        shown = [each.body["ephemeralToken"] for each in service.posts("/execute")]
        assert shown == service.handed_out
        assert len(service.executed) == 1


async def test_a_person_who_refuses_ends_the_wait(opened: Opened) -> None:
    """403 after a 202."""
    async with handshake_service(asks=frozenset({"create_refund"})) as service:

        def on_confirmation(_: Confirmation) -> None:
            service.refusal = "Denied by confirmation agent: not ours"

        async with opened(service.url, on_confirmation=on_confirmation) as run:
            with pytest.raises(ExecutionFailed, match=r"^Execution failed: Denied by confirmation agent"):
                await run("create_refund", REFUND)
        assert service.executed == []


@pytest.mark.parametrize("why", ["nobody to tell", "does not wait", "the gateway's deadline", "its own"])
async def test_a_confirmation_that_is_not_waited_for_is_pending(opened: Opened, why: str) -> None:
    """Nothing was executed, and the error says where to confirm. The fresh token is dropped."""
    how: dict[str, Any] = {"on_confirmation": lambda _: why != "does not wait"}
    if why == "nobody to tell":
        how = {}
    if why == "its own":
        how["timeouts"] = Timeouts(poll=0.01, confirmation=0.03)
    waits_s = 0.03 if why == "the gateway's deadline" else 60
    async with (
        handshake_service(asks=frozenset({"create_refund"}), waits_s=waits_s) as service,
        opened(service.url, **how) as run,
    ):
        with pytest.raises(ConfirmationPending) as caught:
            await run("create_refund", REFUND)
        assert caught.value.approve_url == "https://gateway.example/console/p/1"
        assert service.executed == []
        assert not any(token in repr(vars(caught.value)) + str(caught.value) for token in service.handed_out)


async def test_what_the_target_asks_over_mcp_is_not_waited_for(opened: Opened) -> None:
    """There is no question of the target's that two posts could answer."""
    body = {"status": "input_required", "ephemeralToken": "abc", "transactionId": "tx-1"}
    async with handshake_service(answer=at("/execute", 202, body)) as service, opened(service.url) as run:
        with pytest.raises(ExecutionFailed, match="over MCP only"):
            await run("create_refund", REFUND)


async def test_the_session_token_is_asked_for_in_each_transaction(opened: Opened) -> None:
    """Renewed elsewhere, it is used renewed; both phases of one call have the same."""
    tokens = iter([SESSION, "the-next-one"])
    async with handshake_service() as service, opened(service.url, lambda: next(tokens)) as run:
        await run("create_refund", REFUND)
        with pytest.raises(AuthorizationFailed, match="Invalid session"):
            await run("create_refund", REFUND)
        assert [one.body["sessionToken"] for one in service.came] == [SESSION, SESSION, "the-next-one"]


async def test_a_signer_signs_each_request(opened: Opened) -> None:
    """Each proof counts once, so both phases have their own; it is no member of the parameters."""

    class Signer:
        def __init__(self) -> None:
            self.signed: list[Any] = []

        def proof(self, server: str, tool: str, parameters: Mapping[str, Any], ath: str) -> str:
            """A number."""
            self.signed.append((server, tool, parameters, ath))
            return f"proof-{len(self.signed)}"

    signer = Signer()
    async with handshake_service() as service, opened(service.url, signer=signer, server="depot") as run:
        await run("create_refund", REFUND)
        assert [one.body["proof"] for one in service.came] == ["proof-1", "proof-2"]
        assert signer.signed == [("depot", "create_refund", REFUND, hash_of_token(SESSION))] * 2


async def test_a_signer_signs_for_a_server_that_is_named(opened: Opened) -> None:
    """Which one is the gateway's first is not for a client to guess."""
    with pytest.raises(ConfigurationRefused, match="server"):
        async with opened("https://gateway.example", signer=KeySigner(signing_key("EdDSA").private)):
            pass


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA"])
async def test_a_bound_token_is_proved_with_each_request(opened: Opened, algorithm: Any) -> None:
    """RFC 9449: method, URL and token of this very request, signed; the gateway's nonce is used at once, and kept."""
    key = signing_key(algorithm)

    async def wants_a_nonce(posted: Posted) -> Response | None:
        if jwt.decode(posted.headers["dpop"], options={"verify_signature": False}).get("nonce") == "n-1":
            return None
        headers = {"dpop-nonce": "n-1", "www-authenticate": 'DPoP error="use_dpop_nonce"'}
        return JSONResponse({"error": "Invalid session"}, 401, headers)

    bound = BoundToken(SESSION, Prover(key.private))
    async with handshake_service(answer=wants_a_nonce) as service, opened(service.url, bound) as run:
        assert await run("create_refund", REFUND) == PAID
        assert [one.path for one in service.came] == ["/authorize", "/authorize", "/execute"]
        proofs = [one.headers["dpop"] for one in service.came]
        assert "authorization" not in service.came[0].headers
    claims = [jwt.decode(one, key.private.public_key(), algorithms=[algorithm]) for one in proofs]
    assert [one["htu"] for one in claims] == [service.url + one.path for one in service.came]
    assert {one["htm"] for one in claims} == {"POST"}
    assert {one["ath"] for one in claims} == {hash_of_token(SESSION)}
    assert len({one["jti"] for one in claims}) == 3


async def test_a_nonce_that_changes_nothing_is_asked_for_once(opened: Opened) -> None:
    """A gateway that never has enough is not asked for ever."""
    headers = {"dpop-nonce": "n-1", "www-authenticate": 'DPoP error="use_dpop_nonce"'}
    bound = BoundToken(SESSION, Prover(signing_key("EdDSA").private))
    answer = at("/authorize", 401, {"error": "Invalid session"}, headers)
    async with handshake_service(answer=answer) as service, opened(service.url, bound) as run:
        with pytest.raises(AuthorizationFailed):
            await run("create_refund", REFUND)
        assert len(service.came) == 2


async def test_parameters_that_change_in_between_are_not_sent() -> None:
    """Attack: the object that was authorised is another one when it is executed."""
    async with handshake_service() as service, HandshakeClient(service.url, SESSION) as client:
        parameters = copy.deepcopy(REFUND)
        authorization = await client.request_auth("create_refund", parameters)
        changed = {**parameters, "capture_id": "C-2"}
        with pytest.raises(ParametersRefused, match="not the call that was authorised"):
            await client.execute_with_auth(authorization, "create_refund", changed)
        with pytest.raises(ParametersRefused):
            await client.execute_with_auth(authorization, "pay_order", parameters)
        assert service.posts("/execute") == []
        assert await client.execute_with_auth(authorization, "create_refund", parameters) == PAID


async def test_an_authorisation_is_good_once() -> None:
    """The same token is not even sent again."""
    async with handshake_service() as service, HandshakeClient(service.url, SESSION) as client:
        authorization = await client.request_auth("create_refund", REFUND)
        await client.execute_with_auth(authorization, "create_refund", REFUND)
        with pytest.raises(ExecutionFailed, match="good once"):
            await client.execute_with_auth(authorization, "create_refund", REFUND)
        assert len(service.posts("/execute")) == 1


async def test_the_data_class_goes_with_the_first_phase() -> None:
    """As the addendum's client sends it; the gateway has its own."""
    async with handshake_service() as service, HandshakeClient(service.url, SESSION) as client:
        await client.execute_with_zero_trust_handshake("create_refund", REFUND, 2)
        first, second = service.came
        assert first.body["metadata"] == {"dataClass": 2}
        assert "metadata" not in second.body


async def test_no_token_is_seen(
    opened: Opened, caplog: pytest.LogCaptureFixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not in logs, not in errors that repeat what was sent, not in files, not in what is printed."""
    monkeypatch.chdir(tmp_path)
    caplog.set_level(logging.DEBUG)

    async def parrot(posted: Any) -> Any:
        return await at("/execute", 403, {"error": f"no: {posted.raw.decode()}"})(posted)

    async with handshake_service(answer=parrot) as service, opened(service.url) as run:
        with pytest.raises(ExecutionFailed) as caught:
            await run("create_refund", REFUND)
        hidden = [*service.handed_out, SESSION]
    assert "<secret>" in str(caught.value)
    seen = str(caught.value) + repr(caught.value) + caplog.text
    assert not any(one in seen for one in hidden)
    assert os.listdir(tmp_path) == []  # noqa: PTH208


async def test_what_is_printed_or_kept_shows_no_token() -> None:
    """``repr`` of clients and authorisations; neither goes into a pickle."""
    async with handshake_service() as service, HandshakeClient(service.url, SESSION) as client:
        authorization = await client.request_auth("create_refund", REFUND)
        assert repr(client) == f"HandshakeClient('{service.url}')"
        assert service.handed_out[0] not in repr(authorization)
        for one in (client, authorization):
            with pytest.raises(TypeError):
                pickle.dumps(one)
            with pytest.raises(TypeError):
                copy.deepcopy(one)


CONNECTS = """
import json, sys
places = []
sys.addaudithook(lambda event, found: places.append(list(found[1])) if event == "socket.connect" else None)
from gateway.client import SyncHandshakeClient
with SyncHandshakeClient(sys.argv[1], sys.argv[2]) as client:
    client.execute_with_handshake("create_refund", {})
print(json.dumps(places))
"""


async def test_only_the_gateway_is_contacted() -> None:
    """The client never calls the target, and tells nobody else (R059): every connection of the process is seen."""
    async with handshake_service() as service:
        words = [sys.executable, "-c", CONNECTS, service.url, SESSION]
        printed = await in_thread(
            lambda: subprocess.run(words, check=True, capture_output=True, text=True).stdout
        )
        port = int(service.url.rpartition(":")[2])
        assert json.loads(printed) == [["127.0.0.1", port]]
        assert len(service.executed) == 1


@pytest.mark.parametrize("client", [HandshakeClient, SyncHandshakeClient])
def test_plain_http_to_another_machine_is_refused(client: Any) -> None:
    """The session token would be read on the way."""
    with pytest.raises(ConfigurationRefused, match="https"):
        client("http://gateway.example", SESSION)


async def test_parameters_are_checked_before_anything_is_sent(opened: Opened) -> None:
    """Not even the first phase."""
    async with handshake_service() as service, opened(service.url) as run:
        for bad in ({"amount": float("nan")}, {"id": 2**53}, {"note": "\ud800"}):
            with pytest.raises(ParametersRefused):
                await run("create_refund", bad)
        assert service.came == []


async def test_an_async_callback_is_awaited() -> None:
    """Of the asynchronous client; the other one refuses it."""
    async with handshake_service(asks=frozenset({"create_refund"})) as service:

        async def on_confirmation(_: Confirmation) -> bool:
            service.decided = True
            return True

        async with async_client(service.url, on_confirmation=on_confirmation) as run:
            assert await run("create_refund", REFUND) == PAID

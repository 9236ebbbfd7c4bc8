"""The REST door over rooms whose policy and target the test writes: each answer of the guide, byte for byte."""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.door.endpoint import STRANGER_BODY_BYTES
from gateway.door.host import Host
from gateway.outcome.pending import Status
from gateway.policy.question import Confirmation
from gateway.state.store import Space
from gateway.upstream.target import Effect, Reply
from tests.support.rest import (
    INVALID_SESSION,
    INVALID_TOKEN,
    MISMATCH,
    RestDoor,
    answer_of,
    opened_rest_door,
    request_of,
)
from tests.support.walking import AGENT, MAKE, OTHER, PAY, READ, SERVER, a_reason, an_answer, by_class, done

ARGS = {"bill": "b1", "amount": "12.00"}


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[RestDoor]:
    """A door of its own."""
    async with opened_rest_door(tmp_path) as opened:
        yield opened


async def tokens(door: RestDoor) -> int:
    """How many handshake tokens the store holds."""
    return len(await door.rooms.store.entries(Space.HANDSHAKE, limit=100))


def last(door: RestDoor) -> dict[str, Any]:
    """The newest audit record."""
    return door.rooms.records()[-1]


async def test_two_posts_are_one_call(door: RestDoor) -> None:
    """Exactly two members, a UUIDv4 and 64 hex digits; then the target's own result, once, under that transaction."""
    first = await door.authorize(MAKE, ARGS)
    assert first.status_code == 200
    assert first.headers["content-type"] == "application/json"
    assert set(first.json()) == {"transactionId", "ephemeralToken"}
    transaction, token = first.json()["transactionId"], first.json()["ephemeralToken"]
    assert uuid.UUID(transaction).version == 4
    assert re.fullmatch("[0-9a-f]{64}", token)
    assert door.rooms.upstream.calls == []
    assert (last(door)["status"], last(door)["transaction_id"], last(door)["era"]) == (
        "waiting",
        transaction,
        "rest",
    )

    second = await door.execute(token, MAKE, ARGS)
    assert answer_of(second) == (200, {"content": [{"type": "text", "text": "done"}]})
    assert door.rooms.upstream.calls == [(MAKE, ARGS, transaction, {})]
    assert (last(door)["status"], last(door)["transaction_id"]) == ("executed", transaction)


async def test_a_target_learns_whose_call_it_is(door: RestDoor) -> None:
    """Attack: at a server that is shown another token for each caller, a call over REST came with the gateway's own."""
    seen: list[str] = []

    async def look(host: Host) -> Reply:
        assert host.subject_token is not None
        seen.append(host.subject_token.expose().decode())
        return done()

    door.rooms.upstream.asking = look
    token = (await door.authorize(MAKE, ARGS)).json()["ephemeralToken"]
    assert (await door.execute(token, MAKE, ARGS)).status_code == 200
    assert seen == [AGENT]


async def test_many_first_phases_are_all_distinct(door: RestDoor) -> None:
    """No two share a transaction or a token, also for the same call."""
    answers = [(await door.authorize(MAKE, ARGS)).json() for _ in range(50)]
    assert (
        len({one["transactionId"] for one in answers})
        == len({one["ephemeralToken"] for one in answers})
        == 50
    )


@pytest.mark.parametrize("tool", [READ])
async def test_authorize_refuses_what_needs_no_handshake(door: RestDoor, tool: str) -> None:
    """The policy says allow: 400 with a stable code, nothing sent, no token, a record."""
    answer = await door.authorize(tool, {})
    assert answer.status_code == 400
    assert answer.json()["code"] == "handshake.not_needed"
    assert "needs no handshake" in answer.json()["error"]
    assert door.rooms.upstream.calls == []
    assert await tokens(door) == 0
    assert (last(door)["status"], last(door)["reasons"]) == ("refused", ["handshake.not_needed"])


async def test_a_caller_does_not_say_how_sensitive_its_call_is(door: RestDoor) -> None:
    """``metadata.sensitivity`` may be there, and changes nothing (C03): PUBLIC still takes both phases."""
    answer = await door.authorize(MAKE, ARGS, metadata={"sensitivity": "PUBLIC"})
    assert set(answer.json()) == {"transactionId", "ephemeralToken"}
    assert all("metadata" not in question["call"] for question in door.rooms.engine.questions)
    assert door.rooms.upstream.calls == []


async def test_what_the_policy_denies_gets_no_token(door: RestDoor) -> None:
    """403, the policy's words, and nothing in the store."""
    door.rooms.engine.answering = lambda _: an_answer("deny", data_class=3)
    answer = await door.authorize(MAKE, ARGS)
    body = answer.json()
    assert (answer.status_code, body["error"], body["code"]) == (403, "Said so.", "test.reason")
    assert body["reasons"] == [{"code": "test.reason", "message": "Said so.", "remedy": "None."}]
    assert await tokens(door) == 0
    assert (last(door)["status"], last(door)["reasons"]) == ("refused", ["test.reason"])


async def test_an_unknown_tool_gets_no_token(door: RestDoor) -> None:
    """400, and no default sensitivity for what nobody classified."""
    answer = await door.authorize("no_tool", {})
    assert (answer.status_code, answer.json()["code"]) == (400, "catalog.unknown_tool")
    assert await tokens(door) == 0
    assert last(door)["error"] == "catalog.unknown_tool"


@pytest.mark.parametrize("path", ["/authorize", "/execute"])
@pytest.mark.parametrize(
    "session",
    ["", "garbage", "a b", "\u00e9" * 30, "x" * 9000, "unsafe-test-token-of-nobody-0001", None, ...],
)
async def test_a_bad_session_is_told_so_and_nothing_else(door: RestDoor, path: str, session: Any) -> None:
    """401 with exactly that body, a challenge, a record; before anything is said about the rest of the request."""
    for parameters in (ARGS, "no object"):
        answer = await door.post(path, request_of(MAKE, parameters, session=session))
        assert answer_of(answer) == (401, INVALID_SESSION)
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert last(door)["error"].startswith("identity.")
    assert door.rooms.upstream.calls == []


async def test_a_session_that_is_over_takes_its_token_along(door: RestDoor) -> None:
    """Revoked between the phases: 401, and the token is of no use to anybody afterwards (R021)."""
    token = (await door.authorize(MAKE, ARGS)).json()["ephemeralToken"]
    assert answer_of(await door.execute(token, MAKE, ARGS, session="unsafe-revoked-token-0000001")) == (
        401,
        INVALID_SESSION,
    )
    assert answer_of(await door.execute(token, MAKE, ARGS)) == (403, INVALID_TOKEN)
    assert door.rooms.upstream.calls == []


@pytest.mark.parametrize("token", ["", "0" * 64, "f" * 63, "F" * 64, "nonsense", None, ...])
@pytest.mark.parametrize("tool", [READ, MAKE, PAY, "no_tool"])
async def test_no_execution_without_a_token_that_was_handed_out(
    door: RestDoor, tool: str, token: Any
) -> None:
    """Missing, unknown, of another form, also for tools that would need none: one body, and it is no first phase."""
    answer = await door.execute(token, tool, ARGS)
    assert answer_of(answer) == (403, INVALID_TOKEN)
    assert door.rooms.upstream.calls == []
    assert await tokens(door) == 0
    assert last(door)["status"] == "refused"


@pytest.mark.parametrize(
    "changed",
    [
        {"tool": PAY},
        {"tool": "no_tool"},
        {"server": "elsewhere"},
        {"parameters": {**ARGS, "amount": "12.01"}},
        {"session": OTHER},
    ],
    ids=str,
)
async def test_a_mismatch_burns_the_token_and_does_not_say_what_differed(
    door: RestDoor, changed: dict[str, Any]
) -> None:
    """403 with one body whatever it was; the honest call comes too late (C09)."""
    token = (await door.authorize(MAKE, ARGS)).json()["ephemeralToken"]
    members = {"tool": MAKE, "parameters": ARGS, **changed}
    tool, parameters = members.pop("tool"), members.pop("parameters")
    assert answer_of(await door.execute(token, tool, parameters, **members)) == (403, MISMATCH)
    assert answer_of(await door.execute(token, MAKE, ARGS)) == (403, INVALID_TOKEN)
    assert door.rooms.upstream.calls == []


async def test_the_order_of_members_is_no_change(door: RestDoor) -> None:
    """The hash is over the canonical form (C01), not over anybody's serialisation."""
    token = (await door.authorize(MAKE, {"a": 1, "b": [1.0, "x"]})).json()["ephemeralToken"]
    body = (
        b'{"parameters": {"b":[1, "\\u0078"], "a":1.0e0}, "tool":"%s", "ephemeralToken":"%s", "sessionToken":"%s"}'
        % (MAKE.encode(), token.encode(), AGENT.encode())
    )
    assert (await door.post("/execute", body)).status_code == 200


async def test_a_confirmation_that_is_due(door: RestDoor) -> None:
    """202: what waits, where a person decides, and a fresh token; once it is signed, that token executes."""
    first = (await door.authorize(PAY, ARGS)).json()
    waits = await door.execute(first["ephemeralToken"], PAY, ARGS)
    body = waits.json()
    assert waits.status_code == 202
    assert set(body) == {"status", "transactionId", "ephemeralToken", "expiresInSeconds", "approveUrl"}
    assert (body["status"], body["transactionId"]) == ("confirmation_required", first["transactionId"])
    assert body["ephemeralToken"] != first["ephemeralToken"]
    assert "/console/pending/" in body["approveUrl"]
    assert door.rooms.upstream.calls == []

    await sign(door)
    assert (await door.execute(body["ephemeralToken"], PAY, ARGS)).status_code == 200
    assert [one[2] for one in door.rooms.upstream.calls] == [first["transactionId"]]


async def test_authorize_does_not_execute_what_was_confirmed(door: RestDoor) -> None:
    """The client's token ran out while a person was thinking: /authorize gives a fresh one for the same transaction."""
    first = (await door.authorize(PAY, ARGS)).json()
    await door.execute(first["ephemeralToken"], PAY, ARGS)
    again = await door.authorize(PAY, ARGS)
    assert (again.status_code, again.json()["transactionId"]) == (200, first["transactionId"])
    await sign(door)
    door.rooms.clock.advance(61)
    back = await door.authorize(PAY, ARGS)
    assert back.status_code == 200
    assert set(back.json()) == {"transactionId", "ephemeralToken"}
    assert back.json()["transactionId"] == first["transactionId"]
    assert door.rooms.upstream.calls == []
    assert last(door)["status"] == "waiting"
    assert (await door.execute(back.json()["ephemeralToken"], PAY, ARGS)).status_code == 200
    assert len(door.rooms.upstream.calls) == 1


async def test_authorize_holds_nobody(tmp_path: Path) -> None:
    """While a person thinks, /execute is held open; who only wants a fresh token is answered at once."""
    async with opened_rest_door(tmp_path, hold_s=600) as door, asyncio.timeout(20):
        first = (await door.authorize(PAY, ARGS)).json()
        assert (await door.execute(first["ephemeralToken"], PAY, ARGS)).status_code == 202
        again = await door.authorize(PAY, ARGS)
        assert (again.status_code, again.json()["transactionId"]) == (200, first["transactionId"])


async def test_a_refusal_of_the_second_party(door: RestDoor) -> None:
    """403 in the words of the guide, in both phases, for as long as the call would have waited."""
    first = (await door.authorize(PAY, ARGS)).json()
    waits = (await door.execute(first["ephemeralToken"], PAY, ARGS)).json()
    (pending,) = await door.rooms.waiting.waiting()
    refusal = msgspec.structs.replace(pending, status=Status.REFUSED, refused_by="alice")
    assert await door.rooms.waiting.replace(pending, refusal)
    denied = {"error": "Denied by confirmation agent: alice refused this call."}
    assert answer_of(await door.execute(waits["ephemeralToken"], PAY, ARGS)) == (403, denied)
    assert answer_of(await door.authorize(PAY, ARGS)) == (403, denied)
    assert door.rooms.upstream.calls == []


@pytest.mark.parametrize(
    "said", ["Invalid signature", "Parameters failed regex validation", "Invalid parameter structure"]
)
async def test_a_reason_in_the_guides_words_is_the_guides_body(door: RestDoor, said: str) -> None:
    """Nothing beside it."""
    token = (await door.authorize(MAKE, ARGS)).json()["ephemeralToken"]
    reason = {**a_reason("deny", "tier.reason"), "message": said}
    door.rooms.engine.answering = lambda _: an_answer("deny", reasons=[reason], data_class=3)
    assert answer_of(await door.execute(token, MAKE, ARGS)) == (403, {"error": said})


@pytest.mark.parametrize(
    ("codes", "said"),
    [
        (["arguments.schema_invalid"], "Invalid parameter structure"),
        (["arguments.schema_invalid", "arguments.pattern_mismatch"], "Parameters failed regex validation"),
        (["arguments.structure_invalid", "arguments.signature_missing"], "Invalid signature"),
        (["identity.role_missing", "arguments.structure_invalid"], "Invalid parameter structure"),
    ],
)
async def test_with_several_reasons_the_guides_word_is_the_error(
    door: RestDoor, codes: list[str], said: str
) -> None:
    """Its clients compare that text; the rest stands in ``reasons``."""
    token = (await door.authorize(MAKE, ARGS)).json()["ephemeralToken"]
    reasons = [{**a_reason("deny", code), "message": f"About {code}."} for code in codes]
    door.rooms.engine.answering = lambda _: an_answer("deny", reasons=reasons, data_class=3)
    status, body = answer_of(await door.execute(token, MAKE, ARGS))
    assert (status, body["error"]) == (403, said)
    if len(codes) > 1:
        assert [one["code"] for one in body["reasons"]] == codes


@pytest.mark.parametrize("kind", [None, "text/plain;charset=UTF-8", "application/json; charset=utf-8"])
async def test_the_guides_own_example_names_no_type(door: RestDoor, kind: str | None) -> None:
    """``fetch`` with a text for a body sends ``text/plain``; curl and others may send none."""
    raw = msgspec.json.encode(request_of(MAKE, ARGS, session=AGENT))
    headers = {} if kind is None else {"content-type": kind}
    answer = await door.http.post("/authorize", content=raw, headers=headers)
    assert answer.status_code == 200, answer.text


async def test_what_the_target_refused(door: RestDoor) -> None:
    """400 and the target's own result object."""
    result = {"content": [{"type": "text", "text": "no funds"}], "isError": True}
    door.rooms.upstream.reply = done(result, is_error=True)
    assert answer_of(await door.both(MAKE, ARGS)) == (400, result)
    assert last(door)["status"] == "failed"


async def test_an_error_of_the_targets_protocol(door: RestDoor) -> None:
    """400 with its message; what else it told of itself stays here."""
    error = {"code": -32000, "message": "no such bill", "data": {"trace": "secret stack", "at": "db.py"}}
    door.rooms.upstream.reply = Reply(effect=Effect.REFUSED, error=error)
    answer = await door.both(MAKE, ARGS)
    assert (answer.status_code, answer.json()["error"], answer.json()["code"]) == (
        400,
        "no such bill",
        "upstream.error",
    )
    assert "secret" not in answer.text


@pytest.mark.parametrize(
    "reply",
    [
        Reply(effect=Effect.UNKNOWN),
        Reply(effect=Effect.UNKNOWN, error={"code": 1, "message": "gone"}),
        Reply(effect=Effect.UNKNOWN, result=msgspec.Raw(b'{"content":[],"isError":true}'), is_error=True),
        Reply(effect=Effect.WAITING, result=msgspec.Raw(b'{"resultType":"input_required"}')),
        RuntimeError("the line broke"),
    ],
    ids=lambda one: str(getattr(one, "effect", "broken")),
)
async def test_an_outcome_that_nobody_can_know(door: RestDoor, reply: Any) -> None:
    """504, *unknown*, with the transaction to look for; never that it went wrong, and the token is gone."""
    door.rooms.upstream.reply = reply
    first = (await door.authorize(MAKE, ARGS)).json()
    answer = await door.execute(first["ephemeralToken"], MAKE, ARGS)
    body = answer.json()
    assert (answer.status_code, body["code"], body["status"]) == (504, "upstream.outcome_unknown", "unknown")
    assert body["transactionId"] == first["transactionId"]
    assert "fail" not in body["error"].lower()
    assert last(door)["status"] == "unknown"
    assert answer_of(await door.execute(first["ephemeralToken"], MAKE, ARGS)) == (403, INVALID_TOKEN)


async def test_an_upstream_does_not_speak_with_the_gateways_voice(door: RestDoor) -> None:
    """Its ``_meta`` keys of ours are dropped, as for every host."""
    door.rooms.upstream.reply = done(
        {"content": [], "_meta": {"dev.countersign/decision": {"x": 1}, "own": 2}}
    )
    assert answer_of(await door.both(MAKE, ARGS)) == (200, {"content": [], "_meta": {"own": 2}})


async def test_a_proof_stands_in_the_calls_meta(door: RestDoor) -> None:
    """Under a key of ours, by which the rooms find it and servers are not sent it (``upstream/mcp_request.py``)."""
    token = (await door.authorize(MAKE, ARGS, proof="a.b.c")).json()["ephemeralToken"]
    assert (await door.execute(token, MAKE, ARGS, proof="d.e.f")).status_code == 200
    assert door.rooms.upstream.calls[0][3] == {"dev.countersign/proof": "d.e.f"}


async def test_a_server_is_named_or_is_the_first(door: RestDoor) -> None:
    """The same server by its name; a token for it is one token."""
    token = (await door.authorize(MAKE, ARGS, server=SERVER)).json()["ephemeralToken"]
    assert (await door.execute(token, MAKE, ARGS)).status_code == 200
    assert (await door.authorize(MAKE, ARGS, server="elsewhere")).json()["code"] == "catalog.unknown_tool"


async def test_a_policy_that_asks_again_for_the_first_phase(door: RestDoor) -> None:
    """202 with a fresh token: nothing was executed, and nothing is refused."""
    first = (await door.authorize(MAKE, ARGS)).json()
    door.rooms.engine.answering = lambda _: an_answer(
        "handshake", data_class=3, obligations={"handshake": {"ttl_seconds": 20}}
    )
    answer = await door.execute(first["ephemeralToken"], MAKE, ARGS)
    assert (answer.status_code, answer.json()["status"], answer.json()["expiresInSeconds"]) == (
        202,
        "handshake_required",
        20,
    )
    assert door.rooms.upstream.calls == []


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS", "HEAD", "PATCH"])
@pytest.mark.parametrize("path", ["/authorize", "/execute"])
async def test_other_methods(door: RestDoor, path: str, method: str) -> None:
    """405, and which one is served."""
    answer = await door.http.request(method, path)
    assert (answer.status_code, answer.headers["allow"], answer.content) == (405, "POST", b"")


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"content-type": "text/html"}, 415, "door.media_type"),
        ({"content-type": "multipart/form-data; boundary=x"}, 415, "door.media_type"),
        ({"content-type": "application/x-www-form-urlencoded"}, 415, "door.media_type"),
        ({"content-encoding": "gzip"}, 415, "door.media_type"),
        ({"accept": "text/html"}, 406, "door.not_acceptable"),
        ({"host": "evil.example"}, 403, "door.host"),
        ({"origin": "https://evil.example"}, 403, "door.origin"),
    ],
)
async def test_headers_that_are_not_welcome(
    door: RestDoor, headers: dict[str, str], status: int, code: str
) -> None:
    """As at the door of MCP; a record each, and the connection is closed, since the body was never looked at."""
    answer = await door.post("/authorize", request_of(MAKE, ARGS, session=AGENT), headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["connection"] == "close"
    assert (last(door)["error"], last(door)["tool"]) == (code, "authorize")


async def test_a_large_body_is_parsed_for_those_who_are_known(door: RestDoor) -> None:
    """Beyond 16 KiB the session is looked at first: a stranger's megabyte costs no strict parse."""
    large = {"note": "x" * STRANGER_BODY_BYTES}
    assert (await door.both(MAKE, large)).status_code == 200
    broken = b'{"sessionToken":"unsafe-stranger-token-000001","a":1,"a":2,"x":"%s"}' % (
        b"x" * STRANGER_BODY_BYTES
    )
    assert answer_of(await door.post("/authorize", broken)) == (401, INVALID_SESSION)
    known = broken.replace(b"unsafe-stranger-token-000001", AGENT.encode())
    assert (await door.post("/authorize", known)).json()["code"] == "door.duplicate_key"
    twice = b'{"sessionToken":"nobody","x":"%s","sessionToken":"%s"}' % (
        b"x" * STRANGER_BODY_BYTES,
        AGENT.encode(),
    )
    assert (await door.post("/authorize", twice)).json()["code"] == "door.duplicate_key"
    nothing = b"[" * (STRANGER_BODY_BYTES + 1)
    assert (await door.post("/execute", nothing)).json()["code"] == "door.json"


async def test_too_much(door: RestDoor) -> None:
    """413 for more than a body may have."""
    answer = await door.post("/authorize", b" " * (1024 * 1024 + 1))
    assert (answer.status_code, answer.json()["code"]) == (413, "door.too_large")


async def test_a_defect_of_ours_tells_the_call_id_and_nothing_else(door: RestDoor) -> None:
    """500, and the record says that it went wrong."""
    door.rooms.engine.answering = by_class
    door.rooms.upstream.wires = ZeroDivisionError("a secret of the code")
    door.rooms.clock.advance(60)
    answer = await door.authorize(MAKE, ARGS)
    assert answer.status_code == 500
    assert set(answer.json()) == {"error", "code", "callId"}
    assert "secret" not in answer.text
    assert last(door)["call_id"] == answer.json()["callId"]


async def sign(door: RestDoor) -> None:
    """A person signs the one call that waits."""
    (pending,) = await door.rooms.waiting.waiting()
    said = Confirmation(
        by="human",
        who="alice",
        assurance="oidc",
        at=int(door.rooms.clock()),
        view_hash=pending.view.view_hash,
    )
    assert await door.rooms.waiting.replace(pending, msgspec.structs.replace(pending, confirmations=(said,)))

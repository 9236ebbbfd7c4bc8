"""The OPA sidecar: a real OPA that lives, dies and comes back, and servers that are not OPA at all."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import msgspec
import pytest

from gateway.breaker import Rules
from gateway.errors import PolicyUnavailable
from gateway.http1 import Endpoint, Http1Client, Limits
from gateway.policy.engine import Entrypoint, Evaluation
from gateway.policy.opa import UNVERSIONED, OpaSidecar
from tests.support.opa_process import OpaProcess
from tests.support.policies import SMALL, write_policy
from tests.support.scripted_http import Handler, answering, read_request, serve

FAILING = SMALL["gateway/decision/decision.rego"] + (
    '\nmessage := concat(" ", ["never", "and", "always"]) if input.conflict\n'
    '\nmessage := "no division" if 1 / input.divisor\n'
    '\nmessage := "fail open" if not 1 / input.unless == 2\n'
)


@pytest.fixture(params=["tcp", "unix"])
def opa(request: pytest.FixtureRequest, opa_binary: Path, tmp_path: Path) -> Iterator[OpaProcess]:
    """A real OPA with the small policy, over TCP and over a unix socket."""
    write_policy(tmp_path / "bundle", {"gateway/decision/decision.rego": FAILING})
    unix = tmp_path / "opa.sock" if request.param == "unix" else None
    with OpaProcess(opa_binary, tmp_path / "bundle", unix=unix) as process:
        yield process


@pytest.fixture
async def sidecar(opa: OpaProcess) -> AsyncIterator[OpaSidecar]:
    """Asks it."""
    engine = OpaSidecar.at(opa.url, clock=time.monotonic, deadline_s=5)
    yield engine
    await engine.aclose()


async def ask(engine: OpaSidecar, question: object) -> Evaluation:
    """One decision."""
    return await engine.evaluate(Entrypoint.DECISION, msgspec.json.encode(question))


async def failure(engine: OpaSidecar, question: object = {}) -> str:
    """The code with which a decision fails."""
    with pytest.raises(PolicyUnavailable) as error:
        await ask(engine, question)
    return error.value.code


async def test_a_decision(sidecar: OpaSidecar) -> None:
    """The answer's bytes, the bundle's revision; no decision id unless OPA logs decisions."""
    evaluation = await ask(sidecar, {"tool": {"name": "create_refund"}})
    assert evaluation.result is not None
    assert msgspec.json.decode(evaluation.result)["outcome"] == "handshake"
    assert (evaluation.engine, evaluation.revision, evaluation.decision_id) == ("opa", "small-1", None)
    assert (await sidecar.ready()).ready


async def test_policies_that_fail_on_a_question(sidecar: OpaSidecar) -> None:
    """A conflict, and a built-in that fails in a negation, are no answer: undefined would let the negation hold."""
    assert await failure(sidecar, {"conflict": 1, "tool": {"name": "x"}}) == "policy.built_in_error"
    assert await failure(sidecar, {"divisor": 0}) == "policy.built_in_error"
    assert await failure(sidecar, {"unless": 0}) == "policy.built_in_error"


async def test_killed_and_restarted(opa: OpaProcess, sidecar: OpaSidecar) -> None:
    """After SIGKILL every question fails at once; after a restart the next one is answered."""
    good = await ask(sidecar, {})
    opa.kill()
    assert await failure(sidecar) == "policy.refused"
    readiness = await sidecar.ready()
    opa.start()
    again = await ask(sidecar, {})
    assert (readiness.ready, readiness.error) == (False, "The policy engine cannot be reached.")
    assert again.result is not None
    assert good.result is not None
    assert bytes(again.result) == bytes(good.result)


async def test_restarted_between_two_questions(opa: OpaProcess, sidecar: OpaSidecar) -> None:
    """Kept connections to the old process are not an error of the next question."""
    await asyncio.gather(*[ask(sidecar, {}) for _ in range(10)])
    opa.kill()
    opa.start()
    await asyncio.gather(*[ask(sidecar, {}) for _ in range(10)])


async def test_stopped_processes_run_into_the_deadline(opa: OpaProcess, sidecar: OpaSidecar) -> None:
    """An OPA that accepts and does not answer (SIGSTOP) costs the deadline, no more, and is heard again after."""
    hurried = OpaSidecar.at(opa.url, clock=time.monotonic, deadline_s=0.1)
    opa.pause()
    code = await failure(hurried)
    opa.resume()
    await hurried.aclose()
    assert code == "policy.timeout"
    assert (await ask(sidecar, {})).result is not None


async def test_decision_ids(opa_binary: Path, tmp_path: Path) -> None:
    """With decision logs on, OPA's id comes along; without a manifest the revision says that there is none."""
    write_policy(tmp_path / "bundle", {".manifest": None})
    logging = ("--set", "decision_logs.console=true")
    with OpaProcess(opa_binary, tmp_path / "bundle", extra=logging) as process:
        engine = OpaSidecar.at(process.url, clock=time.monotonic, deadline_s=5)
        evaluation = await ask(engine, {})
        await engine.aclose()
    assert evaluation.revision == UNVERSIONED
    assert len(evaluation.decision_id or "") == 36


async def test_wrong_policy_is_not_ready(opa_binary: Path, tmp_path: Path) -> None:
    """An OPA that runs and answers, but without our policy, is not ready."""
    write_policy(tmp_path / "bundle", {"gateway/admin/admin.rego": None})
    with OpaProcess(opa_binary, tmp_path / "bundle") as process:
        engine = OpaSidecar.at(process.url, clock=time.monotonic, deadline_s=5)
        undefined = await engine.evaluate(Entrypoint.ADMIN, b"{}")
        readiness = await engine.ready()
        await engine.aclose()
    assert undefined.result is None
    assert (readiness.ready, readiness.error) == (
        False,
        "gateway/admin/answer: undefined for an empty request to administer",
    )


async def test_token(opa_binary: Path, tmp_path: Path) -> None:
    """An OPA that wants a bearer token gets it; a wrong one gives no answer and stands in no error."""
    authz = """package system.authz

default allow := false

allow if input.identity == "s3cret"

allow if input.path == ["health"]
"""
    write_policy(tmp_path / "bundle", {"system/authz.rego": authz, ".manifest": None})
    guarded = ("--authentication", "token", "--authorization", "basic")
    with OpaProcess(opa_binary, tmp_path / "bundle", extra=guarded) as process:
        known = OpaSidecar.at(process.url, clock=time.monotonic, deadline_s=5, token="s3cret")
        unknown = OpaSidecar.at(process.url, clock=time.monotonic, deadline_s=5, token="wr0ng")
        assert (await ask(known, {})).result is not None
        with pytest.raises(PolicyUnavailable) as error:
            await ask(unknown, {})
        await known.aclose()
        await unknown.aclose()
    assert error.value.code == "policy.http_status"
    assert "wr0ng" not in repr(error.value) + error.value.message


def reply(body: bytes, status: bytes = b"200 OK") -> bytes:
    """An HTTP answer."""
    return b"HTTP/1.1 %s\r\ncontent-length: %d\r\n\r\n%s" % (status, len(body), body)


NOT_OPA: dict[str, tuple[Handler, str]] = {
    "hangs": (answering(b""), "policy.timeout"),
    "hangs in the body": (answering(reply(b"{}")[:-1]), "policy.timeout"),
    "hangs up": (answering(b"", close=True), "policy.no_reply"),
    "hangs up in the body": (answering(reply(b'{"result":{}}')[:-3], close=True), "policy.malformed"),
    "speaks something else": (answering(b"\x15\x03\x01\x00\x02\x02\x46"), "policy.malformed"),
    "500": (answering(reply(b"oops", b"500 Internal Server Error")), "policy.http_status"),
    "500 with other codes": (answering(reply(b'{"errors":[{"code":"x"}]}', b"500 X")), "policy.http_status"),
    "503": (answering(reply(b"", b"503 Busy")), "policy.http_status"),
    "404": (answering(reply(b"{}", b"404 Not Found")), "policy.http_status"),
    "redirects": (
        answering(b"HTTP/1.1 307 T\r\nlocation: /x\r\ncontent-length: 0\r\n\r\n"),
        "policy.http_status",
    ),
    "no content": (answering(b"HTTP/1.1 204 No Content\r\n\r\n"), "policy.http_status"),
    "not JSON": (answering(reply(b"<html>")), "policy.malformed"),
    "cut JSON": (answering(reply(b'{"result":{"outcome":"allow"}')), "policy.malformed"),
    "a list": (answering(reply(b"[]")), "policy.malformed"),
    "wrong types": (answering(reply(b'{"result":{},"provenance":[]}')), "policy.malformed"),
    "not UTF-8": (answering(reply(b'{"decision_id":"\xff"}')), "policy.malformed"),
    "too large": (answering(reply(b" " * 3_000_000)), "policy.malformed"),
}


@pytest.mark.parametrize("name", NOT_OPA)
async def test_servers_that_are_not_opa(name: str) -> None:
    """Whatever else answers at that address, there is no decision, and the code says what happened."""
    handler, code = NOT_OPA[name]
    async with serve(handler) as server:
        engine = OpaSidecar.at(
            server.url, clock=time.monotonic, deadline_s=0.1 if code == "policy.timeout" else 5
        )
        assert await failure(engine) == code
        await engine.aclose()


@pytest.mark.parametrize("body", [b"{}", b'{"decision_id":"x"}', b'{"warning":{}}'])
async def test_undefined_is_told_apart(body: bytes) -> None:
    """A reply without result is an undefined rule; `null` is a result."""
    async with serve(answering(reply(body), reply(b'{"result":null}'))) as server:
        engine = OpaSidecar.at(server.url, clock=time.monotonic, deadline_s=5)
        assert (await ask(engine, {})).result is None
        null = (await ask(engine, {})).result
        await engine.aclose()
    assert null is not None
    assert bytes(null) == b"null"


async def test_several_bundles() -> None:
    """With several bundles the revision names each, so that a change of any shows."""
    body = b'{"result":{},"provenance":{"bundles":{"b":{"revision":"2"},"a":{"revision":"1"},"c":{}}}}'
    async with serve(answering(reply(body))) as server:
        engine = OpaSidecar.at(server.url, clock=time.monotonic, deadline_s=5)
        assert (await ask(engine, {})).revision == f"a=1;b=2;c={UNVERSIONED}"
        await engine.aclose()


async def test_what_is_sent() -> None:
    """The question's bytes go out as they are, to the entrypoint, asking for strict errors."""
    sent: list[bytes] = []

    async def record(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sent.append(await read_request(reader))
        writer.write(reply(b"{}"))
        await reader.read()

    async with serve(record) as server:
        engine = OpaSidecar.at(server.url, clock=time.monotonic, deadline_s=5)
        await engine.evaluate(Entrypoint.LISTING, b'{"a": 1.50}')
        await engine.aclose()
    assert sent[0].startswith(
        b"POST /v1/data/gateway/listing/answer?provenance=true&strict-builtin-errors=true HTTP/1.1"
    )
    assert sent[0].endswith(b'\r\n\r\n{"input":{"a": 1.50}}')


async def test_breaker() -> None:
    """After some failures in a row nobody is asked any more: callers are refused at once."""
    async with serve(answering(b"", close=True)) as server:
        client = Http1Client(Endpoint.parse(server.url), limits=Limits())
        engine = OpaSidecar(client, clock=lambda: 0, deadline_s=5, rules=Rules(threshold=3, open_s=10))
        codes = [await failure(engine) for _ in range(5)]
        asked = server.connections
        await engine.aclose()
    assert codes == ["policy.no_reply"] * 3 + ["policy.breaker_open"] * 2
    assert asked == 3


async def test_breaker_recovers(opa_binary: Path, tmp_path: Path) -> None:
    """A dead OPA opens the breaker; when it is back, the first question after the pause closes it."""
    now = 0.0
    write_policy(tmp_path / "bundle")
    process = OpaProcess(opa_binary, tmp_path / "bundle")
    client = Http1Client(Endpoint.parse(process.url), limits=Limits())
    engine = OpaSidecar(client, clock=lambda: now, deadline_s=5, rules=Rules(threshold=3, open_s=10))
    codes = [await failure(engine) for _ in range(4)]
    with process:
        still_open = await failure(engine)
        now = 10.0
        answered = await asyncio.gather(*[ask(engine, {})])
        closed = await asyncio.gather(*[ask(engine, {}) for _ in range(5)])
        await engine.aclose()
    assert codes == ["policy.refused"] * 3 + ["policy.breaker_open"]
    assert still_open == "policy.breaker_open"
    assert all(evaluation.result for evaluation in [*answered, *closed])


async def test_a_cancelled_question_is_not_a_failure() -> None:
    """Callers that go away while OPA thinks do not open the breaker."""
    async with serve(answering(b"")) as server:
        client = Http1Client(Endpoint.parse(server.url), limits=Limits())
        engine = OpaSidecar(client, clock=lambda: 0, deadline_s=0.05, rules=Rules(threshold=1, open_s=10))
        for _ in range(3):
            asking = asyncio.create_task(ask(engine, {}))
            await asyncio.sleep(0)
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
        assert await failure(engine) == "policy.timeout"
        assert await failure(engine) == "policy.breaker_open"
        await engine.aclose()


async def test_a_cancelled_probe_leaves_the_probe_to_the_next() -> None:
    """If the one caller that may try goes away, the breaker does not stay open for ever."""
    now = 0.0
    async with serve(answering(b"")) as server:
        client = Http1Client(Endpoint.parse(server.url), limits=Limits())
        engine = OpaSidecar(client, clock=lambda: now, deadline_s=0.05, rules=Rules(threshold=1, open_s=10))
        codes = [await failure(engine)]
        now = 10.0
        probing = asyncio.create_task(ask(engine, {}))
        await asyncio.sleep(0)
        codes.append(await failure(engine))
        probing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await probing
        codes.append(await failure(engine))
        await engine.aclose()
    assert codes == ["policy.timeout", "policy.breaker_open", "policy.timeout"]

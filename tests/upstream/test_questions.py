"""What may be asked of whom. The rest of it is asked over real connections: test_http_line.py, test_mcp_stdio.py."""

from typing import Any

import msgspec
import pytest

from gateway.upstream.frames import Frame, read_frame
from gateway.upstream.questions import Questions, may_ask, their_own
from tests.support.recording_host import RecordingHost
from tests.support.until import until


@pytest.mark.parametrize(
    ("method", "params", "capabilities", "may"),
    [
        ("elicitation/create", {}, {"elicitation": {}}, True),
        ("elicitation/create", {"mode": "form"}, {"elicitation": {"form": {}}}, True),
        ("elicitation/create", {"mode": "form"}, {"elicitation": {"url": {}}}, False),
        ("elicitation/create", {"mode": "url"}, {"elicitation": {}}, False),
        ("elicitation/create", {"mode": "url"}, {"elicitation": {"form": {}, "url": {}}}, True),
        ("elicitation/create", {"mode": "other"}, {"elicitation": {"form": {}, "url": {}}}, False),
        ("elicitation/create", {"mode": 5}, {"elicitation": {}}, False),
        ("elicitation/create", [], {"elicitation": {}}, False),
        ("elicitation/create", {}, {}, False),
        ("elicitation/create", {}, {"elicitation": None}, False),
        ("elicitation/create", {}, {"elicitation": True}, False),
        ("sampling/createMessage", {}, {"sampling": {}}, True),
        ("sampling/createMessage", {}, {"elicitation": {}}, False),
        ("roots/list", {}, {"roots": {}}, True),
        ("tools/call", {}, {"tools": {}}, False),
    ],
)
def test_a_host_is_asked_what_it_declared(method: str, params: Any, capabilities: Any, *, may: bool) -> None:
    """And nothing else; an empty declaration of elicitation means forms."""
    assert may_ask(method, msgspec.Raw(msgspec.json.encode(params)), capabilities) is may


async def test_a_host_that_breaks_leaves_no_server_waiting() -> None:
    """A defect of ours is an error there, not silence."""
    sent: list[bytes] = []

    async def send(data: bytes) -> None:
        sent.append(data)

    async def broken(method: str, params: Any) -> Any:
        raise RuntimeError("a defect")

    questions = Questions({"roots": {}}, send)
    settled: list[bool] = []
    questions.when_settled(lambda: settled.append(True))
    frame = read_frame(b'{"jsonrpc":"2.0","id":1,"method":"roots/list"}')
    assert frame is not None
    host = RecordingHost(capabilities={"roots": {}}, answer=broken)
    await questions.answer(frame, host)
    assert questions.pending
    await until(lambda: settled)
    assert msgspec.json.decode(sent[0])["error"]["code"] == -32603
    assert not questions.pending


async def test_a_question_that_cannot_be_read_does_not_end_the_reading_of_its_server() -> None:
    """Attack: brackets as deep as they were not too deep where the frame was read: the server is told, no more."""
    sent: list[bytes] = []

    async def send(data: bytes) -> None:
        sent.append(data)

    deep = b'{"message":"a\\n","requestedSchema":' + b"[" * 3_000 + b"]" * 3_000 + b"}"
    # ``may_ask`` of a root listing does not look at its params.
    frame = Frame(jsonrpc="2.0", id=msgspec.Raw(b"1"), method="roots/list", params=msgspec.Raw(deep))
    questions = Questions({"roots": {}}, send)
    await questions.answer(frame, RecordingHost(capabilities={"roots": {}}))
    assert msgspec.json.decode(sent[0])["error"]["code"] == -32602


@pytest.mark.parametrize(
    "meta", ['{"dev.countersign/confirm":1},"_meta":{"theirs":1}', '{"dev.countersign/confirm":1},"_meta":{}']
)
def test_a_server_cannot_sign_with_our_key_in_a_member_that_stands_twice(meta: str) -> None:
    """Some hosts read the first of the two, and some the last: there is one, and it says nothing of ours."""
    params = msgspec.Raw(('{"message":"m","count":12345678901234567890,"_meta":' + meta + "}").encode())
    passed = bytes(their_own(params))
    assert b"dev.countersign" not in passed
    assert passed.count(b"_meta") == 1
    assert b"12345678901234567890" in passed


def test_a_meta_that_is_no_object_cannot_be_read() -> None:
    """Behind it a first one would hide."""
    with pytest.raises(ValueError, match="object"):
        their_own(msgspec.Raw(b'{"_meta":{"dev.countersign/confirm":1},"_meta":1}'))

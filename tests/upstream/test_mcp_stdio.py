"""Servers on a pipe: what they may do to themselves, to the gateway, and to each other's callers."""

import asyncio
import logging
import os
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.door.host import NOBODY, Host
from gateway.errors import UpstreamUnavailable
from gateway.upstream.http_wire import Patience
from gateway.upstream.mcp_stdio import McpStdio
from gateway.upstream.stdio_process import Command, child_environment
from gateway.upstream.target import Effect, Reply
from tests.support.recording_host import RecordingHost
from tests.support.until import until

SCRIPT = Path(__file__).parents[1] / "support" / "raw_stdio.py"
MODERN, LEGACY = "modern", "legacy"


class Child:
    """The upstream, and what arrived at its processes."""

    def __init__(self, upstream: McpStdio, seen: Path) -> None:
        self.upstream = upstream
        self._seen = seen

    def seen(self, method: str | None) -> list[dict[str, Any]]:
        """Messages of that method; None: responses."""
        lines = self._seen.read_text().splitlines() if self._seen.exists() else []
        return [one for one in map(msgspec.json.decode, lines) if one.get("method") == method]

    async def call(self, tool: str, arguments: Any = None, *, host: Host = NOBODY, meta: Any = None) -> Reply:
        """One call."""
        return await self.upstream.call(tool, arguments or {}, transaction_id="t", meta=meta or {}, host=host)


Start = Callable[..., Child]


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    """Children that are gone afterwards, each of them."""
    started: list[Child] = []

    def child(how: str, *, silence_s: float = 20, **options: Any) -> Child:
        seen = tmp_path / f"seen-{len(started)}"
        environment = child_environment(os.environ, {"SEEN": str(seen), "API_KEY": "unsafe-test-key-1"})
        command = Command(
            argv=(sys.executable, "-S", str(SCRIPT), how),
            environment=environment,
            folder=str(tmp_path),
            secrets=("unsafe-test-key-1",),
        )
        patience = Patience(silence_s=silence_s, whole_s=60)
        upstream = McpStdio("child", command, version="0", patience=patience, **options)
        started.append(Child(upstream, seen))
        return started[-1]

    yield child
    for one in started:
        pids = one.upstream.pids
        await one.upstream.aclose()
        assert not [pid for pid in pids if runs(pid)]


def runs(pid: int) -> bool:
    """Whether a process is there, as a zombie too."""
    return Path(f"/proc/{pid}").exists()


def result(reply: Reply) -> dict[str, Any]:
    """What it holds."""
    assert reply.result is not None, reply
    found: dict[str, Any] = msgspec.json.decode(reply.result)
    return found


async def test_nothing_starts_before_it_is_needed(start: Start) -> None:
    """And one process serves all who need none of their own."""
    child = start(LEGACY)
    assert child.upstream.pids == set()
    replies = await asyncio.gather(*(child.call("x", host=RecordingHost(None)) for _ in range(10)))
    assert {result(reply)["pid"] for reply in replies} == child.upstream.pids
    assert len(child.seen("initialize")) == 1
    assert child.seen("initialize")[0]["params"]["capabilities"] == {}


async def test_in_the_older_era_each_key_has_a_process(start: Start) -> None:
    """For a pipe does not say whom it asks; in the new era all share one."""
    old, new = start(LEGACY), start(MODERN)
    for child, count in ((old, 2), (new, 1)):
        hosts = [RecordingHost("a"), RecordingHost("b"), RecordingHost("a")]
        pids = [result(await child.call("x", host=host))["pid"] for host in hosts]
        assert pids[0] == pids[2]
        assert len(set(pids)) == count
    first = result(await old.call("x", host=RecordingHost("a")))["pid"]
    await old.upstream.forget("a")
    assert not runs(first)


async def test_processes_are_bounded_and_expire(start: Start) -> None:
    """The one that was not used for longest is ended."""
    child = start(LEGACY, max_processes=1)
    first = result(await child.call("x", host=RecordingHost("a")))["pid"]
    second = result(await child.call("x", host=RecordingHost("b")))["pid"]
    await until(lambda: not runs(first))
    assert runs(second)
    idle = start(LEGACY, process_idle_s=0.1)
    pid = result(await idle.call("x", host=RecordingHost("a")))["pid"]
    await until(lambda: not runs(pid))


async def test_a_child_gets_nothing_of_ours(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """But the few variables that every program wants, and its own. In its own folder."""
    monkeypatch.setenv("COUNTERSIGN_STATE_URL", "redis://:secret@x")
    monkeypatch.setenv("PAYPAL_CLIENT_SECRET", "secret")
    said = result(await start(LEGACY).call("environment"))
    ours = {"PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "TERM"}
    assert set(said["environment"]) <= ours | {"SEEN", "API_KEY"}
    assert said["environment"]["PATH"] == os.environ["PATH"]
    assert "secret" not in str(said["environment"])
    assert said["folder"].startswith("/")


@pytest.mark.parametrize("era", [MODERN, LEGACY])
@pytest.mark.parametrize("how", ["die", "half", "close"])
async def test_one_that_dies_in_a_call_is_unknown(start: Start, how: str, era: str) -> None:
    """Sent once, never again; the next call starts it anew, and no zombie is left."""
    child = start(era)
    before = result(await child.call("x"))["pid"]
    other = asyncio.create_task(child.call("hang"))
    await until(lambda: any(one["params"]["name"] == "hang" for one in child.seen("tools/call")))
    assert (await child.call(how)).effect is Effect.UNKNOWN
    assert (await other).effect is Effect.UNKNOWN  # it shared the process
    after = result(await child.call("x"))["pid"]
    assert after != before
    await until(lambda: not runs(before))
    assert [one["params"]["name"] for one in child.seen("tools/call")] == ["x", "hang", how, "x"]


async def test_one_that_dies_again_and_again_is_left_alone_for_a_while(start: Start) -> None:
    """Nothing is sent meanwhile, and nobody waits in line."""
    child = start(LEGACY)
    for _ in range(2):
        assert (await child.call("die")).effect is Effect.UNKNOWN
    with pytest.raises(UpstreamUnavailable) as problem:
        await child.call("x")
    assert problem.value.code == "upstream.restarting"
    assert [one["params"]["name"] for one in child.seen("tools/call")] == ["die", "die"]


async def test_one_that_does_not_come_up(start: Start, tmp_path: Path) -> None:
    """Or is not there at all: nothing was carried out, and it is not tried in a loop."""
    missing = McpStdio("m", Command(argv=("/no/such/program",)), version="0")
    for child in (start("dead").upstream, start("mute", silence_s=0.3).upstream, missing):
        codes = []
        for _ in range(3):
            with pytest.raises(UpstreamUnavailable) as problem:
                await child.call("x", {}, transaction_id="t", meta={})
            codes.append(problem.value.code)
        assert codes[2] == "upstream.restarting"
    await missing.aclose()


async def test_one_that_does_not_answer_what_it_does_not_know(start: Start) -> None:
    """Is of the older era: the probe's patience is bounded."""
    child = start("deaf", probe_s=0.3)
    assert result(await child.call("x"))
    assert len(child.seen("initialize")) == 1


async def test_lines_that_are_no_messages_are_passed_over(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    """Banners, broken text, half JSON; said once in the log, without what they said."""
    child = start(LEGACY)
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            assert (await child.call("garbage")).effect is Effect.EXECUTED
    assert caplog.text.count("no messages") == 1
    assert "Starting server" not in caplog.text


async def test_a_line_of_ten_megabytes_is_skipped(start: Start) -> None:
    """Its call is unknown, told to be cancelled, and sent once; everybody else goes on."""
    child = start(LEGACY, silence_s=1.5)
    long = asyncio.create_task(child.call("long"))
    await until(lambda: any(one["params"]["name"] == "long" for one in child.seen("tools/call")))
    assert (await child.call("x")).effect is Effect.EXECUTED
    assert (await long).effect is Effect.UNKNOWN
    await until(lambda: child.seen("notifications/cancelled"))
    sent = next(one for one in child.seen("tools/call") if one["params"]["name"] == "long")
    assert [one["params"]["requestId"] for one in child.seen("notifications/cancelled")] == [sent["id"]]
    assert len(child.upstream.pids) == 1


@pytest.mark.parametrize("how", ["foreign", "twice"])
async def test_answers_to_what_was_not_asked_are_nobodys(start: Start, how: str) -> None:
    """Nor is a second answer the answer to the next call."""
    child = start(LEGACY)
    replies = [await child.call(how), await child.call("x")]
    assert [reply.effect for reply in replies] == [Effect.EXECUTED] * 2


async def test_a_question_on_a_shared_pipe_is_nobodys(start: Start) -> None:
    """Whoever is under way: it was opened with no capabilities, and no host hears of it."""
    child = start(LEGACY, silence_s=0.5)
    host = RecordingHost(None)
    assert (await child.call("ask", host=host)).effect is Effect.UNKNOWN
    assert host.asked == []
    assert [one["error"]["code"] for one in child.seen(None)] == [-32601]
    new = start(MODERN, silence_s=0.5)
    other = RecordingHost()
    assert (await new.call("ask", host=other)).effect is Effect.UNKNOWN
    assert other.asked == []
    assert new.seen(None) == []  # a modern client sends no responses


async def test_a_question_in_a_process_of_ones_own_is_put(start: Start) -> None:
    """To whoever declared it; its answer goes down the same pipe, and nobody is silent meanwhile."""
    child = start(LEGACY, silence_s=0.6)

    async def think(method: str, params: Any) -> Any:
        await asyncio.sleep(1)
        return {"action": "accept", "content": {}}

    host = RecordingHost(answer=think)
    task = asyncio.create_task(child.call("ask", host=host))
    await until(lambda: child.seen(None))
    assert child.seen(None)[0] == {
        "jsonrpc": "2.0",
        "id": "q1",
        "result": {"action": "accept", "content": {}},
    }
    assert (await task).effect is Effect.EXECUTED
    assert len(host.asked) == 1
    other = RecordingHost(capabilities={})
    task = asyncio.create_task(child.call("ask", host=other))
    await until(lambda: len(child.seen(None)) == 2)
    assert child.seen(None)[1]["error"]["code"] == -32601
    assert other.asked == []
    await task


async def test_what_does_not_say_whom_it_concerns(start: Start) -> None:
    """On a shared pipe: the one who is under way, and nobody if there are several."""
    child = start(MODERN)
    alone = RecordingHost("a")
    await child.call("say", {"text": "for a"}, host=alone)
    assert [one["params"]["data"] for one in alone.said] == ["for a"]
    waiting = RecordingHost("b")
    task = asyncio.create_task(child.call("hang", host=waiting))
    await until(lambda: any(one["params"]["name"] == "hang" for one in child.seen("tools/call")))
    await child.call("say", {"text": "for a"}, host=alone)
    assert waiting.said == []
    assert len(alone.said) == 1
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await until(lambda: child.seen("notifications/cancelled"))


async def test_a_flood_is_bounded(start: Start) -> None:
    """For a host that does not take it: what is beyond the bound is dropped, the answer is not."""
    go_on = asyncio.Event()

    class Slow(RecordingHost):
        async def notify(self, message: msgspec.Raw) -> None:
            await super().notify(message)
            await go_on.wait()

    child, host = start(MODERN), Slow()
    task = asyncio.create_task(child.call("flood", host=host))
    await host.heard.wait()
    assert (await child.call("x")).effect is Effect.EXECUTED  # the pipe is not held up
    go_on.set()
    assert (await task).effect is Effect.EXECUTED
    assert 1 <= len(host.said) < 20


async def test_its_stderr_is_logged_and_does_nothing_there(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    """No secret of its configuration, no escape sequence, no record of its own; bounded."""
    child = start(LEGACY)
    with caplog.at_level(logging.INFO):
        await child.call("stderr", {"text": "key unsafe-test-key-1 \x1b[2J\n" + "x" * 100_000 + "\n"})
        await child.call("stderr", {"text": "line\n" * 5_000})
        await child.upstream.aclose()
    said = [record.getMessage() for record in caplog.records if "stderr: " in record.getMessage()]
    assert said[0] == "child: stderr: key *** \\x1b[2J"
    assert max(map(len, said)) < 2_200
    assert len(said) < 500
    assert any("left out" in record.getMessage() for record in caplog.records)


async def test_closing_ends_what_it_started(start: Start) -> None:
    """Its children too, and one that does not want to end."""
    child = start(LEGACY)
    said = result(await child.call("children"))
    assert runs(said["child"])
    await child.upstream.aclose()
    await until(lambda: not runs(said["child"]))
    assert not runs(said["pid"])
    stubborn = start("stubborn", grace_s=0.2)
    pid = result(await stubborn.call("x"))["pid"]
    await stubborn.upstream.aclose()
    assert not runs(pid)


async def test_one_that_dies_leaves_no_children(start: Start) -> None:
    """What it started would hold its pipes, and go on."""
    child = start(LEGACY)
    left = result(await child.call("children"))["child"]
    assert (await child.call("die")).effect is Effect.UNKNOWN
    await until(lambda: not runs(left))


async def test_one_that_does_not_read_is_not_written_to_for_ever(start: Start) -> None:
    """Beyond a bound nothing more is put to it: certain that it was not sent."""
    child = start(LEGACY)
    pid = result(await child.call("x"))["pid"]
    os.kill(pid, 19)  # SIGSTOP
    try:
        tasks = [asyncio.create_task(child.call("x", {"text": "x" * 1_000_000})) for _ in range(12)]
        done, waiting = await asyncio.wait(tasks, timeout=5, return_when=asyncio.FIRST_COMPLETED)
        problems = [task.exception() for task in done]
        assert problems
        assert all(isinstance(one, UpstreamUnavailable) and one.code == "upstream.busy" for one in problems)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
    finally:
        os.kill(pid, 18)  # SIGCONT

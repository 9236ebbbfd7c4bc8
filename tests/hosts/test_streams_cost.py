"""What streams cost a gateway that runs as its users run it: memory, read off the process. Not timed."""

import asyncio
import resource
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import msgspec
import pytest
import yaml

from gateway.identity.static import hash_static_token
from gateway.serving import serving
from tests.support.eras import OfTheOlderEra
from tests.support.house import AGENT_TOKEN, MODERN, MODERN_META
from tests.support.policy_copies import copied, edit_data
from tests.support.ports import free_port
from tests.support.sdk_server import Tools

STREAMED_BYTES = 10 * 1024 * 1024
MESSAGE = "x" * 10_000
ALLOWED_GROWTH_BYTES = 3 * 1024 * 1024
"""Far below what was streamed; the allocator's own rounding is in it."""
IDLE = 1_000
ALLOWED_PER_STREAM_BYTES = 50 * 1024
CALLERS = 50
"""Each with twenty streams: one caller may not have many more."""
PAGE = resource.getpagesize()


def memory_of(pid: int) -> int:
    """Resident bytes, now."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE


@asynccontextmanager
async def gateway_process(folder: Path, upstream: str) -> AsyncIterator[tuple[int, int]]:
    """``countersign serve`` in front of that server; its port and its pid."""
    policies = copied(folder)
    edit_data(policies, "migration", phase="preparation")
    edit_data(policies, "classes", tools={"steps": 4})
    port = free_port()
    config = folder / "countersign.yaml"
    config.write_text(
        yaml.safe_dump(
            {
                "listen": f"127.0.0.1:{port}",
                "public_url": f"http://127.0.0.1:{port}",
                "paypal": {"enabled": False},
                "identity": {
                    "tokens": [
                        {
                            "sha256": hash_static_token(token_of(one)),
                            "subject": f"agent-{one}",
                            "roles": ["agent"],
                        }
                        for one in range(CALLERS)
                    ]
                },
                "policy": {"path": str(policies), "reload": False, "timeout_s": 5},
                "upstreams": {"other": {"url": upstream, "timeout_s": 60, "max_connections": 2 * IDLE}},
                "state": {"url": f"sqlite:///{folder / 'state.sqlite3'}"},
                "audit": {"path": str(folder / "audit.jsonl")},
            }
        )
    )
    command = [str(Path(sys.executable).with_name("countersign")), "serve", "--config", str(config)]
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    try:
        assert process.stderr is not None
        while b"port:" not in await process.stderr.readline():
            assert process.returncode is None
        yield port, process.pid
    finally:
        process.terminate()
        await process.wait()


def token_of(caller: int) -> str:
    """The token of one of them."""
    return f"{AGENT_TOKEN}-{caller}"


def head(method: str, body: bytes, *, caller: int = 0, **fields: str) -> bytes:
    """One request."""
    lines = {
        "host": "127.0.0.1",
        "authorization": f"Bearer {token_of(caller)}",
        "accept": "application/json, text/event-stream",
        **{name.replace("_", "-"): value for name, value in fields.items()},
    }
    if body:
        lines |= {"content-type": "application/json", "content-length": str(len(body))}
    told = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"{method} /mcp/other HTTP/1.1\r\n{told}\r\n".encode() + body


def call(count: int) -> bytes:
    """``steps`` with so many messages before its answer."""
    params = {
        "name": "steps",
        "arguments": {"count": count, "message": MESSAGE},
        "_meta": {**MODERN_META, "progressToken": 1},
    }
    body = msgspec.json.encode({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params})
    return head("POST", body, mcp_protocol_version=MODERN, mcp_method="tools/call", mcp_name="steps")


async def streamed(port: int, count: int) -> int:
    """Make the call and read its answer to the end; how many bytes there were."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(call(count))
    seen, tail = 0, b""
    while b'"id":1,"result"' not in tail or not tail.endswith(b"0\r\n\r\n"):
        chunk = await reader.read(64 * 1024)
        assert chunk, "the gateway hung up"
        seen += len(chunk)
        tail = (tail + chunk)[-4096:]
    writer.close()
    return seen


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")
async def test_a_long_answer_passes_in_constant_memory(tmp_path: Path) -> None:
    """Ten megabytes of messages before one result: the gateway holds a message at a time."""
    async with (
        serving(Tools().server().streamable_http_app(), lifespan=True) as server,
        gateway_process(tmp_path, f"http://127.0.0.1:{server}/mcp") as (port, pid),
    ):
        await streamed(port, 100)
        before = memory_of(pid)
        assert await streamed(port, STREAMED_BYTES // len(MESSAGE)) > STREAMED_BYTES
        assert memory_of(pid) - before < ALLOWED_GROWTH_BYTES


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")
async def test_a_thousand_idle_streams_cost_little(tmp_path: Path) -> None:
    """Each host with a session and its GET stream, and each with a stream of its own at the server behind."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 4 * IDLE:
        pytest.skip(f"this machine allows {hard} open files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 4 * IDLE), hard))
    app = OfTheOlderEra(Tools().server().streamable_http_app())
    async with (
        serving(app, lifespan=True) as server,
        gateway_process(tmp_path, f"http://127.0.0.1:{server}/mcp") as (port, pid),
        AsyncExitStack() as stack,
    ):
        await opened(stack, port, 0)
        before = memory_of(pid)
        for _ in range(IDLE // CALLERS):
            await asyncio.gather(*(opened(stack, port, caller) for caller in range(CALLERS)))
        assert (memory_of(pid) - before) / IDLE < ALLOWED_PER_STREAM_BYTES


async def opened(stack: AsyncExitStack, port: int, caller: int) -> None:
    """A session, and its stream, until the stack ends."""
    params = {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "x", "version": "1"},
    }
    body = msgspec.json.encode({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params})
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    stack.callback(writer.close)
    writer.write(head("POST", body, caller=caller))
    answer = (await reader.readuntil(b"\r\n\r\n")).decode()
    fields = dict(line.split(": ", 1) for line in answer.lower().split("\r\n") if ": " in line)
    session = next(
        line.split(": ", 1)[1] for line in answer.split("\r\n") if line.startswith("mcp-session-id")
    )
    await reader.readexactly(int(fields["content-length"]))
    writer.write(head("GET", b"", caller=caller, mcp_session_id=session))
    await reader.readuntil(b"retry: ")

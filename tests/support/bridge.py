"""``countersign connect`` as a process of its own, with a home folder that nobody else has."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

COUNTERSIGN = str(Path(sys.executable).with_name("countersign"))
LINE_LIMIT = 64 * 1024 * 1024


def environment(home: Path, **more: str) -> dict[str, str]:
    """What the process sees: nothing of the person who runs the tests."""
    return {"PATH": os.environ["PATH"], "HOME": str(home), "NO_PROXY": "*", **more}


@dataclass(kw_only=True)
class BridgeProcess:
    """A running bridge, spoken to line by line."""

    process: asyncio.subprocess.Process = field(repr=False)
    errors: list[str]
    heard: asyncio.Condition

    async def write(self, message: Mapping[str, Any] | bytes) -> None:
        """One line, as a host writes it."""
        assert self.process.stdin is not None
        line = message if isinstance(message, bytes) else msgspec.json.encode(message)
        self.process.stdin.write(line + b"\n")
        await self.process.stdin.drain()

    async def read(self) -> dict[str, Any]:
        """The next line, which must be one JSON object: nothing else may stand on standard output."""
        assert self.process.stdout is not None
        line = await self.process.stdout.readline()
        assert line, "the bridge closed its output:\n" + "".join(self.errors)
        found: dict[str, Any] = msgspec.json.decode(line)
        return found

    async def ask(self, method: str, params: Mapping[str, Any], ident: int | str = 1) -> dict[str, Any]:
        """A request and the next line."""
        await self.write({"jsonrpc": "2.0", "id": ident, "method": method, "params": dict(params)})
        return await self.read()

    async def said(self, text: str) -> str:
        """The first line on standard error that holds ``text``, once there is one."""
        async with self.heard:
            await self.heard.wait_for(lambda: any(text in line for line in self.errors))
        return next(line for line in self.errors if text in line)

    async def hung_up_on(self) -> int:
        """Close its input; its exit code, and nothing more on its output."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        assert await self.process.stdout.read() == b""
        return await self.process.wait()


@asynccontextmanager
async def bridging(url: str, home: Path, *options: str, **variables: str) -> AsyncIterator[BridgeProcess]:
    """A bridge to ``url``; killed at the end if it still runs."""
    process = await asyncio.create_subprocess_exec(
        COUNTERSIGN,
        "connect",
        url,
        *options,
        env=environment(home, **variables),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=LINE_LIMIT,
        cwd=home,
    )
    errors: list[str] = []
    heard = asyncio.Condition()

    async def listen() -> None:
        assert process.stderr is not None
        while line := await process.stderr.readline():
            async with heard:
                errors.append(line.decode(errors="replace"))
                heard.notify_all()

    listening = asyncio.ensure_future(listen())
    try:
        yield BridgeProcess(process=process, errors=errors, heard=heard)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await listening

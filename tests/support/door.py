"""The MCP endpoint over rooms without sockets: a test holds each request's stream, and its end, in its hand."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Mapping, MutableMapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from gateway.door.endpoint import McpEndpoint
from gateway.door.http import Guard
from gateway.identity.challenge import Access
from tests.support.house import MODERN_META
from tests.support.until import until
from tests.support.walking import AGENT, SERVER, KeepingUpstream, Rooms, rooms

MODERN, LEGACY = "2026-07-28", "2025-11-25"
BOTH = "application/json, text/event-stream"
OTHER_SERVER = "shop"
Event = MutableMapping[str, Any]


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """One server-sent event. ``message`` is its data as JSON, and None where there is none."""

    id: str | None = None
    retry: str | None = None
    message: Any = None


class Asked:
    """One request under way, and what came back so far."""

    def __init__(self, endpoint: McpEndpoint, scope: dict[str, Any], body: bytes) -> None:
        self._body: bytes | None = body
        self._left = asyncio.Event()
        self._sent: list[Event] = []
        self._task = asyncio.create_task(endpoint(scope, self._receive, self._send))

    async def _receive(self) -> Event:
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, event: Event) -> None:
        if not self._left.is_set():
            self._sent.append(event)

    def leave(self) -> None:
        """The host hangs up: what is sent from now on is lost."""
        self._left.set()

    async def end(self) -> Asked:
        """Wait until the gateway is done with it."""
        async with asyncio.timeout(20):
            await self._task
        return self

    async def told(self, count: int) -> list[Told]:
        """The events, once there are so many with a message in them."""
        async with asyncio.timeout(20):
            await until(lambda: len(self.messages) >= count or self._task.done())
        return self.events

    @property
    def status(self) -> int:
        """0 before anything came."""
        return int(self._sent[0]["status"]) if self._sent else 0

    @property
    def headers(self) -> dict[bytes, bytes]:
        """Of the answer."""
        return dict(self._sent[0]["headers"])

    @property
    def body(self) -> bytes:
        """As far as it has come."""
        return b"".join(one["body"] for one in self._sent[1:])

    @property
    def complete(self) -> bool:
        """Whether the last part was marked as such: else a server closes the connection with an error."""
        return len(self._sent) > 1 and not self._sent[-1].get("more_body", False)

    @property
    def document(self) -> dict[str, Any]:
        """A body of JSON."""
        read: dict[str, Any] = msgspec.json.decode(self.body)
        return read

    @property
    def code(self) -> str | None:
        """Our own code of an error."""
        code: str | None = self.document.get("error", {}).get("data", {}).get("code")
        return code

    @property
    def events(self) -> list[Told]:
        """A body of events, without comments."""
        found = []
        for block in self.body.decode().split("\n\n")[:-1]:
            fields = dict(line.split(": ", 1) for line in block.split("\n") if not line.startswith(":"))
            if fields:
                data = fields.get("data") or ""
                message = msgspec.json.decode(data) if data else None
                found.append(Told(id=fields.get("id"), retry=fields.get("retry"), message=message))
        return found

    @property
    def messages(self) -> list[Any]:
        """The messages alone."""
        return [one.message for one in self.events if one.message is not None]


@dataclasses.dataclass(kw_only=True)
class Door:
    """An endpoint, and the rooms behind it. A second server stands beside the first."""

    endpoint: McpEndpoint
    rooms: Rooms
    upstream: KeepingUpstream
    ids: int = 0

    def send(
        self,
        method: str,
        body: bytes,
        fields: Mapping[str, str | None],
        *,
        server: str = "",
        token: str = AGENT,
    ) -> Asked:
        """One HTTP request."""
        headers = {"host": "127.0.0.1", "authorization": f"Bearer {token}", "accept": BOTH, **fields}
        scope = {
            "type": "http",
            "method": method,
            "path": f"/mcp/{server}" if server else "/mcp",
            "headers": [
                (key.encode(), value.encode()) for key, value in headers.items() if value is not None
            ],
        }
        return Asked(self.endpoint, scope, body)

    def post(
        self,
        method: str | None,
        params: Mapping[str, Any] | None = None,
        *,
        session: str | None = None,
        protocol: str = LEGACY,
        rpc_id: Any = ...,
        capabilities: Mapping[str, Any] | None = None,
        accept: str | None = BOTH,
        members: Mapping[str, Any] | None = None,
        server: str = "",
        token: str = AGENT,
    ) -> Asked:
        """One message; a notification where ``rpc_id`` is None, a response where ``method`` is."""
        self.ids += 1
        sent = dict(params or {})
        fields: dict[str, str | None] = {
            "content-type": "application/json",
            "accept": accept,
            "mcp-protocol-version": protocol,
            "mcp-session-id": session,
        }
        if protocol == MODERN:
            meta = {**MODERN_META, "io.modelcontextprotocol/clientCapabilities": dict(capabilities or {})}
            sent["_meta"] = {**meta, **sent.get("_meta", {})}
            fields["mcp-method"] = method
            fields["mcp-name"] = sent.get("name") or sent.get("uri")
        message: dict[str, Any] = {"jsonrpc": "2.0", **(members or {})}
        if rpc_id is not None:
            message["id"] = self.ids if rpc_id is ... else rpc_id
        if method is not None:
            message |= {"method": method, "params": sent}
        return self.send("POST", msgspec.json.encode(message), fields, server=server, token=token)

    async def open(
        self, capabilities: Mapping[str, Any] | None = None, *, protocol: str = LEGACY, **how: Any
    ) -> str:
        """A session's id."""
        params = {
            "protocolVersion": protocol,
            "capabilities": dict(capabilities or {}),
            "clientInfo": {"name": "test-host", "version": "1"},
        }
        answer = await self.post("initialize", params, **how).end()
        assert answer.status == 200, answer.body
        return answer.headers[b"mcp-session-id"].decode()

    def get(self, session: str, *, after: str | None = None, **how: Any) -> Asked:
        """The session's stream."""
        return self.send("GET", b"", {"mcp-session-id": session, "last-event-id": after}, **how)

    def delete(self, session: str, **how: Any) -> Asked:
        """Its end."""
        return self.send("DELETE", b"", {"mcp-session-id": session}, **how)

    def response(self, rpc_id: Any, session: str | None, result: Any = None, **how: Any) -> Asked:
        """The host's answer to a question."""
        members = how.pop("members", {"result": result or {}})
        return self.post(None, session=session, rpc_id=rpc_id, members=members, **how)


@asynccontextmanager
async def opened_door(folder: Path, **options: Any) -> AsyncIterator[Door]:
    """An endpoint of its own over :func:`~tests.support.walking.rooms`."""
    async with rooms(folder, **options) as running:
        upstreams = {SERVER: running.upstream, OTHER_SERVER: KeepingUpstream(OTHER_SERVER)}
        running.house = dataclasses.replace(running.house, upstreams=upstreams)
        endpoint = McpEndpoint(
            running.house,
            Guard(hosts=frozenset({"127.0.0.1"}), origins=frozenset()),
            default_server=SERVER,
            version="1.2.3",
            max_body_bytes=1024 * 1024,
            access=Access(metadata={}),
            now=running.clock,
        )
        try:
            yield Door(endpoint=endpoint, rooms=running, upstream=running.upstream)
        finally:
            await endpoint.aclose()

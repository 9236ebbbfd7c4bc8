"""Second agents and receivers of notices as real local servers, written without the gateway's own code: what they
sign is made with ``hmac`` as the Standard Webhooks specification has it."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from tests.support.scripted_http import ScriptedServer, serve

SECRET = "whsec_" + base64.b64encode(b"unsafe-test-secret-of-the-guard-1").decode()
OTHER_SECRET = "whsec_" + base64.b64encode(b"unsafe-test-secret-of-somebody-2").decode()


@dataclass(frozen=True, kw_only=True)
class Heard:
    """One request, taken apart."""

    head: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def document(self) -> dict[str, Any]:
        """The body."""
        found: dict[str, Any] = json.loads(self.body)
        return found

    @property
    def data(self) -> dict[str, Any]:
        """The ``data`` of a webhook."""
        found: dict[str, Any] = self.document["data"]
        return found

    def is_signed(self, secret: str = SECRET) -> bool:
        """Whether the sender knows the secret."""
        message_id, at = self.headers["webhook-id"], self.headers["webhook-timestamp"]
        return self.headers["webhook-signature"] == signature(secret, message_id, at, self.body)


def signature(secret: str, message_id: str, at: str, body: bytes) -> str:
    """``webhook-signature`` of the specification."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    mac = hmac.new(key, f"{message_id}.{at}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(mac).decode()}"


def http(status: str, body: bytes, headers: Mapping[str, str] | None = None) -> bytes:
    """A whole response."""
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", "connection: close"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join((*lines, "", "")).encode() + body


def answer_to(heard: Heard, decision: object = "approve", **members: Any) -> dict[str, Any]:
    """What an honest agent says to that request, with these members changed."""
    asked = heard.data
    said = {name: asked[name] for name in ("id", "nonce", "view_hash")}
    return {**said, "decision": decision, "at": int(time.time()), **members}


def signed(
    heard: Heard,
    said: Any,
    *,
    secret: str = SECRET,
    message_id: str | None = None,
    at: int | None = None,
) -> bytes:
    """That answer, signed for that request (or another one)."""
    body = said if isinstance(said, bytes) else json.dumps(said).encode()
    name, when = message_id or heard.headers["webhook-id"], str(int(time.time()) if at is None else at)
    fields = {
        "webhook-id": name,
        "webhook-timestamp": when,
        "webhook-signature": signature(secret, name, when, body),
    }
    return http("200 OK", body, fields)


def approves(heard: Heard) -> bytes:
    """An honest yes."""
    return signed(heard, answer_to(heard))


def refuses(reason: str = "Too much.") -> Callable[[Heard], bytes]:
    """An honest no."""
    return lambda heard: signed(heard, answer_to(heard, "refuse", reason=reason))


def completion(content: str, **members: Any) -> bytes:
    """A chat endpoint's answer with that text."""
    message = {"role": "assistant", "content": content}
    choice = {"index": 0, "message": message, "finish_reason": "stop", **members}
    body = {"id": "c1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
    return http("200 OK", json.dumps(body).encode(), {"content-type": "application/json"})


class Hangs:
    """No answer, and the connection stays open."""


class Floods:
    """A hundred megabytes, as fast as they are taken. ``sent`` counts what was."""

    def __init__(self, size: int = 100 * 1024 * 1024) -> None:
        self.size = size
        self.sent = 0


Answering = Callable[[Heard], "bytes | Hangs | Floods"]


@dataclass(kw_only=True)
class SecondAgent:
    """A running server. ``answering`` may be changed at any time."""

    url: str
    answering: Answering
    heard: list[Heard] = field(default_factory=list)
    server: ScriptedServer


@asynccontextmanager
async def second_agent(answering: Answering = approves, path: str = "/confirm") -> AsyncIterator[SecondAgent]:
    """On a free port of this machine."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard = _heard(await reader.readuntil(b"\r\n\r\n"))
        heard = replace(heard, body=await reader.readexactly(int(heard.headers.get("content-length", "0"))))
        running.heard.append(heard)
        said = running.answering(heard)
        if isinstance(said, Hangs):
            await reader.read()
            return
        if isinstance(said, Floods):
            writer.write(f"HTTP/1.1 200 OK\r\ncontent-length: {said.size}\r\n\r\n".encode())
            while said.sent < said.size:
                writer.write(b" " * 65536)
                await writer.drain()
                said.sent += 65536
            return
        writer.write(said)
        await writer.drain()

    async with serve(handle) as server:
        running = SecondAgent(url=server.url + path, answering=answering, server=server)
        yield running


def _heard(head: bytes) -> Heard:
    first, *lines = head.decode("latin-1").rstrip().split("\r\n")
    fields = (line.partition(":") for line in lines)
    return Heard(head=first, headers={name.lower(): value.strip() for name, _, value in fields}, body=b"")

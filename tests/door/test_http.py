"""Bytes in, bytes out."""

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest

from gateway.door.headers import Headers
from gateway.door.http import (
    ClientGone,
    Guard,
    NotAcceptable,
    TooSlow,
    UnsupportedMediaType,
    check_media_types,
    read_body,
    respond,
)
from gateway.errors import Forbidden, HeaderMismatch, TooLarge

GUARD = Guard(
    hosts=frozenset({"gateway.example:8443", "127.0.0.1", "localhost", "[::1]"}),
    origins=frozenset({"https://gateway.example:8443"}),
)
Event = MutableMapping[str, Any]


class Client:
    """Sends what it was given, then stays silent."""

    def __init__(self, *events: Event) -> None:
        self.events = list(events)

    async def receive(self) -> Event:
        """The next event, or a wait without end."""
        if not self.events:
            await asyncio.get_running_loop().create_future()
        return self.events.pop(0)


def chunk(body: bytes, *, more: bool = False) -> Event:
    """One piece of a body."""
    return {"type": "http.request", "body": body, "more_body": more}


@pytest.mark.parametrize(
    "host",
    [
        b"gateway.example:8443",
        b"GATEWAY.example:8443",
        b"127.0.0.1",
        b"127.0.0.1:9",
        b"localhost:3000",
        b"[::1]:1",
    ],
)
def test_the_gateway_answers_to_its_own_names(host: bytes) -> None:
    """A name without a port is good at any port."""
    GUARD.check(Headers([(b"host", host)]))


@pytest.mark.parametrize(
    "host",
    [
        b"",
        b":80",
        b"evil.example",
        b"gateway.example",
        b"gateway.example:80",
        b"127.0.0.1.evil.example",
        b"localhost.",
        b"evil.example:127.0.0.1",
        b"[::2]:3000",
        b"user@127.0.0.1",
    ],
)
def test_it_does_not_answer_to_other_names(host: bytes) -> None:
    """DNS rebinding: an attacker's name that resolves to this machine."""
    with pytest.raises(Forbidden) as caught:
        GUARD.check(Headers([(b"host", host)]))
    assert (caught.value.code, caught.value.http_status) == ("door.host", 403)


def test_a_request_without_a_host_is_refused() -> None:
    """HTTP/1.0 has none; nobody who is welcome speaks it."""
    with pytest.raises(Forbidden):
        GUARD.check(Headers([]))


def test_two_hosts_are_one_too_many() -> None:
    """Which of them a proxy routed by is a guess."""
    with pytest.raises(HeaderMismatch):
        GUARD.check(Headers([(b"host", b"localhost"), (b"host", b"localhost")]))


def test_its_own_pages_may_call_it() -> None:
    """Without regard to case, as browsers write it in lower case anyway."""
    GUARD.check(Headers([(b"host", b"localhost"), (b"origin", b"https://Gateway.example:8443")]))


@pytest.mark.parametrize(
    "origin",
    [b"null", b"", b"https://evil.example", b"http://gateway.example:8443", b"https://gateway.example", b"*"],
)
def test_other_pages_may_not(origin: bytes) -> None:
    """403 (2025-11-25/basic/transports, security warning), an empty or opaque origin included."""
    with pytest.raises(Forbidden) as caught:
        GUARD.check(Headers([(b"host", b"localhost"), (b"origin", origin)]))
    assert (caught.value.code, caught.value.http_status) == ("door.origin", 403)


def test_a_guard_without_names_is_a_mistake() -> None:
    """Empty is not open."""
    with pytest.raises(ValueError, match="name of its own"):
        Guard(hosts=frozenset(), origins=frozenset())


@pytest.mark.parametrize(
    "sent", [b"application/json", b"Application/JSON ; charset=utf-8", b"application/json;x"]
)
@pytest.mark.parametrize(
    "accept",
    [
        None,
        b"application/json, text/event-stream",
        b"*/*",
        b"text/html, application/*;q=0.1",
        b"APPLICATION/JSON;q=1",
    ],
)
def test_json_in_and_json_out(sent: bytes, accept: bytes | None) -> None:
    """No Accept at all means anything (RFC 9110 section 12.5.1)."""
    raw = [(b"content-type", sent)]
    if accept is not None:
        raw.append((b"accept", accept))
    check_media_types(Headers(raw))


@pytest.mark.parametrize(
    "sent",
    [
        None,
        b"",
        b"text/plain",
        b"application/json-rpc",
        b"application/jsonx",
        b"multipart/form-data",
        b"json",
    ],
)
def test_another_type_of_body_is_refused(sent: bytes | None) -> None:
    """A browser page can send text/plain without being asked first (CORS), and JSON only after it."""
    with pytest.raises(UnsupportedMediaType) as caught:
        check_media_types(Headers([] if sent is None else [(b"content-type", sent)]))
    assert (caught.value.http_status, caught.value.code) == (415, "door.media_type")


@pytest.mark.parametrize("encoding", [b"gzip", b"br", b"identity", b""])
def test_a_compressed_body_is_refused(encoding: bytes) -> None:
    """What is bounded must be what is parsed: a kilobyte of gzip is a gigabyte of spaces."""
    with pytest.raises(UnsupportedMediaType):
        check_media_types(Headers([(b"content-type", b"application/json"), (b"content-encoding", encoding)]))


def test_two_content_types_are_refused() -> None:
    """Which one is believed is a guess."""
    with pytest.raises(HeaderMismatch):
        check_media_types(Headers([(b"content-type", b"application/json")] * 2))


@pytest.mark.parametrize(
    "accept", [b"text/event-stream", b"text/html", b"application/jsonx", b"application/json-seq", b""]
)
def test_who_cannot_take_json_is_told(accept: bytes) -> None:
    """406."""
    with pytest.raises(NotAcceptable) as caught:
        check_media_types(Headers([(b"content-type", b"application/json"), (b"accept", accept)]))
    assert caught.value.http_status == 406


async def test_a_body_is_read_whole() -> None:
    """In one piece or in many, up to the last allowed byte."""
    assert await read_body(Client(chunk(b"12345")).receive, Headers([]), limit=5) == b"12345"
    pieces = Client(chunk(b"1", more=True), chunk(b"", more=True), chunk(b"23", more=True), chunk(b"45"))
    assert await read_body(pieces.receive, Headers([]), limit=5) == b"12345"


@pytest.mark.parametrize("announced", [b"6", b"9" * 18, b"9" * 5000])
async def test_an_announced_body_over_the_limit_is_not_read(announced: bytes) -> None:
    """Not one event is taken; a length of thousands of digits is no error of ours."""
    client = Client(chunk(b""))
    with pytest.raises(TooLarge) as caught:
        await read_body(client.receive, Headers([(b"content-length", announced)]), limit=5)
    assert caught.value.http_status == 413
    assert len(client.events) == 1


async def test_an_unannounced_body_over_the_limit_is_cut_off() -> None:
    """What comes after the limit is not read."""
    client = Client(chunk(b"123", more=True), chunk(b"456", more=True), chunk(b"7"))
    with pytest.raises(TooLarge):
        await read_body(client.receive, Headers([]), limit=5)
    assert len(client.events) == 1
    with pytest.raises(TooLarge):
        await read_body(Client(chunk(b"123456")).receive, Headers([]), limit=5)


async def test_a_client_that_leaves_is_not_a_request() -> None:
    """Before the first byte or between two."""
    gone: Event = {"type": "http.disconnect"}
    with pytest.raises(ClientGone):
        await read_body(Client(gone).receive, Headers([]), limit=5)
    with pytest.raises(ClientGone):
        await read_body(Client(chunk(b'{"a"', more=True), gone).receive, Headers([]), limit=5)


async def test_a_client_that_falls_silent_is_not_waited_for() -> None:
    """A byte a minute would hold a slot for years."""
    with pytest.raises(TooSlow) as caught:
        await read_body(Client(chunk(b"{", more=True)).receive, Headers([]), limit=5, deadline_s=0.01)
    assert caught.value.http_status == 408


async def test_a_response_is_whole_and_not_to_be_kept() -> None:
    """Length, type, and the headers that keep answers out of caches."""
    sent: list[Event] = []

    async def send(event: Event) -> None:
        sent.append(event)

    await respond(send, 403, b"{}", headers=((b"x", b"y"),))
    await respond(send, 202)
    start, body, empty_start, empty_body = sent
    fields = dict(start["headers"])
    assert (start["status"], body["body"]) == (403, b"{}")
    assert fields[b"content-length"] == b"2"
    assert fields[b"content-type"] == b"application/json"
    assert fields[b"cache-control"] == b"no-store"
    assert fields[b"x-content-type-options"] == b"nosniff"
    assert fields[b"x"] == b"y"
    assert empty_body["body"] == b""
    assert b"content-type" not in dict(empty_start["headers"])

"""One question to a token endpoint, with every limit: deadline, size, no redirects, no compression."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

import httpx
import msgspec

from gateway.authoring.providers.dialects import Ask
from gateway.identity.endpoints import parse_endpoint

MAX_ANSWER_BYTES: Final = 64 * 1024


class NoAnswer(Exception):
    """Nothing came that could be read as an answer. The message quotes nothing received."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """Status, reason phrase and members; ``members`` is None where the body is no JSON object."""

    status: int
    reason: str
    members: dict[str, Any] | None


class Exchange:
    """Posts over one client, which is the owner's to close. ``deadline_s`` is for the whole exchange: a server that
    drips one byte a second resets every other timeout."""

    def __init__(self, http: httpx.AsyncClient, *, deadline_s: float) -> None:
        self._http = http
        self._deadline_s = deadline_s

    async def post(self, url: str, ask: Ask) -> Answer:
        """The answer, whatever its status.

        :raises NoAnswer: none within the deadline, too large, compressed, or a redirect.
        """
        try:
            endpoint = parse_endpoint(url)
        except ValueError as problem:
            raise NoAnswer(str(problem)) from None
        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        if ask.authorization is not None:
            headers["Authorization"] = ask.authorization.expose().decode()
        headers["Content-Type"] = "application/json" if ask.as_json else "application/x-www-form-urlencoded"
        body = msgspec.json.encode(ask.members) if ask.as_json else urlencode(ask.members).encode()
        try:
            async with asyncio.timeout(self._deadline_s):
                return await self._exchange(endpoint.url, headers, body)
        except TimeoutError:
            raise NoAnswer(f"no complete answer within {self._deadline_s:g} s") from None
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as problem:
            raise NoAnswer(f"the exchange failed ({type(problem).__name__})") from None

    async def _exchange(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        received = bytearray()
        async with self._http.stream(
            "POST", url, headers=headers, content=body, follow_redirects=False, auth=None
        ) as response:
            # A redirect would carry the client's secret to a place nobody configured.
            if response.is_redirect:
                raise NoAnswer("the endpoint redirects; configure where it really is")
            if response.headers.get("content-encoding", "identity").lower() != "identity":
                raise NoAnswer("the answer is compressed although that was not asked for")
            async for chunk in response.aiter_raw():
                received += chunk
                if len(received) > MAX_ANSWER_BYTES:
                    raise NoAnswer(f"the answer is larger than {MAX_ANSWER_BYTES} bytes")
        return Answer(
            status=response.status_code, reason=response.reason_phrase, members=_members(bytes(received))
        )


def _members(body: bytes) -> dict[str, Any] | None:
    try:
        document = msgspec.json.decode(body)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None

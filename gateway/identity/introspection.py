"""Opaque tokens, by asking their issuer (RFC 7662): bounded, one question per token, briefly remembered."""

from __future__ import annotations

import asyncio
import base64
import logging
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Final, TypeVar
from urllib.parse import quote_plus

from gateway.door import strict_json
from gateway.errors import MalformedRequest
from gateway.identity.cache import token_at
from gateway.identity.caller import Caller
from gateway.identity.claims import caller_from_introspection
from gateway.identity.credentials import Secret
from gateway.identity.endpoints import parse_endpoint
from gateway.identity.errors import IssuerUnavailable
from gateway.identity.fetch import FetchError, HttpFetcher
from gateway.identity.issuer import TrustedIssuer
from gateway.identity.jose import open_envelope
from gateway.identity.metadata import canonical_resource

MAX_ANSWER_BYTES: Final = 64 * 1024
"""Bytes of an introspection answer: claims of one token, and a token has 8 KiB at most."""
MAX_REMEMBERED: Final = 10_000
"""Active tokens remembered, about 1 KiB each."""
MAX_REFUSED: Final = 1_000
"""Inactive tokens remembered. Anybody can make these up, so they have a place of their own to fill."""
MAX_ASKED: Final = 64
"""Questions under way at one issuer. Past it the answer is 503 at once: a flood of made-up tokens must not become
a flood at the issuer, nor a queue here."""
REFUSED_S: Final = 5.0
"""Seconds an inactive token stays refused unasked. It cannot become active again (RFC 7662 section 2.2 leaves that
open, no issuer does it); short all the same, so that an issuer's hiccup does not lock a caller out (C42)."""

Kept = TypeVar("Kept")
_log = logging.getLogger(__name__)


class IntrospectionVerifier:
    """Asks one issuer about tokens that nobody here can read.

    A token revoked at the issuer is good here for ``remember_s`` seconds at most (0: every request asks), and never
    past its ``exp``. ``clock`` gives unix seconds, ``monotonic`` what its name says. Errors of the issuer, of the
    network or of our own client authentication are :class:`IssuerUnavailable`.

    What is *not* done: sending it a JWT that names another issuer; that token is not this issuer's to see.

    :raises ValueError: a URL that is neither https nor of this machine, or an audience that is no canonical URL.
    """

    def __init__(
        self,
        *,
        audience: str,
        trusted: TrustedIssuer,
        url: str,
        client_id: str,
        client_secret: str,
        fetcher: HttpFetcher,
        remember_s: float,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        parse_endpoint(url)
        self._audience = canonical_resource(audience)
        self._trusted = trusted
        self._url = url
        # RFC 6749 section 2.3.1: both are form-encoded before they are joined.
        pair = f"{quote_plus(client_id)}:{quote_plus(client_secret)}".encode()
        self._authorization = Secret(b"Basic " + base64.b64encode(pair))
        self._fetcher = fetcher
        self._remember_s = remember_s
        self._clock = clock
        self._monotonic = monotonic
        self._active: OrderedDict[bytes, tuple[Caller, float, int | None]] = OrderedDict()
        self._refused: OrderedDict[bytes, float] = OrderedDict()
        self._asked: dict[bytes, asyncio.Task[Caller | None]] = {}

    async def verify(self, token: Secret, server: str = "") -> Caller | None:
        """See :class:`~gateway.identity.verifier.Verifier`. None: not active, or not this issuer's."""
        key = token_at(token, server)
        remembered = self._remembered(key)
        if remembered is not None:
            return remembered
        until = self._refused.get(key)
        if until is not None and self._monotonic() < until:
            return None
        envelope = open_envelope(token.expose())
        if envelope is not None and envelope.claimed_issuer != self._trusted.issuer:
            return None
        task = self._asked.get(key)
        if task is None:
            if len(self._asked) >= MAX_ASKED:
                raise IssuerUnavailable
            task = asyncio.create_task(self._ask(key, token, server), name="introspection")
            self._asked[key] = task
            task.add_done_callback(lambda done: self._done(key, done))
        # Shielded: whoever asked first may hang up, and others wait for the same answer.
        return await asyncio.shield(task)

    async def probe(self) -> str | None:
        """What keeps this issuer from being asked, in words for the operator; None when it answers."""
        try:
            answer = await self._introspect(Secret(secrets.token_urlsafe(32).encode()))
        except (FetchError, ValueError) as problem:
            return str(problem)
        return None if answer.get("active") is False else "it calls a made-up token active"

    async def aclose(self) -> None:
        """Give up what is under way."""
        tasks = tuple(self._asked.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _done(self, key: bytes, task: asyncio.Task[Caller | None]) -> None:
        del self._asked[key]
        if not task.cancelled():
            task.exception()  # looked at: all who waited may be gone, and asyncio would complain

    def _remembered(self, key: bytes) -> Caller | None:
        entry = self._active.get(key)
        if entry is None:
            return None
        caller, until, expires = entry
        if self._monotonic() >= until or (expires is not None and self._clock() >= expires):
            del self._active[key]
            return None
        self._active.move_to_end(key)
        return caller

    async def _ask(self, key: bytes, token: Secret, server: str) -> Caller | None:
        # The age counts from the question: what was revoked while the answer was on its way is not young.
        asked_at = self._monotonic()
        try:
            answer = await self._introspect(token)
        except (FetchError, ValueError) as problem:
            _log.warning("no introspection by issuer %s: %s", self._trusted.issuer, problem)
            raise IssuerUnavailable from None
        caller, expires = caller_from_introspection(
            answer, trusted=self._trusted, audience=self._audience, now=self._clock(), server=server
        )
        if caller is None:
            _keep(self._refused, key, asked_at + REFUSED_S, MAX_REFUSED)
        elif self._remember_s > 0:
            _keep(self._active, key, (caller, asked_at + self._remember_s, expires), MAX_REMEMBERED)
        return caller

    async def _introspect(self, token: Secret) -> dict[str, Any]:
        """:raises FetchError: :raises ValueError: an answer that is no introspection response."""
        form = {"token": token.expose().decode("ascii"), "token_type_hint": "access_token"}
        body = await self._fetcher.post_form(self._url, form, authorization=self._authorization)
        try:
            answer = strict_json.parse(body)
        except MalformedRequest as problem:
            raise ValueError(f"the answer is not strict JSON ({problem.code})") from None
        # "active": "true" is a lie or a defect; nobody knows what its author meant.
        if not isinstance(answer, dict) or not isinstance(answer.get("active"), bool):
            raise ValueError("the answer is no introspection response (RFC 7662 section 2.2)")
        return answer


def _keep(entries: OrderedDict[bytes, Kept], key: bytes, value: Kept, limit: int) -> None:
    entries[key] = value
    entries.move_to_end(key)
    if len(entries) > limit:
        entries.popitem(last=False)

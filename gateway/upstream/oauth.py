"""The gateway's credential at a server behind OAuth: tokens of its own, or exchanged ones, kept until they end."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from gateway.door.host import Host
from gateway.errors import UpstreamUnavailable
from gateway.identity.credentials import Secret
from gateway.upstream.token_endpoint import NoToken, TokenEndpoint

MAX_KEPT: Final = 1_000
"""Exchanged tokens kept, some KiB each; of more callers, whoever was not here for longest is exchanged anew."""
MAX_ASKED: Final = 64
"""Questions under way at one endpoint; past it a call fails at once. Callers must not become a flood there."""
EARLY_S: Final = 60.0
"""A token is renewed this long before it ends, or a tenth of its life before, whichever is shorter."""
PAUSE_S: Final = 1.0
"""Seconds in which an endpoint that did not answer is not asked again: calls must not queue up for its deadline."""

_OWN: Final = b""
"""The key of the gateway's own token; the others' are SHA-256 of the callers' tokens."""
_LOG = logging.getLogger("countersign.upstream")


class _Kept:
    """One token, ready for the header. Times are the clock's."""

    __slots__ = ("ends_at", "renew_at", "value")

    def __init__(self, value: bytes, *, renew_at: float, ends_at: float) -> None:
        self.value = value
        self.renew_at = renew_at
        self.ends_at = ends_at


class OAuth:
    """See :class:`~gateway.upstream.credential.Credential`. ``server`` is the name in errors and in the log.

    With ``exchange``, a host that has a token gets one of its own at the target: its token goes to the token endpoint
    and nowhere else. What the gateway asks on its own account (listings) is asked with the gateway's own token.
    However many calls wait for one token, one question is asked. ``clock`` is monotonic, in seconds.
    """

    def __init__(
        self,
        server: str,
        endpoint: TokenEndpoint,
        *,
        exchange: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._server = server
        self._endpoint = endpoint
        self._exchange = exchange
        self._clock = clock
        self._kept: OrderedDict[bytes, _Kept] = OrderedDict()
        self._asked: dict[bytes, asyncio.Task[_Kept]] = {}
        self._paused_until = clock()

    @property
    def per_caller(self) -> bool:
        """Each caller is shown as itself when its token is exchanged."""
        return self._exchange

    async def authorization(self, host: Host) -> bytes:
        """``Bearer`` and a token with some life left.

        :raises UpstreamUnavailable: ``upstream.credential``.
        """
        subject = host.subject_token if self._exchange else None
        key = _OWN if subject is None else subject.sha256()
        kept = self._kept.get(key)
        if kept is not None and self._clock() < kept.renew_at:
            if subject is not None:
                self._kept.move_to_end(key)
            return kept.value
        try:
            return (await self._renewed(key, subject)).value
        except NoToken as problem:
            # Renewed early, so that an endpoint may be away for a moment. One that refuses has revoked something.
            if problem.down and kept is self._kept.get(key) and kept is not None:
                if self._clock() < kept.ends_at:
                    return kept.value
            elif not problem.down and kept is self._kept.get(key):
                self._kept.pop(key, None)
            raise UpstreamUnavailable(
                f"The gateway has no credential for the server {self._server!r}: {problem.what}.",
                code="upstream.credential",
            ) from None

    def refused(self, value: bytes) -> None:
        """Forget it, whosever it is."""
        for key, kept in self._kept.items():
            if kept.value == value:
                del self._kept[key]
                return

    async def _renewed(self, key: bytes, subject: Secret | None) -> _Kept:
        """:raises NoToken:"""
        task = self._asked.get(key)
        if task is None:
            if self._clock() < self._paused_until:
                raise NoToken("the token endpoint gave no answer", down=True)
            if len(self._asked) >= MAX_ASKED:
                raise NoToken("too many questions wait at the token endpoint", down=True)
            task = asyncio.create_task(self._ask(key, subject), name="token")
            self._asked[key] = task
            task.add_done_callback(lambda done: self._done(key, done))
        # Shielded: whoever asked first may go away, and others wait for the same answer.
        return await asyncio.shield(task)

    async def _ask(self, key: bytes, subject: Secret | None) -> _Kept:
        asked_at = self._clock()
        grant = await self._endpoint.ask(subject)
        ends_at = asked_at + grant.life_s
        kept = _Kept(
            b"Bearer " + grant.token.expose(),
            renew_at=ends_at - min(EARLY_S, grant.life_s / 10),
            ends_at=ends_at,
        )
        self._kept[key] = kept
        while len(self._kept) > MAX_KEPT:
            # The gateway's own is used by every listing: callers do not push it out.
            self._kept.pop(next(one for one in self._kept if one != _OWN))
        return kept

    def _done(self, key: bytes, task: asyncio.Task[_Kept]) -> None:
        self._asked.pop(key, None)
        if task.cancelled():
            return
        problem = task.exception()
        if isinstance(problem, NoToken):
            _LOG.warning("no credential for the server %r: %s", self._server, problem.what)
            if problem.down:
                self._paused_until = self._clock() + PAUSE_S

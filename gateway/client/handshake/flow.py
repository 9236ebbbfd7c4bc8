"""The two phases as one conversation without I/O: it says what to send, and is told what came.

Both clients drive it, so that there is one flow. What it yields is a step; what it is sent is that step's outcome; an
answer that did not come is thrown into it as :class:`NotAnswered`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, Final

import msgspec

from gateway.client.handshake.answers import Authorized, Done, Reply, Waiting, authorized, executed, unknown
from gateway.client.handshake.errors import (
    AuthorizationFailed,
    ConfirmationPending,
    ExecutionFailed,
    ParametersRefused,
)
from gateway.client.handshake.options import Timeouts
from gateway.client.handshake.proof import ParametersSigner
from gateway.client.handshake.session_token import Session
from gateway.client.keys import hash_of_token
from gateway.client.login.values import Secret

OLD_S: Final = 25.0
"""Seconds after which a token that waits is exchanged for another instead of being shown: it lives 30 or 60."""


class NotAnswered(Exception):
    """No answer came. ``sent``: whether the request may have left."""

    def __init__(self, *, sent: bool) -> None:
        super().__init__()
        self.sent = sent


class Post(msgspec.Struct, frozen=True):
    """Send this; the outcome is a :class:`Reply`. Headers and body hold tokens: no step is ever logged."""

    path: str
    body: bytes
    token: Secret | None = None
    session: Session | None = None

    def __repr__(self) -> str:
        return f"Post({self.path!r})"


class Confirmation(msgspec.Struct, frozen=True, kw_only=True):
    """What a person has to decide, and where. The outcome: whether to wait for it (None counts as yes)."""

    tool: str
    transaction_id: str
    approve_url: str | None
    expires_in_s: float


class Pause(msgspec.Struct, frozen=True):
    """Wait for so many seconds."""

    seconds: float


Step = Post | Confirmation | Pause
Flow = Generator[Step, Any, Any]


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One call and who makes it. ``parameters``: serialised once, for both phases."""

    session: Session
    tool: str
    parameters: bytes
    server: str | None = None
    data_class: int | None = None
    signer: ParametersSigner | None = None

    def __repr__(self) -> str:
        return f"Request({self.tool!r})"

    def body(self, token: Secret | None) -> bytes:
        """Of the first phase, or with a token of the second (how-to guide, section 4)."""
        members: dict[str, Any] = {"sessionToken": self.session.token.expose()}
        if token is not None:
            members["ephemeralToken"] = token.expose()
        members |= {"tool": self.tool, "parameters": msgspec.Raw(self.parameters)}
        if token is None and self.data_class is not None:
            # The gateway has its own table and reads this nowhere (R011, conflict C03).
            members["metadata"] = {"dataClass": self.data_class}
        if self.server is not None:
            members["server"] = self.server
        if self.signer is not None:
            assert self.server is not None  # the clients insist: a signature names its server
            parameters, ath = msgspec.json.decode(self.parameters), hash_of_token(self.session.token.expose())
            members["proof"] = self.signer.proof(self.server, self.tool, parameters, ath)
        return msgspec.json.encode(members)


class Authorization:
    """What the first phase brought, good for one execution of exactly that call. Shows nothing, cannot be pickled."""

    __slots__ = ("_at", "_request", "_token", "transaction_id")

    def __init__(self, request: Request, authorized: Authorized, at: float) -> None:
        self.transaction_id = authorized.transaction_id
        self._request = request
        self._token: Secret | None = authorized.token
        self._at = at

    def __repr__(self) -> str:
        return f"Authorization(transaction_id={self.transaction_id!r})"

    def take(self, tool: str, parameters: bytes) -> tuple[Request, Secret, float]:
        """The call and its token, once; with the time at which it was had.

        :raises ParametersRefused: this is another call; nothing is used up. :raises ExecutionFailed: taken before.
        """
        if tool != self._request.tool or parameters != self._request.parameters:
            raise ParametersRefused("This is not the call that was authorised; authorise it first.")
        token, self._token = self._token, None
        if token is None:
            raise ExecutionFailed(
                "Execution failed: this authorisation was used before; it is good once.",
                code="client.used_up",
            )
        return self._request, token, self._at


def authorizing(request: Request, now: Callable[[], float]) -> Flow:
    """The first phase. Returns an :class:`Authorization`."""
    try:
        reply: Reply = yield Post("/authorize", request.body(None), None, request.session)
    except NotAnswered:
        raise AuthorizationFailed(
            "Authorization failed: no answer from the gateway; nothing was executed.",
            code="client.unreachable",
        ) from None
    return Authorization(request, authorized(_without(reply, request.session.token)), now())


def executing(
    authorization: Authorization,
    tool: str,
    parameters: bytes,
    *,
    timeouts: Timeouts,
    can_confirm: bool,
    now: Callable[[], float],
) -> Flow:
    """The second phase, and the wait for a person. Returns the result.

    A token is shown once: after an answer, the next one that is shown is the fresh one that came with it.
    """
    request, token, had_at = authorization.take(tool, parameters)
    transaction, deadline = authorization.transaction_id, None
    while True:
        if deadline is not None and now() - had_at > OLD_S:
            # Whoever was asked took his time; the confirmation is bound to the call, not to this token.
            renewed: Authorization = yield from authorizing(request, now)
            request, token, had_at = renewed.take(tool, parameters)
        answer: Done | Waiting = yield from _shown(request, token, transaction)
        if isinstance(answer, Done):
            return answer.result
        token, had_at, transaction = answer.token, now(), answer.transaction_id
        if deadline is None:
            deadline = now() + timeouts.confirmation
            if answer.person:
                deadline = now() + min(timeouts.confirmation, answer.expires_in_s or timeouts.confirmation)
                wanted = can_confirm and (yield _asked(request, answer))
                if wanted is False:
                    raise _pending(answer)
        if now() + timeouts.poll > deadline:
            raise _pending(answer)
        yield Pause(timeouts.poll)


def _shown(request: Request, token: Secret, transaction: str) -> Generator[Step, Any, Done | Waiting]:
    try:
        reply: Reply = yield Post("/execute", request.body(token), token, request.session)
    except NotAnswered as problem:
        if problem.sent:
            raise unknown(transaction) from None
        raise ExecutionFailed(
            "Execution failed: the gateway cannot be reached; nothing was sent.", code="client.unreachable"
        ) from None
    return executed(_without(reply, request.session.token, token), transaction)


def _without(reply: Reply, *secrets: Secret) -> Reply:
    """A refusal that repeats what it was sent ends up in logs; so it holds no token when it is read."""
    if reply.status < 300 or not reply.body:
        return reply
    body = reply.body
    for one in secrets:
        body = body.replace(one.expose().encode(), b"<secret>")
    return msgspec.structs.replace(reply, body=body)


def _asked(request: Request, answer: Waiting) -> Confirmation:
    return Confirmation(
        tool=request.tool,
        transaction_id=answer.transaction_id,
        approve_url=answer.approve_url,
        expires_in_s=answer.expires_in_s,
    )


def _pending(answer: Waiting) -> ConfirmationPending:
    where = f" at {answer.approve_url}" if answer.approve_url else ""
    error = ConfirmationPending(
        f"Confirmation pending: a person has to confirm this call{where}. Nothing was executed. "
        "Afterwards make exactly the same call again.",
        status=202,
    )
    error.approve_url, error.transaction_id = answer.approve_url, answer.transaction_id
    return error
